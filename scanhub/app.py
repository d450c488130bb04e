"""The command line: what there is, and how its errors are told."""

import sys
from typing import Annotated

import typer

from scanhub import __version__, demo_command, local_command, scan_command, show_command, status_command, worker_command
from spoke.errors import Misconfigured, ScanhubError

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="scanhub",
    help="Keeps every AWS Lambda function of an organization scanned, from one security account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("worker")(worker_command.worker)
app.command("demo")(demo_command.demo)
app.command("scan")(scan_command.scan)
app.command("status")(status_command.status)
app.command("show")(show_command.show)
app.add_typer(local_command.app, name="local")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"scanhub {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # read by its callback; a flag
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Keeps every AWS Lambda function of an organization scanned, from one security account."""


def main() -> None:
    """Run the command line; a user's own mistake is told in a line, never as a traceback."""
    try:
        app()
    except ScanhubError as error:
        sys.stderr.write(f"scanhub: {error.text}\n")
        sys.exit(WRONG_USAGE if isinstance(error, Misconfigured) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (`scanhub status | head`): no fault, and nobody to tell.
        sys.stderr.close()
        sys.exit(FAILED)
