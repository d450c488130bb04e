import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from hub.scan_requests import LOOK_SECONDS, Waiting, ask, of_account, settled
from spoke.arn import FunctionArn
from spoke.changes import Change
from spoke.events import read
from tests.ledger_samples import CHECKOUT, HOUR, NOW, REFUNDS
from tests.virtual_time import run
from worker.memory.clock import LoopClock
from worker.memory.ledger import MemoryLedger

ORDERS = replace(CHECKOUT, name="orders")


class Queue:
    """Takes what it is given, but for what it refuses."""

    def __init__(self, *refused: FunctionArn) -> None:
        self.refused = {str(one) for one in refused}
        self.calls: list[Sequence[tuple[str, str]]] = []

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        self.calls.append(requests)
        return [one for one in requests if json.loads(one[0])["detail"]["functionArn"] in self.refused]


def state(function: FunctionArn, state: CoverageState, minutes: int = 0) -> Coverage:
    return Coverage(function=function, state=state, at=NOW + timedelta(minutes=minutes), as_of=NOW)


async def test_each_function_is_asked_for_by_a_request_that_the_worker_reads() -> None:
    queue = Queue()
    version = replace(REFUNDS, qualifier="7")
    assert await ask([CHECKOUT, version], queue, force=True) == []
    [requests] = queue.calls
    changes = [read(body) for body, _ in requests]
    assert [(one.function, one.reason, one.force) for one in changes if isinstance(one, Change)] == [
        (CHECKOUT, "manual", True),
        (version, "manual", True),
    ]
    assert [group for _, group in requests] == [CHECKOUT.account, REFUNDS.account]


async def test_what_the_queue_refuses_is_told() -> None:
    assert await ask([CHECKOUT, ORDERS, REFUNDS], Queue(ORDERS), force=False) == [ORDERS]


async def test_thousands_go_in_turns() -> None:
    queue = Queue()
    await ask([replace(CHECKOUT, name=f"f{number}") for number in range(1201)], queue, force=False)
    assert [len(call) for call in queue.calls] == [500, 500, 201]


async def test_an_account_is_what_the_ledger_knows_and_is_to_be_covered() -> None:
    ledger = MemoryLedger()
    await ledger.record(state(ORDERS, CoverageState.FAILED))
    await ledger.record(state(CHECKOUT, CoverageState.COVERED))
    await ledger.record(state(replace(CHECKOUT, name="old"), CoverageState.GONE))
    await ledger.record(state(replace(CHECKOUT, name="legacy"), CoverageState.EXCLUDED))
    await ledger.record(state(replace(CHECKOUT, region="us-east-1"), CoverageState.STALE))
    await ledger.record(state(REFUNDS, CoverageState.COVERED))
    assert await of_account(ledger, CHECKOUT.account) == [CHECKOUT, ORDERS, replace(CHECKOUT, region="us-east-1")]
    assert await of_account(ledger, CHECKOUT.account, ["us-east-1"]) == [replace(CHECKOUT, region="us-east-1")]


@pytest.mark.parametrize("first", [CoverageState.SCANNING, CoverageState.PENDING, CoverageState.STALE])
def test_a_function_is_settled_by_a_state_that_is_news_and_stays(first: CoverageState) -> None:
    looks: list[Waiting] = []

    async def main() -> None:
        clock, ledger = LoopClock(NOW), MemoryLedger()
        await ledger.record(state(CHECKOUT, CoverageState.COVERED))
        before = await ledger.standings([CHECKOUT, ORDERS])

        async def worker() -> None:
            for coverage in (
                state(CHECKOUT, first, 1),
                state(CHECKOUT, CoverageState.COVERED, 2),
                state(ORDERS, CoverageState.FAILED, 3),
            ):
                await asyncio.sleep(LOOK_SECONDS)
                await ledger.record(replace(coverage, as_of=coverage.at))

        working = asyncio.ensure_future(worker())
        found = await settled([CHECKOUT, ORDERS], before, ledger, clock, patience=HOUR, told=looks.append)
        await working
        assert {one: standing.state for one, standing in found.items()} == {
            CHECKOUT: CoverageState.COVERED,
            ORDERS: CoverageState.FAILED,
        }
        assert clock.now() - NOW == timedelta(seconds=3 * LOOK_SECONDS)

    run(main())
    assert [look.settled for look in looks] == [0, 0, 1, 2]
    assert looks[-1].states == {CoverageState.COVERED: 1, CoverageState.FAILED: 1}


def test_patience_has_an_end_and_tells_who_is_settled() -> None:
    async def main() -> None:
        clock, ledger = LoopClock(NOW), MemoryLedger()
        await ledger.record(state(CHECKOUT, CoverageState.COVERED))
        found = await settled([CHECKOUT, ORDERS], {}, ledger, clock, patience=timedelta(minutes=1), told=lambda _: None)
        assert set(found) == {CHECKOUT}
        assert clock.now() - NOW == timedelta(minutes=1)

    run(main())
