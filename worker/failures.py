"""What a failure leads to: the table of the design, one row a branch."""

from dataclasses import replace
from datetime import timedelta

import structlog

from hub.coverage import Coverage, CoverageState
from hub.metrics import scan_figures
from hub.notification import Notification, NotificationKind
from hub.scans import ScanSummary
from spoke.errors import (
    Gone,
    HostFault,
    LeaseHeld,
    LeaseLost,
    Misconfigured,
    NoAccess,
    NotReady,
    QualysFault,
    Retry,
    ScanhubError,
    Unreadable,
)
from worker import backoff
from worker.trip import Ending, EndingKind, Trip
from worker.world import World

log = structlog.get_logger()

WIDE = (HostFault, Misconfigured, QualysFault)
"""What concerns more than the one message that met it."""

QUALYS_PAUSE = timedelta(seconds=60)
LEASE_JITTER = timedelta(seconds=5)
NOT_READY_RECEIVES = 15
"""After so many receives (four to fifteen minutes) a function that is still not ready is parked, not asked for ever."""


async def ending_after(error: Exception, trip: Trip, world: World) -> Ending:
    """Write down what the failure means for the function, and say what becomes of the message. Raises nothing."""
    first = _known(error)
    try:
        return await _ending(first, trip, world)
    except Exception as second:  # noqa: BLE001  # what fails here must not take the message's ending away
        # The ledger, the bucket or the topic did not take it: nothing is decided, the message comes again.
        known = _known(second)
        log.warning("failure not written down", failure=first.text, reason=known.text)
        wide = next((one for one in (first, known) if isinstance(one, WIDE)), None)
        return _again(trip, known) if wide is None else replace(_given_back(wide, timedelta(0)), fault=wide)


def _known(error: Exception) -> ScanhubError:
    if isinstance(error, ScanhubError):
        return error
    log.error("unexpected error", exc_info=error)
    return Retry(f"unexpected {type(error).__name__}", detail=str(error)[:2000])


async def _ending(error: ScanhubError, trip: Trip, world: World) -> Ending:
    if isinstance(error, WIDE):
        return await _more_than_this_message(error, trip, world)
    if isinstance(error, LeaseHeld):
        return _given_back(error, max(error.until - world.clock.now(), timedelta(0)) + backoff.jitter(LEASE_JITTER))
    if isinstance(error, LeaseLost):
        return _given_back(error, backoff.jitter(LEASE_JITTER))
    # The scanner's word is not enough: GetFunction has just answered, and a deleted layer reads the same.
    if isinstance(error, Gone) and trip.snapshot is None:
        return await _gone(error, trip, world)
    if isinstance(error, NotReady):
        return await _not_ready(error, trip, world)
    if isinstance(error, Unreadable):
        return await _failed(CoverageState.UNREADABLE, error, trip, world)
    return await _retried(error, trip, world)


async def _more_than_this_message(error: ScanhubError, trip: Trip, world: World) -> Ending:
    """The message pays nothing for a fault of the machine, of the settings or of Qualys."""
    if isinstance(error, HostFault) and trip.message.receive_count >= world.settings.max_attempts:
        # It met one on every machine that tried: the function is the cause, and would stop worker after worker.
        return replace(await _failed(CoverageState.FAILED, error, trip, world), fault=error)
    await _cover(CoverageState.PENDING, error.text, trip, world)
    delay = backoff.jitter(QUALYS_PAUSE) if isinstance(error, QualysFault) else timedelta(0)
    return replace(_given_back(error, delay), fault=error)


async def _gone(error: Gone, trip: Trip, world: World) -> Ending:
    function = trip.function
    if function is not None:
        now = world.clock.now()
        # A function that was created anew after the question is newer than this answer.
        as_of = trip.asked_at or now
        await world.ledger.record(
            Coverage(function=function, state=CoverageState.GONE, reason=error.text, at=now, as_of=as_of)
        )
    return Ending(kind=EndingKind.GONE, detail=error.text)


async def _not_ready(error: NotReady, trip: Trip, world: World) -> Ending:
    if trip.message.receive_count >= NOT_READY_RECEIVES:
        return await _failed(CoverageState.FAILED, error, trip, world)
    await _cover(CoverageState.PENDING, error.text, trip, world)
    return _given_back(error, backoff.until_ready())


async def _retried(error: ScanhubError, trip: Trip, world: World) -> Ending:
    last = trip.message.receive_count >= world.settings.max_attempts
    if trip.summary is not None:
        # The result is durable; only effects are owed. The coverage already says what is true.
        return _parked(error, reason="effects_owed") if last else _again(trip, error)
    if isinstance(error, NoAccess):
        await _cover(CoverageState.NO_ACCESS, error.text, trip, world)
        return _parked(error) if last else _again(trip, error)
    if last:
        return await _failed(CoverageState.FAILED, error, trip, world)
    await _cover(CoverageState.PENDING, f"try {trip.message.receive_count}: {error.text}", trip, world)
    return _again(trip, error)


async def _failed(state: CoverageState, error: ScanhubError, trip: Trip, world: World) -> Ending:
    """The last word on this message: keep what the scanner said, set the state, tell somebody, park."""
    summary = await _store_failure(error, trip, world)
    if summary is not None and trip.function is not None:
        world.metrics.emit(**scan_figures(trip.function, summary))
    await _cover(state, error.text, trip, world)
    if trip.function is not None:
        await world.notifier.notify(
            Notification(kind=NotificationKind.FAILED, function=trip.function, reason=error.text, summary=summary)
        )
    return _parked(error)


async def _store_failure(error: ScanhubError, trip: Trip, world: World) -> ScanSummary | None:
    """A failed scan leaves a manifest and the redacted end of its stderr, if it came as far as a scan."""
    if trip.snapshot is None or trip.scan_id is None:
        return None
    now = world.clock.now()
    return await world.results.store_failure(
        snapshot=trip.snapshot,
        profile=world.scanner.profile,
        scan_id=trip.scan_id,
        reasons=(_word(error),),
        detail=_with_detail(error),
        exit_code=None,
        started_at=trip.message.received_at,
        finished_at=now,
    )


async def _cover(state: CoverageState, reason: str, trip: Trip, world: World) -> None:
    if trip.function is None or trip.summary is not None:
        return
    if state is CoverageState.PENDING and trip.snapshot is None and await world.ledger.coverage(trip.function):
        return  # nothing new is known of the function: what is written of it stays true
    await world.ledger.record(
        Coverage(
            function=trip.function,
            state=state,
            reason=reason,
            at=world.clock.now(),
            as_of=trip.snapshot.last_modified if trip.snapshot is not None else None,
            fingerprint=trip.snapshot.fingerprint if trip.snapshot is not None else None,
        )
    )


def _again(trip: Trip, error: ScanhubError) -> Ending:
    return _given_back(error, backoff.after_failure(trip.message.receive_count))


def _given_back(error: ScanhubError, delay: timedelta) -> Ending:
    return Ending(kind=EndingKind.GIVEN_BACK, reason=_word(error), detail=error.text, delay=delay)


def _parked(error: ScanhubError, *, reason: str = "") -> Ending:
    return Ending(kind=EndingKind.PARKED, reason=reason or _word(error), detail=_with_detail(error))


def _with_detail(error: ScanhubError) -> str:
    return f"{error.text}\n{error.detail}" if error.detail else error.text


def _word(error: ScanhubError) -> str:
    """The error's class as a stable word: `ScannerCrashed` -> `scanner_crashed`."""
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
