"""The coverage that a journey writes, and what it knows afterwards of the state that it has left the function in."""

from datetime import datetime

from hub.coverage import Coverage, CoverageState
from hub.scans import ScanStatus, ScanSummary
from spoke.snapshot import FunctionSnapshot
from worker.trip import Trip
from worker.world import World


async def write(coverage: Coverage, trip: Trip, world: World) -> None:
    """Record it, unless something newer is known of the function.

    Raises:
        Throttled, Unavailable: The ledger does not take it; which state stands there is not known then.
    """
    trip.state = None
    if await world.ledger.record(coverage):
        trip.state = coverage.state


async def of_snapshot(snapshot: FunctionSnapshot, state: CoverageState, reason: str, trip: Trip, world: World) -> None:
    """Record a state without a result."""
    await write(
        Coverage(
            function=snapshot.arn,
            state=state,
            reason=reason,
            at=world.clock.now(),
            as_of=snapshot.last_modified,
            fingerprint=snapshot.fingerprint,
            runtime=snapshot.runtime_name,
        ),
        trip,
        world,
    )


def of_result(snapshot: FunctionSnapshot, summary: ScanSummary, now: datetime) -> Coverage:
    """What a result says of the function's coverage."""
    complete = summary.status is ScanStatus.SUCCESS
    return Coverage(
        function=snapshot.arn,
        state=CoverageState.COVERED if complete else CoverageState.PARTIAL,
        reason=", ".join(summary.reasons),
        at=now,
        as_of=snapshot.last_modified,
        fingerprint=snapshot.fingerprint,
        last_good=summary,
        runtime=snapshot.runtime_name,
    )
