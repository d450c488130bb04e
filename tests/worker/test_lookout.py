import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from hub.ledger_schema import Key
from hub.sightings import Sighting
from spoke.changes import Change
from spoke.errors import Unavailable
from spoke.events import read
from tests.virtual_time import run
from tests.worker.hooks import failing, slow
from tests.worker.worlds import ACCOUNT, REGION, TestWorld, event, fill, function, in_world, message, request, travel
from worker.last_words import LAST_WORDS
from worker.lookout import EVERY
from worker.memory.clock import START
from worker.trip import EndingKind

SECOND = timedelta(seconds=1)
REPLAYED = '"replay-name": "after-the-outage", "id"'


async def seen(world: TestWorld) -> list[Sighting]:
    await world.world.lookout.settled()
    return [one async for one in world.ledger.sightings()]


def look(world: TestWorld, body: str, *, after: timedelta = timedelta(0)) -> None:
    """As a journey does, with a message that was sent so long after the start, and waited for an hour in the queue."""
    change = read(body)
    assert isinstance(change, Change)
    sent_at = START + after
    world.world.lookout.saw(change, replace(message(body), sent_at=sent_at, received_at=sent_at + timedelta(hours=1)))


@in_world()
async def test_an_event_is_noted_with_its_own_time_and_that_of_its_receipt(world: TestWorld) -> None:
    await travel(world, event(at=START - 40 * SECOND))
    assert await seen(world) == [
        Sighting(account=ACCOUNT, region=REGION, event_at=START - 40 * SECOND, received_at=START)
    ]


@in_world()
async def test_each_account_and_region_is_noted_for_itself(world: TestWorld) -> None:
    for account, region in (("210000000002", REGION), (ACCOUNT, "us-east-1"), (ACCOUNT, REGION)):
        look(world, event(function(account=account, region=region)))
    assert [(one.account, one.region) for one in await seen(world)] == [
        (ACCOUNT, REGION),
        (ACCOUNT, "us-east-1"),
        ("210000000002", REGION),
    ]


@in_world()
async def test_it_is_written_at_most_once_an_hour_for_each_account_and_region(world: TestWorld) -> None:
    written: list[str] = []

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "sight" and after:
            written.append(operation)

    world.ledger.on_call = on_call
    for minute in range(0, 180, 7):
        look(world, event(at=START + timedelta(minutes=minute)), after=timedelta(minutes=minute))
        look(world, event(function("refunds"), at=START + timedelta(minutes=minute)), after=timedelta(minutes=minute))
        await asyncio.sleep(7 * 60)
    assert EVERY == 3600
    assert len(written) == 3
    [sighting] = await seen(world)
    # Every seven minutes: the first at or after each full hour since the one before.
    assert sighting.event_at == START + timedelta(minutes=126)


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request().replace('"detail-type"', '"time": "2026-11-20T08:00:00Z", "detail-type"'),
        event().replace('"id"', REPLAYED, 1),
        event(account="666666666666"),
        "{not json",
    ],
    ids=["request", "request with a time", "replayed", "of another account", "malformed"],
)
def test_what_did_not_come_the_whole_way_is_not_noted(body: str) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        await travel(world, body)
        assert await seen(world) == []

    main()


@in_world(exclude_functions="pay*")
async def test_an_excluded_function_is_heard_of_all_the_same(world: TestWorld) -> None:
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.EXCLUDED
    assert len(await seen(world)) == 1


@in_world()
async def test_an_event_from_the_future_hides_nothing_that_comes_after_it(world: TestWorld) -> None:
    look(world, event(at=START + timedelta(days=700)))
    assert [(one.event_at, one.received_at) for one in await seen(world)] == [(START, START)]


