"""The worker's process: its signals, its streams and its word on how it is."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from hub import logs
from hub.redaction import Redactor
from hub.service_notes import Pause
from hub.settings import Settings, load
from scanhub import privacy
from scanhub.wiring import open_worker
from worker.health import Health
from worker.service import Service
from worker.tally import Tally
from worker.trip import Unobserved
from worker.vitals import FILE

log = structlog.get_logger()


def work(*, drain: bool) -> None:
    """Run a worker to its end; metrics go to stdout, the log and one line at the end to stderr.

    Raises:
        Misconfigured: A setting or what it names is not usable.
        HostFault: This machine cannot scan.
        ScanhubError: Any other reason to end early.
    """
    privacy.hide()
    _open_closed_streams()
    try:
        settings, redactor = load(), Redactor()
        logs.configure(settings.log_level, stream=sys.stderr, redactor=redactor)
        tally = asyncio.run(run(settings, redactor, drain=drain))
        with suppress(OSError):
            sys.stderr.write(told(tally))
    finally:
        _give_up_broken_stdout()


async def run(settings: Settings, redactor: Redactor, *, drain: bool) -> Tally:
    """Run the worker of these settings until it is stopped."""
    health = Health(settings.work_dir / FILE)
    async with (
        open_worker(
            settings, os.environ, metrics=sys.stdout, observer=Unobserved(), redactor=redactor, health=health
        ) as service,
        _kept(health),
    ):
        _heed_signals(service)
        log.info("worker ready", drain=drain, slots=settings.max_concurrent_scans)
        return await service.run(drain=drain)


def told(tally: Tally) -> str:
    """One line that says what became of the messages."""
    endings = ", ".join(f"{count} {kind.value}" for kind, count in sorted(tally.endings.items())) or "nothing received"
    behind = len(tally.left_behind)
    left = f"; {behind} message{'s' if behind > 1 else ''} given back, still in the queue" if behind else ""
    return f"scanhub: {endings}{left}{_paused(tally.paused)}\n"


def _paused(pause: Pause | None) -> str:
    """Why a drain has left the queues as they are. The reason is somebody's own words: one line of them is enough."""
    if pause is None:
        return ""
    why = f": {pause.reason.partition(chr(10))[0]}" if pause.reason else ""
    return f"; the service is paused since {pause.at:%Y-%m-%d %H:%M:%S} UTC by {pause.by}{why}"


@asynccontextmanager
async def _kept(health: Health) -> AsyncIterator[None]:
    writing = asyncio.create_task(health.run())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait({writing})


def _heed_signals(service: Service) -> None:
    """The first signal lets running scans finish within the drain time; the second one does not."""
    heard = []

    def stop(number: signal.Signals) -> None:
        heard.append(number)
        meaning = "stopping in good order" if len(heard) == 1 else "stopping at once"
        log.info("signal received", signal=number.name, meaning=meaning)
        service.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)


def _open_closed_streams() -> None:
    """Python has None for a standard stream that was closed at the start; what is written there is nobody's."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # open as long as the process


def _give_up_broken_stdout() -> None:
    """What a broken pipe has left in the buffer would make the interpreter's own end a failure (exit code 120)."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, sys.stdout.fileno())
            os.close(sink)
