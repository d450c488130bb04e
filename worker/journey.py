"""The journey of one message, from its body to its result."""

import asyncio
import contextlib
from datetime import timedelta

import structlog

from hub import exclusion
from hub.coverage import Coverage, CoverageState
from hub.message import Message
from hub.scans import Claim, Claimed, Fresh, Held, ScanKey, ScanRecord, ScanSummary, new_scan_id
from spoke.changes import Change, Ignored
from spoke.envelope import Malformed
from spoke.errors import Gone, LeaseHeld, ScanhubError, WorkerDied
from spoke.events import read
from spoke.functions import readiness
from spoke.snapshot import FunctionSnapshot
from worker import effects, leases, scanning, states, tries
from worker.failures import circuit_open, ending_after
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.world import World

log = structlog.get_logger()

LATE_CLAIM = 5.0
"""Seconds that a cancelled journey waits for the answer to its claim."""


async def journey(trip: Trip, world: World) -> Ending:
    """Carry one message from its body to its result; says how it ended, and with it what becomes of the message.

    The message itself is not touched here: it is deleted, parked or given back by the caller, after this has ended.

    Raises:
        asyncio.CancelledError: The worker stops, or the message was lost. The scan was ended, the lease given up.
    """
    try:
        change = read(trip.message.body)
        if not isinstance(change, Change):
            return _unfit(change)
        trip.change = change
        _bind(change)
        refusal = _guard(change)
        if refusal is not None:
            return refusal
        world.lookout.saw(change, trip.message)
        world.newcomers.met(change.account)
        refusal = await _excluded(change, trip, world)
        if refusal is not None:
            return refusal

        _move(trip, Stage.LOOK_UP, world)
        if await _known(change, trip, world):
            return Ending(kind=EndingKind.COVERED, reason="fresh")

        _move(trip, Stage.WAIT, world)
        world.accounts.admit(change.function.account)
        async with world.places.taken(change.function.account, trip.message.source):
            return circuit_open(world) if world.circuit.is_open else await _visit(trip, change, world)
    except Exception as error:  # noqa: BLE001  # the one place where every failure is turned into an ending
        return await ending_after(error, trip, world)


async def _visit(trip: Trip, change: Change, world: World) -> Ending:
    """What needs the function itself: to describe it, and to scan it if nobody has."""
    _move(trip, Stage.DESCRIBE, world)
    snapshot = trip.snapshot = await world.accounts.describe(change.function)
    why = exclusion.by_tag(await _tagged(snapshot, world), world.settings)
    if why is not None:
        await states.of_snapshot(snapshot, CoverageState.EXCLUDED, why, trip, world)
        return Ending(kind=EndingKind.EXCLUDED, reason="tag", detail=why)
    readiness(snapshot)

    _move(trip, Stage.CLAIM, world)
    key = ScanKey(change.function, snapshot.fingerprint, world.scanner.profile.id)
    claim = await _claim(key, change, trip.message, world)
    if isinstance(claim, Fresh):
        return await _resume(trip, claim.record, snapshot, world)
    if isinstance(claim, Held):
        return _coalesced(claim, trip.message)

    summary = await _scan(trip, claim, snapshot, world)

    _move(trip, Stage.EFFECTS, world)
    await effects.perform(effects.owed_by(summary, world.settings), key, summary, trip, world)
    return Ending(kind=EndingKind.STORED, reason=summary.status.value)


async def _tagged(snapshot: FunctionSnapshot, world: World) -> FunctionSnapshot:
    """The one whose tags count: tags are put on functions, and hold for each published version too."""
    if snapshot.arn.is_version and not snapshot.tags:
        return await world.accounts.describe(snapshot.arn.unqualified)
    return snapshot


def _bind(change: Change) -> None:
    structlog.contextvars.bind_contextvars(
        account=change.function.account, region=change.function.region, function=change.function.name
    )


def _move(trip: Trip, stage: Stage, world: World) -> None:
    trip.stage = stage
    world.observer.moved(trip)


def _guard(change: Change) -> Ending | None:
    """The envelope is AWS's word for where an event comes from; the body is only what it says."""
    if change.account != change.function.account:
        detail = f"the event of account {change.account} names a function of account {change.function.account}"
        return Ending(kind=EndingKind.PARKED, reason="account_mismatch", detail=detail)
    if change.region != change.function.region:
        detail = f"the event of region {change.region} names a function of region {change.function.region}"
        return Ending(kind=EndingKind.PARKED, reason="region_mismatch", detail=detail)
    return None


def _unfit(reading: Ignored | Malformed) -> Ending:
    kind = EndingKind.PARKED if isinstance(reading, Malformed) else EndingKind.IGNORED
    return Ending(kind=kind, reason=reading.reason.value, detail=reading.detail)


def _coalesced(held: Held, message: Message) -> Ending:
    """Another message scans the same content and stays in the queue until its result is durable.

    Raises:
        LeaseHeld: It is an earlier delivery of this very message. To delete it now would lose the event.
    """
    if held.message_id == message.id:
        raise LeaseHeld("an earlier delivery of this message still holds the lease", until=held.until)
    return Ending(kind=EndingKind.COALESCED, reason="held", detail=f"message {held.message_id} scans it")


async def _excluded(change: Change, trip: Trip, world: World) -> Ending | None:
    """Whether it is to be left alone for what it is called or where it is, which nobody need be asked for."""
    for word, rule in (("account", exclusion.by_account), ("name", exclusion.by_name)):
        why = rule(change.function, world.settings)
        if why is not None:
            now = world.clock.now()
            coverage = Coverage(function=change.function, state=CoverageState.EXCLUDED, reason=why, at=now)
            await states.write(coverage, trip, world)
            return Ending(kind=EndingKind.EXCLUDED, reason=word, detail=why)
    return None


