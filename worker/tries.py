"""How often a message may fail, and the count of it.

SQS's receive count does not tell: a message is also received again because its lease was held, its account paused,
Qualys away or a worker stopped. So each failure is written down in the ledger, and each kind has its own limit.
"""

from hub.figures import try_figures
from hub.settings import Settings
from hub.tries import Failure
from spoke.errors import (
    CodeChanged,
    HostFault,
    LeaseLost,
    Misconfigured,
    NotReady,
    ResultUnwritable,
    ScanhubError,
    Throttled,
    Unavailable,
    Unreadable,
    UploadFailed,
)
from worker.trip import Trip
from worker.world import World

MAX_NOT_READY = 15
"""Four to fifteen minutes: a function that is still not ready then is parked, not asked for ever."""

PATIENCE = 4
"""So many times the usual tries for what passes by itself: some two hours of an AWS API that is away."""

PASSING = (LeaseLost, Throttled, Unavailable, UploadFailed)

_LIMITS: dict[type[ScanhubError], int] = {
    Unreadable: 1,
    ResultUnwritable: 2,  # once more elsewhere
    HostFault: 3,  # on every machine that tried: the function is the cause, and would stop worker after worker
    Misconfigured: 3,  # likewise
    CodeChanged: 3,
    NotReady: MAX_NOT_READY,
}


def limit_of(error: ScanhubError, settings: Settings, *, is_proven: bool = True) -> int:
    """After so many failures of this kind a message is parked.

    Args:
        error: Any.
        settings: The worker's.
        is_proven: Whether a scan of this worker has passed before: if not, a fault of the host is rather its own.
    """
    limit = _LIMITS.get(type(error))
    if limit is None:
        limit = settings.max_attempts * (PATIENCE if isinstance(error, PASSING) else 1)
    return limit * PATIENCE if isinstance(error, (HostFault, Misconfigured)) and not is_proven else limit


async def note(error: ScanhubError, trip: Trip, world: World) -> bool:
    """Write the failure down. Noted twice in one delivery it counts once.

    Returns:
        Whether it was the last that this message may have of its kind.

    Raises:
        Throttled, Unavailable: The ledger does not take it; then nothing is counted.
    """
    reason = word(error)
    failure = Failure(trip.message.receive_count, reason, error.text.partition("\n")[0], world.clock.now())
    is_new = all((one.attempt, one.reason) != (failure.attempt, reason) for one in trip.history)
    trip.history = tuple(await world.ledger.note_failure(trip.message.id, failure))
    if is_new:
        world.metrics.emit(**try_figures(reason, function=trip.function, exit_code=error.exit_code))
    limit = limit_of(error, world.settings, is_proven=world.circuit.has_passed)
    return sum(one.reason == reason for one in trip.history) >= limit


def word(error: ScanhubError) -> str:
    """The error's class as a stable word: `ScannerCrashed` -> `scanner_crashed`."""
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