@in_world()
async def test_of_events_that_wait_to_be_written_the_newest_is(world: TestWorld) -> None:
    world.ledger.on_call = slow("sight", 5)
    look(world, event(function(account="210000000002")))  # is being written while the others come
    await asyncio.sleep(1)
    for seconds in (10, 30, 20):
        look(world, event(at=START - seconds * SECOND))
    await asyncio.sleep(20)
    assert [(one.account, one.event_at) for one in await seen(world)] == [
        (ACCOUNT, START - 10 * SECOND),
        ("210000000002", START),
    ]


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_failed_write_costs_a_line_in_the_log_and_is_tried_at_the_next_event(after: bool) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        world.ledger.on_call = failing("sight", Unavailable("DynamoDB does not answer"), after=after)
        with capture_logs() as logged:
            ending, _ = await travel(world, event(at=START - SECOND))
        assert ending.kind is EndingKind.STORED
        [line] = [one for one in logged if one["event"] == "sighting not written"]
        assert (line["log_level"], line["account"], line["region"], line["reason"]) == (
            "warning",
            ACCOUNT,
            REGION,
            "DynamoDB does not answer",
        )
        world.ledger.on_call = None
        await travel(world, event(), number=2)
        assert [one.event_at for one in await seen(world)] == [START]

    main()


@in_world()
async def test_a_mistake_of_our_own_costs_no_more(world: TestWorld) -> None:
    world.ledger.on_call = failing("sight", AssertionError("nobody thought of this"))
    with capture_logs() as logged:
        ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    assert [one["reason"] for one in logged if one["event"] == "sighting not written"] == [
        "AssertionError('nobody thought of this')"
    ]


@in_world()
async def test_a_sighting_of_a_newer_version_is_left_alone(world: TestWorld) -> None:
    world.ledger.items[Key("sightings", f"{ACCOUNT}#{REGION}")] = {"schema": 2, "pk": "sightings"}
    with capture_logs() as logged:
        ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    assert "has schema 2" in str([one for one in logged if one["event"] == "sighting not written"])


@in_world()
async def test_no_journey_waits_for_it(world: TestWorld) -> None:
    world.ledger.on_call = slow("sight", 3600)
    await travel(world, event())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    ending, _ = await travel(world, event(), number=2)
    assert ending.kind is EndingKind.COVERED
    assert loop.time() - begun < 1


@in_world()
async def test_a_hundred_accounts_heard_of_at_once_are_written_one_by_one(world: TestWorld) -> None:
    under_way = most = 0

    async def on_call(operation: str, *, after: bool) -> None:
        nonlocal under_way, most
        under_way += -1 if after else operation == "sight"
        most = max(most, under_way)
        await asyncio.sleep(0.01)

    world.ledger.on_call = on_call
    for number in range(100):
        look(world, event(function(account=f"2100000{number:05d}")))
    await asyncio.sleep(10)
    world.ledger.on_call = None
    assert most == 1
    assert len(await seen(world)) == 100


def test_a_worker_that_ends_has_written_what_it_saw() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        ended: list[object] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "sight" and not after:
                while not world.watch.trips:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(1.5)
                ended.extend(world.watch.trips)

        world.ledger.on_call = on_call
        await world.service().run(drain=True)
        world.ledger.on_call = None
        assert ended, "it was written after the last journey"
        assert [one.account async for one in world.ledger.sightings()] == [ACCOUNT]

    run(main())


def test_a_worker_that_ends_waits_two_seconds_for_it_at_the_most() -> None:
    async def main() -> None:
        world = TestWorld()
        look(world, event())
        world.ledger.on_call = slow("sight", 600)
        service = world.service()
        running = asyncio.ensure_future(service.run())
        await asyncio.sleep(5)
        begun = asyncio.get_running_loop().time()
        service.stop()
        await running
        assert asyncio.get_running_loop().time() - begun == pytest.approx(LAST_WORDS, abs=0.5)
        assert [one async for one in world.ledger.sightings()] == []

    run(main())


@in_world()
async def test_its_lines_in_the_log_are_not_those_of_the_journey_that_came_first(world: TestWorld) -> None:
    structlog.contextvars.bind_contextvars(message_id="of-the-first-journey")
    bound: list[object] = []

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "sight" and after:
            bound.append(structlog.contextvars.get_contextvars())

    world.ledger.on_call = on_call
    look(world, event())
    await seen(world)
    assert bound == [{}]
    assert structlog.contextvars.get_contextvars() == {"message_id": "of-the-first-journey"}
    structlog.contextvars.clear_contextvars()