async def _known(change: Change, trip: Trip, world: World) -> bool:
    """Whether the fingerprint in the event has a fresh result that owes nothing and is what the coverage speaks of."""
    if change.fingerprint is None or change.force:
        return False
    record = await world.lookups.ask(ScanKey(change.function, change.fingerprint, world.scanner.profile.id))
    if record is None or not record.is_fresh(world.clock.now()):
        return False
    is_own = record.committed_by == trip.message.id
    if record.coverage_fingerprint != change.fingerprint or (record.owed and is_own):
        return False
    _note_own_result(record, trip)
    return True


def _note_own_result(record: ScanRecord, trip: Trip) -> None:
    """An earlier delivery has scanned it, and did not live to the message's end: that is when it was scanned."""
    if record.summary is not None and record.committed_by == trip.message.id:
        trip.stored_at = record.summary.completed_at


async def _claim(key: ScanKey, change: Change, message: Message, world: World) -> Claim:
    if change.force:
        record = await world.lookups.ask(key)
        if record is not None and record.summary is not None and record.committed_by == message.id:
            # An earlier delivery of this very request has committed its scan: what is forced is not forced twice.
            return Fresh(record)
    asked = asyncio.ensure_future(
        world.ledger.claim(
            key, message_id=message.id, now=world.clock.now(), duration=_lease_duration(world), force=change.force
        )
    )
    try:
        return await asyncio.shield(asked)
    except asyncio.CancelledError:
        # The answer may be on its way, and a lease that nobody knows of would keep the next try waiting.
        await _given_up(asked, world)
        raise


async def _given_up(asked: asyncio.Future[Claim], world: World) -> None:
    try:
        async with asyncio.timeout(LATE_CLAIM):
            claim = await asked
    except (ScanhubError, TimeoutError):
        return
    if isinstance(claim, Claimed):
        await leases.released(claim.lease, world.ledger)


async def _resume(trip: Trip, record: ScanRecord, snapshot: FunctionSnapshot, world: World) -> Ending:
    """There is a result. If it is this message's own, an earlier try ended after the commit."""
    summary = record.summary
    if summary is None:
        raise AssertionError("a fresh record has a summary")
    await states.write(states.of_result(snapshot, summary, world.clock.now()), trip, world)
    _note_own_result(record, trip)
    if not record.owed or record.committed_by != trip.message.id:
        return Ending(kind=EndingKind.COVERED, reason="fresh")
    trip.summary = summary
    _move(trip, Stage.EFFECTS, world)
    await effects.perform(record.owed, record.key, summary, trip, world)
    return Ending(kind=EndingKind.STORED, reason=summary.status.value)


async def _scan(trip: Trip, claim: Claimed, snapshot: FunctionSnapshot, world: World) -> ScanSummary:
    """Scan, store, commit: all under one lease."""
    lease = claim.lease
    scan_id = trip.scan_id = new_scan_id(world.clock.now())
    structlog.contextvars.bind_contextvars(scan_id=scan_id)
    try:
        await _heed_the_dead(claim, trip, world)
        _move(trip, Stage.SCAN, world)
        await states.of_snapshot(snapshot, CoverageState.SCANNING, f"scan {scan_id}", trip, world)
        async with (
            leases.kept(lease, world.ledger, world.clock, _lease_duration(world)),
            scanning.scanned(trip, snapshot, world) as scanned,
        ):
            trip.scan_duration, trip.exit_code = scanned.finished_at - scanned.started_at, str(scanned.exit_code)
            _move(trip, Stage.STORE, world)
            summary = await world.results.store(
                snapshot=snapshot,
                profile=world.scanner.profile,
                scan_id=scan_id,
                scanned=scanned,
                ttl=timedelta(days=world.settings.cache_ttl_days),
            )
        coverage = states.of_result(snapshot, summary, world.clock.now())
        _move(trip, Stage.COMMIT, world)
        is_set = await world.ledger.commit(lease, summary, coverage, owed=effects.owed_by(summary, world.settings))
    except BaseException:
        # Also when cancelled: the next try must not wait for the lease to end by itself.
        await asyncio.shield(leases.released(lease, world.ledger))
        raise
    trip.summary, trip.stored_at = summary, world.clock.now()
    trip.state = coverage.state if is_set else None
    if not is_set:
        await _catch_up(snapshot, summary, trip, world)
    return summary


async def _catch_up(snapshot: FunctionSnapshot, summary: ScanSummary, trip: Trip, world: World) -> None:
    """Something newer is known of the function. If that speaks of the same code, its result is this one.

    Whoever wrote it may have joined this scan since, and nobody else would come to say so.
    """
    with contextlib.suppress(Gone):
        now = await world.accounts.describe(snapshot.arn)
        if now.fingerprint == snapshot.fingerprint:
            await states.write(states.of_result(now, summary, world.clock.now()), trip, world)


async def _heed_the_dead(claim: Claimed, trip: Trip, world: World) -> None:
    """A function that takes its worker down with it (memory) must not do so for ever.

    Raises:
        WorkerDied: That was the last try.
    """
    if claim.abandoned_by is None:
        return
    # Whichever message it was for: two messages of one such function would else take turns for ever.
    error = WorkerDied("the worker that scanned this function before did not live to the scan's end")
    if await tries.note(error, trip, world):
        raise error


def _lease_duration(world: World) -> timedelta:
    return timedelta(seconds=world.settings.lease_duration)
