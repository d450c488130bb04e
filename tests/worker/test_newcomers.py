import asyncio
from datetime import datetime

import pytest
import structlog
from structlog.testing import capture_logs

from spoke.errors import Unavailable
from tests.virtual_time import run
from tests.worker.hooks import failing, slow
from tests.worker.worlds import ACCOUNT, TestWorld, event, function, in_world, request, travel
from worker.last_words import LAST_WORDS
from worker.memory.clock import START
from worker.newcomers import PATIENCE
from worker.trip import EndingKind


async def known(world: TestWorld) -> dict[str, datetime]:
    await world.world.newcomers.settled()
    return {one.account: one.first_seen_at async for one in world.register.accounts()}


@in_world()
async def test_the_first_event_of_an_account_makes_it_known(world: TestWorld) -> None:
    await travel(world, event())
    assert await known(world) == {ACCOUNT: START}


@in_world(exclude_functions="pay*")
async def test_so_does_one_that_asks_for_nothing(world: TestWorld) -> None:
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.EXCLUDED
    assert await known(world) == {ACCOUNT: START}


@in_world()
async def test_and_a_request_of_our_own(world: TestWorld) -> None:
    await travel(world, request())
    assert await known(world) == {ACCOUNT: START}


@pytest.mark.parametrize("body", [event(account="666666666666"), "{not json"], ids=["mismatch", "malformed"])
def test_what_cannot_be_trusted_makes_nobody_known(body: str) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        await travel(world, body)
        assert await known(world) == {}

    main()


@in_world()
async def test_each_account_is_written_once_and_one_after_the_other(world: TestWorld) -> None:
    written, under_way, most = 0, 0, 0

    async def on_call(operation: str, *, after: bool) -> None:
        nonlocal written, under_way, most
        under_way += -1 if after else operation == "know_account"
        most, written = max(most, under_way), written + after
        await asyncio.sleep(0.01)

    world.register.on_call = on_call
    for number in range(300):
        world.world.newcomers.met(f"2100000{number % 100:05d}")
    await asyncio.sleep(10)
    for number in range(100):
        world.world.newcomers.met(f"2100000{number:05d}")
    await asyncio.sleep(10)
    assert (most, written) == (1, 100)


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_failed_write_costs_a_line_in_the_log_and_is_tried_at_the_next_message(after: bool) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        world.register.on_call = failing("know_account", Unavailable("DynamoDB does not answer"), after=after)
        with capture_logs() as logged:
            ending, _ = await travel(world, event())
        assert ending.kind is EndingKind.STORED
        [line] = [one for one in logged if one["event"] == "account not noted"]
        assert (line["log_level"], line["account"], line["reason"]) == (
            "warning",
            ACCOUNT,
            "DynamoDB does not answer",
        )
        world.register.on_call = None
        await travel(world, event(), number=2)
        assert list(await known(world)) == [ACCOUNT]

    main()


@in_world()
async def test_a_write_that_hangs_keeps_no_journey_and_no_other_account_for_ever(world: TestWorld) -> None:
    world.register.on_call = slow("know_account", 10**6)
    loop = asyncio.get_running_loop()
    ending, _ = await travel(world, event())
    assert (ending.kind, loop.time() < PATIENCE * 4) == (EndingKind.STORED, True)
    world.world.newcomers.met("210000000002")
    world.world.newcomers.met("210000000003")
    await asyncio.sleep(PATIENCE / 2)
    world.register.on_call = None
    await asyncio.sleep(PATIENCE)
    assert list(await known(world)) == ["210000000003"]


@in_world()
async def test_its_lines_in_the_log_are_not_those_of_the_journey_that_came_first(world: TestWorld) -> None:
    structlog.contextvars.bind_contextvars(message_id="of-the-first-journey")
    bound: list[object] = []

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "know_account" and after:
            bound.append(structlog.contextvars.get_contextvars())

    world.register.on_call = on_call
    world.world.newcomers.met(ACCOUNT)
    await known(world)
    assert bound == [{}]
    structlog.contextvars.clear_contextvars()


def test_a_worker_that_ends_waits_two_seconds_for_it_at_the_most() -> None:
    async def main() -> None:
        world = TestWorld()
        world.register.on_call = slow("know_account", 5)
        await world.changes.send(event(function(account="210000000009")), group="210000000009")
        loop = asyncio.get_running_loop()
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.GONE: 1}
        assert loop.time() == pytest.approx(LAST_WORDS, abs=1.5)

    run(main())
