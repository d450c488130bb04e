"""Scans that somebody asks for: which functions, the requests, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from hub.coverage import CoverageState
from hub.coverage_report import NOT_TO_COVER
from hub.standing import CoverageRow, Standing
from spoke.arn import FunctionArn
from spoke.clock import Clock
from spoke.own_requests import RequestReason, scan_request

LOOK_SECONDS = 2.0
"""Between two looks at what is waited for; a hundred functions are one read."""

AT_ONCE = 500
"""Requests handed to the queue in one go: fifty calls at the same time."""

UNSETTLED = frozenset({CoverageState.PENDING, CoverageState.SCANNING, CoverageState.STALE})
"""States that change by themselves while the service works. `STALE` does so also where no sweep has queued it: whoever
waits has asked for the function, and the worker that takes the request writes a result, or why there is none."""


class Standings(Protocol):
    """Of the ledger, what is read here; see `hub.sweep.ports.SweepLedger`."""

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        """What is known of these functions, read consistently."""
        ...

    def rows(self, account: str, *, region: str | None = None) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region)."""
        ...


class Requests(Protocol):
    """Where requests go; see `hub.sweep.ports.SweepQueue`."""

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Put (body, group) pairs into the queue; returns those that were not taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How far those are that were asked for.

    Attributes:
        asked: All of them.
        settled: Of them, those in a state that was written since, and that does not change by itself.
        states: Of the settled ones.
    """

    asked: int
    settled: int
    states: Mapping[CoverageState, int] = field(default_factory=dict)


async def of_account(ledger: Standings, account: str, regions: Collection[str] = ()) -> list[FunctionArn]:
    """The functions that the ledger knows of an account, without those that are gone or excluded; sorted.

    What no event and no sweep has shown yet is not among them.
    """
    found = [row async for page in ledger.rows(account) for row in page if row.state not in NOT_TO_COVER]
    return sorted(row.function for row in found if not regions or row.function.region in regions)


async def ask(functions: Sequence[FunctionArn], queue: Requests, *, force: bool) -> list[FunctionArn]:
    """Ask for a scan of each.

    Returns:
        Those whose request the queue did not take.

    Raises:
        Throttled, Unavailable, Misconfigured: The queue cannot be used; what went before is asked for.
    """
    left = []
    for start in range(0, len(functions), AT_ONCE):
        bodies = {
            (scan_request(function, reason=RequestReason.MANUAL, force=force), function.account): function
            for function in functions[start : start + AT_ONCE]
        }
        left += [bodies[one] for one in await queue.send_all(list(bodies))]
    return left


async def settled(
    functions: Collection[FunctionArn],
    before: Mapping[FunctionArn, Standing],
    ledger: Standings,
    clock: Clock,
    *,
    patience: timedelta,
    told: Callable[[Waiting], None],
) -> Mapping[FunctionArn, Standing]:
    """Wait until each has a state that was written since and stays.

    Args:
        functions: That were asked for.
        before: What was known of them before that.
        ledger: Where it is looked up.
        clock: Tells when the patience ends.
        patience: After which those that are not settled are left out.
        told: With each look.

    Returns:
        Those that are settled.
    """
    found: dict[FunctionArn, Standing] = {}
    end = clock.now() + patience
    while True:
        left = [function for function in functions if function not in found]
        now = await ledger.standings(left) if left else {}
        found |= {one: standing for one, standing in now.items() if _is_settled(standing, before.get(one))}
        states = Counter(standing.state for standing in found.values())
        told(Waiting(asked=len(functions), settled=len(found), states=states))
        if len(found) == len(functions) or clock.now() >= end:
            return found
        await asyncio.sleep(LOOK_SECONDS)


def _is_settled(now: Standing, before: Standing | None) -> bool:
    is_news = before is None or (now.state, now.at) != (before.state, before.at)
    return is_news and now.state not in UNSETTLED
