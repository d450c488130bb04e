"""Where the process begins, and how its errors are told."""

import sys

from scanhub import health_check
from spoke.errors import Misconfigured, ScanhubError

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

HEALTH_CHECK = ["worker", "--check"]


def main() -> None:
    """Run the command line; a user's own mistake is told in a line, never as a traceback."""
    try:
        _run(sys.argv[1:])
    except ScanhubError as error:
        sys.stderr.write(f"scanhub: {error.text}\n")
        sys.exit(WRONG_USAGE if isinstance(error, Misconfigured) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away (`scanhub status | head`): no fault, and nobody to tell.
        sys.stderr.close()
        sys.exit(FAILED)


def _run(arguments: list[str]) -> None:
    if arguments == HEALTH_CHECK:
        # Every half minute, beside the scans: typer, pydantic and the AWS clients would take most of a second of CPU.
        health_check.check()
        return
    from scanhub import usage  # noqa: PLC0415  # a health check must not pay for it
    from scanhub.commands import listed  # noqa: PLC0415  # same

    usage.run(listed())
