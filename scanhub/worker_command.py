"""`scanhub worker`: the process on Fargate, and the question whether it is well."""

from typing import Annotated

import typer

from scanhub import health_check, worker_process
from spoke.errors import Misconfigured


def worker(
    drain: Annotated[
        bool, typer.Option("--drain", help="End when there is nothing to receive and nothing runs.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Start nothing; end with 0 if the worker of SCANHUB_WORK_DIR is well.")
    ] = False,
) -> None:
    """Scan what changes, until stopped: SIGTERM or SIGINT ends it in good order, a second one at once."""
    if check and drain:
        raise Misconfigured("--check starts no worker that could --drain")
    if check:
        health_check.check()
    else:
        worker_process.work(drain=drain)
