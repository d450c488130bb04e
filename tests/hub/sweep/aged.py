"""Results that do not count any more, and what is said of them."""

from datetime import timedelta

from hub.coverage import Coverage, CoverageState
from spoke.arn import FunctionArn
from tests.hub.sweep.rig import ACCOUNT, Rig, covered, function, snapshot
from worker.memory.clock import START

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")
ELSEWHERE = function("exports", region="us-east-1")
DAY = timedelta(days=1)
REFUSED = f"the sweep could not list it: assuming the role scanhub-spoke in account {ACCOUNT}: AccessDenied"


def old(arn: FunctionArn, **changes: object) -> Coverage:
    """A result that was good until yesterday."""
    return covered(snapshot(arn), fresh_until=START - DAY, **changes)  # type: ignore[arg-type]  # handed through


async def reason(rig: Rig, arn: FunctionArn) -> str:
    """Of a result that does not count any more."""
    known = await rig.coverage(arn)
    assert known.state is CoverageState.STALE, known
    return known.reason
