"""What a failure leads to: the table of the design, one row a branch."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from hub.coverage import Coverage, CoverageState
from hub.figures import scan_figures
from hub.notification import Notification, NotificationKind
from hub.scans import CLOCK_SKEW, ScanSummary
from spoke.errors import (
    AccountBusy,
    AccountPaused,
    CodeChanged,
    Gone,
    HostFault,
    LeaseHeld,
    LeaseLost,
    Misconfigured,
    NoAccess,
    NotReady,
    ScanhubError,
    Unexpected,
    Unreadable,
)
from worker import backoff, states, tries
from worker.trip import Ending, EndingKind, Trip
from worker.world import World

log = structlog.get_logger()

WIDE = (HostFault, Misconfigured)
"""What no worker can go on with. (What Qualys is to blame for is the circuit's.)"""

LEASE_JITTER = timedelta(seconds=5)
BUSY_AHEAD = 3
"""Receives by which the back-off of a busy account is ahead: a scan takes minutes, not seconds."""

PAUSE_JITTER = timedelta(seconds=30)
"""Over so long comes back what was given back for the time of a pause."""


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
    return Unexpected(f"unexpected {type(error).__name__}", detail=str(error)[:2000])


async def _ending(error: ScanhubError, trip: Trip, world: World) -> Ending:
    if world.circuit.failed(error, message_id=trip.message.id, turn=trip.turn):
        return await _borne_by_the_circuit(error, trip, world)
    if isinstance(error, AccountPaused) and error.is_denied:
        error = NoAccess(error.text)
    uncounted = _uncounted(error, trip, world.clock.now())
    if uncounted is not None:
        return uncounted
    # The scanner's word is not enough: GetFunction has just answered, and a deleted layer reads the same.
    if isinstance(error, Gone) and trip.snapshot is None:
        return await _gone(error, trip, world)
    return await _counted(error, trip, world)


async def _borne_by_the_circuit(error: ScanhubError, trip: Trip, world: World) -> Ending:
    await _cover(CoverageState.PENDING, error.text, trip, world)
    ending = circuit_open(world)
    # The next probe is somebody else's: it may be this message that Qualys does not take.
    return replace(ending, delay=ending.delay + world.circuit.pause)


def circuit_open(world: World) -> Ending:
    """What becomes of a message while Qualys takes no scans: it pays nothing, and comes again after the pause."""
    delay = world.circuit.pause + backoff.jitter(PAUSE_JITTER)
    return Ending(kind=EndingKind.GIVEN_BACK, reason="qualys", detail=world.circuit.reason, delay=delay)


def _uncounted(error: ScanhubError, trip: Trip, now: datetime) -> Ending | None:
    """What is no failure of this message: it comes again when that may help."""
    none = timedelta(0)
    if isinstance(error, LeaseHeld):
        return _given_back(error, max(error.until - now, none) + backoff.jitter(LEASE_JITTER))
    if isinstance(error, AccountPaused):
        return _given_back(error, max(error.until - now, none) + backoff.jitter(PAUSE_JITTER))
    if isinstance(error, AccountBusy):
        return _given_back(error, backoff.after_failure(trip.message.receive_count + BUSY_AHEAD))
    return None


async def _counted(error: ScanhubError, trip: Trip, world: World) -> Ending:
    """A failure of this message: once more, or for the last time."""
    last = await tries.note(error, trip, world)
    if trip.summary is not None:
        # The result is durable; only effects are owed. The coverage already says what is true.
        return _parked(error, reason="effects_owed") if last else _again(trip, error)
    if isinstance(error, WIDE):
        return await _more_than_this_message(error, trip, world, last=last)
    if isinstance(error, NoAccess):
        await _cover(CoverageState.NO_ACCESS, error.text, trip, world)
        return _parked(error) if last else _again(trip, error)
    if last:
        state = CoverageState.UNREADABLE if isinstance(error, Unreadable) else CoverageState.FAILED
        return await _failed(state, error, trip, world)
    await _cover(CoverageState.PENDING, error.text, trip, world)
    if isinstance(error, LeaseLost):
        return _given_back(error, backoff.jitter(LEASE_JITTER))
    if isinstance(error, (NotReady, CodeChanged)):
        return _given_back(error, backoff.until_ready())
    return _again(trip, error)


async def _more_than_this_message(error: ScanhubError, trip: Trip, world: World, *, last: bool) -> Ending:
    if last:
        # It met this on every machine that tried: the function is the cause, and would stop worker after worker.
        return replace(await _failed(CoverageState.FAILED, error, trip, world), fault=error)
    await _cover(CoverageState.PENDING, error.text, trip, world)
    return replace(_given_back(error, timedelta(0)), fault=error)


async def _gone(error: Gone, trip: Trip, world: World) -> Ending:
    """Write down that the function is gone, unless it was created anew meanwhile.

    What is known of it is read before it is asked for once more: so whatever was known by then is older than the
    answer, and a function created anew later is newer, whatever any worker's clock says.
    """
    function = trip.function
    if function is None:
        raise AssertionError("only a function that was asked for can be gone")
    known = await world.ledger.coverage(function)
    as_of = world.clock.now() - CLOCK_SKEW
    if known is not None and known.as_of is not None:
        as_of = max(as_of, known.as_of)
    try:
        await world.accounts.describe(function)
    except Gone:
        gone = Coverage(
            function=function, state=CoverageState.GONE, reason=error.text, at=world.clock.now(), as_of=as_of
        )
        await states.write(gone, trip, world)
        return Ending(kind=EndingKind.GONE, detail=error.text)
    return _given_back(error, backoff.jitter(LEASE_JITTER))


async def _failed(state: CoverageState, error: ScanhubError, trip: Trip, world: World) -> Ending:
    """The last word on this message: keep what the scanner said, set the state, tell somebody, park."""
    summary = await _store_failure(error, trip, world)
    if summary is not None and trip.function is not None:
        world.metrics.emit(**scan_figures(trip.function, summary, exit_code=error.exit_code))
    await _cover(state, error.text, trip, world)
    if trip.function is not None:
        try:
            await world.notifier.notify(
                Notification(kind=NotificationKind.FAILED, function=trip.function, reason=error.text, summary=summary)
            )
        except ScanhubError as untold:
            # The dead-letter queue and the metric tell too; a topic that fails must not have it scanned for ever.
            log.warning("nobody was told of a failed scan", reason=untold.text)
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
        reasons=(tries.word(error),),
        detail=_with_detail(error),
        exit_code=int(error.exit_code) if error.exit_code.isdecimal() else None,
        started_at=trip.message.received_at,
        finished_at=now,
    )


async def _cover(state: CoverageState, reason: str, trip: Trip, world: World) -> None:
    if trip.function is None or trip.summary is not None:
        return
    if state is CoverageState.PENDING and trip.snapshot is None and await world.ledger.coverage(trip.function):
        return  # nothing new is known of the function: what is written of it stays true
    if trip.snapshot is not None:
        await states.of_snapshot(trip.snapshot, state, reason, trip, world)
    else:
        seen = Coverage(function=trip.function, state=state, reason=reason, at=world.clock.now())
        await states.write(seen, trip, world)


def _again(trip: Trip, error: ScanhubError) -> Ending:
    return _given_back(error, backoff.after_failure(trip.message.receive_count))


def _given_back(error: ScanhubError, delay: timedelta) -> Ending:
    return Ending(kind=EndingKind.GIVEN_BACK, reason=tries.word(error), detail=error.text, delay=delay)


def _parked(error: ScanhubError, *, reason: str = "") -> Ending:
    return Ending(kind=EndingKind.PARKED, reason=reason or tries.word(error), detail=_with_detail(error))


def _with_detail(error: ScanhubError) -> str:
    return f"{error.text}\n{error.detail}" if error.detail else error.text
