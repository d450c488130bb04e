"""The command line: which commands there are."""

import sys
from typing import Annotated

import typer

from scanhub import (
    __version__,
    demo_command,
    doctor_command,
    local_command,
    rollout_command,
    scan_command,
    show_command,
    status_command,
    worker_command,
)

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
app.command("doctor")(doctor_command.doctor)
app.add_typer(local_command.app, name="local")
app.add_typer(rollout_command.app, name="rollout")


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
