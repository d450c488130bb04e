"""One scan, from the session it is given to the certainty of what it has read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from hub.scanned import Scanned
from hub.scans import ScanStatus
from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import AccountPaused, CodeChanged, Gone, NoAccess, Retry, Throttled
from spoke.snapshot import FunctionSnapshot
from worker import tries
from worker.trip import Trip
from worker.world import World

log = structlog.get_logger()

LOOKS = 4
"""Tries to see what became of the function, 5, 10 and 20 s apart: there is a whole scan to lose, and an account that
throttled is paused for ten seconds at first."""


@asynccontextmanager
async def scanned(trip: Trip, snapshot: FunctionSnapshot, world: World) -> AsyncIterator[Scanned]:
    """Scan the function, and see that it still runs what was described before; the files live within the context.

    Raises:
        ScanhubError: As `worker.ports.Scanner.scan` and `Spoke.scan_credentials`.
        CodeChanged: The code was changed meanwhile.
        Gone: The function was deleted meanwhile; the trip then has no snapshot any more.
    """
    async with world.guardian.scanning():
        # The scanner's own session starts here, so that a long scan has the whole hour of it.
        credentials = await world.accounts.scan_credentials(snapshot)
        async with _run(snapshot, credentials, world) as ended:
            world.circuit.passed(turn=trip.turn)
            yield await _verified(ended, trip, snapshot, world)


@asynccontextmanager
async def _run(snapshot: FunctionSnapshot, credentials: SessionCredentials, world: World) -> AsyncIterator[Scanned]:
    begun, ended = world.clock.now(), False
    try:
        async with world.scanner.scan(snapshot, credentials) as result:
            ended = True
            yield result
    except Throttled as error:
        if not ended:
            # The scanner's own calls to the account; what is raised later comes from the hub.
            world.accounts.refused(snapshot.arn.account, error, asked_at=begun)
        raise


async def _verified(ended: Scanned, trip: Trip, snapshot: FunctionSnapshot, world: World) -> Scanned:
    """The scanner reads the code by the function's name, some time after it was described: was it the same code?

    Where that cannot be told, the result is stored all the same, but never as a whole one.
    """
    try:
        now = await _described(snapshot.arn, world)
    except Gone:
        trip.snapshot = None
        raise
    except (AccountPaused, NoAccess, Retry) as error:
        log.warning("not known whether the code was changed meanwhile", reason=error.text)
        return _doubtful(ended, "code_not_verified")
    # The same code as before is not enough: another may have stood there for the moment in which it was read.
    if (now.fingerprint, now.last_modified) == (snapshot.fingerprint, snapshot.last_modified):
        return ended
    changed = CodeChanged("the function was changed while it was scanned")
    if await tries.note(changed, trip, world):
        # It is deployed more often than it can be scanned. The event of the newest deployment brings the rest.
        return _doubtful(ended, "code_changed")
    raise changed


@retry(
    retry=retry_if_exception_type((AccountPaused, Retry)),
    stop=stop_after_attempt(LOOKS),
    wait=wait_exponential(multiplier=5),
    reraise=True,
)
async def _described(function: FunctionArn, world: World) -> FunctionSnapshot:
    return await world.accounts.describe(function)


def _doubtful(ended: Scanned, reason: str) -> Scanned:
    status = ScanStatus.FAILED if ended.status is ScanStatus.FAILED else ScanStatus.PARTIAL
    return replace(ended, status=status, reasons=(*ended.reasons, reason), report_owed=True)
