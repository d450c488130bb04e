"""With which scan profile the workers scan: what a sweep compares results with."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from hub.scans import ScanProfile
from hub.service_notes import WorkerNote
from spoke.errors import Misconfigured

RUNS = timedelta(hours=1)
"""A worker that was heard within this counts as running, however busy the ledger is."""


LATELY = timedelta(minutes=5)
"""A worker says a word every minute. While one is heard, another that was not heard for so long has died."""


async def profile_in_force(
    notes: Iterable[WorkerNote], now: datetime, *, of_binary: Callable[[], Awaitable[ScanProfile]]
) -> ScanProfile:
    """The profile of the worker that started last.

    During a deployment workers of two profiles run; the newer ones stay. A newer one that died, as those of a
    deployment that is rolled back, does not count while others are heard: else every result would be of another
    profile. Where none runs (`MinTasks` 0), the scanner that is installed here tells; on a machine without one, the
    worker that was heard last.

    Args:
        notes: Of the workers of the last day.
        now: Aware, UTC.
        of_binary: Asks the scanner installed here; raises `Misconfigured` where there is none.

    Raises:
        Misconfigured: Nobody knows.
    """
    known = sorted(notes, key=lambda note: (note.started_at, note.seen_at))
    running = [note for note in known if now - note.seen_at <= RUNS]
    if running:
        heard = [note for note in running if now - note.seen_at <= LATELY]
        return (heard or running)[-1].profile
    try:
        return await of_binary()
    except Misconfigured as error:
        if known:
            return known[-1].profile
        raise Misconfigured(
            f"which scanner is in use is not known: no worker was heard of in the last day, and {error.text}"
        ) from error
