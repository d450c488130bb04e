"""What runs beside a sweep: telling how far it is, and heeding a pause."""

import asyncio

import structlog

from hub.service_notes import Pause
from hub.sweep.ports import SweepRegister
from hub.sweep.progress import Progress, SweepObserver
from hub.sweeps import SweepRun
from spoke.clock import Clock
from spoke.errors import Retry

log = structlog.get_logger()

LOOK = 1.0
"""Seconds between two looks of an observer."""

NOTE = 10
"""Looks between two notes in the register."""

LOG = 30
"""Looks between two lines in the log."""


class Stopped(Exception):  # it is no error: somebody wants the sweep to end
    """Somebody has paused the service.

    Args:
        text: By whom and why, in one line.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def paused_by(pause: Pause) -> str:
    """In one line."""
    return f"the service was paused by {pause.by}" + (f": {pause.reason}" if pause.reason else "")


async def watch(
    progress: Progress, run: SweepRun | None, register: SweepRegister, clock: Clock, observer: SweepObserver | None
) -> None:
    """Tell of the progress until it is cancelled.

    Args:
        progress: Of this process.
        run: Where to note it; None with a dry run, which is noted nowhere.
        register: See `SweepRegister`.
        clock: Tells the time.
        observer: Who is told every second.

    Raises:
        Stopped: The service was paused meanwhile.
        Misconfigured: The register may not be used.
    """
    looks = 0
    while True:
        await asyncio.sleep(LOOK)
        looks += 1
        if observer is not None:
            observer.progressed(progress.look())
        if looks % LOG == 0:
            log_progress("sweep goes on", progress)
        if run is not None and looks % NOTE == 0:
            await _note(progress, run, register, clock)


async def _note(progress: Progress, run: SweepRun, register: SweepRegister, clock: Clock) -> None:
    look = progress.look()
    try:
        await register.note_sweep(run, look.counts, accounts=look.accounts, now=clock.now())
        pause = await register.paused()
    except Retry as error:
        log.warning("progress not noted", reason=error.text)
        return
    if pause is not None:
        raise Stopped(paused_by(pause))


def log_progress(event: str, progress: Progress) -> None:
    """One line with every figure."""
    look = progress.look()
    log.info(
        event,
        accounts=look.accounts,
        done=look.done,
        functions=look.counts.functions,
        queued=look.counts.due,
        fresh=look.counts.fresh,
        waiting=look.counts.waiting,
        excluded=look.counts.excluded,
        gone=look.counts.gone,
        outlived=look.counts.outlived,
        failed=look.counts.failed,
        calls=look.counts.calls,
        functions_per_second=round(look.functions_per_second, 1),
        seconds_left=None if look.seconds_left is None else round(look.seconds_left),
    )
