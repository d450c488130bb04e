"""`scanhub worker`: the process on Fargate."""

import asyncio
import os
import signal
import sys
from typing import Annotated

import structlog
import typer

from hub import logs
from hub.redaction import Redactor
from hub.settings import Settings, load
from scanhub import privacy
from scanhub.wiring import open_worker
from worker.service import Tally
from worker.trip import Unobserved

log = structlog.get_logger()


def worker(
    drain: Annotated[
        bool, typer.Option("--drain", help="End when there is nothing to receive and nothing runs.")
    ] = False,
) -> None:
    """Scan what changes, until stopped (SIGTERM or SIGINT ends it in good order)."""
    privacy.hide()
    settings, redactor = load(), Redactor()
    logs.configure(settings.log_level, stream=sys.stderr, redactor=redactor)
    tally = asyncio.run(run(settings, redactor, drain=drain))
    sys.stderr.write(told(tally))


async def run(settings: Settings, redactor: Redactor, *, drain: bool) -> Tally:
    """Run the worker of these settings, metrics on stdout."""
    async with open_worker(
        settings, os.environ, metrics=sys.stdout, observer=Unobserved(), redactor=redactor
    ) as service:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        log.info("worker ready", drain=drain, slots=settings.max_concurrent_scans)
        return await service.run(drain=drain)


def told(tally: Tally) -> str:
    """One line that says what became of the messages."""
    endings = ", ".join(f"{count} {kind.value}" for kind, count in sorted(tally.endings.items())) or "nothing received"
    behind = len(tally.left_behind)
    left = f"; {behind} message{'s' if behind > 1 else ''} given back, still in the queue" if behind else ""
    return f"scanhub: {endings}{left}\n"
