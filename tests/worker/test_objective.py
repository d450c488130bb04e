import asyncio
from datetime import date, timedelta

import pytest
from structlog.testing import capture_logs

from hub.service_notes import ObjectiveDay
from spoke.errors import Misconfigured, ScannerCrashed, Unavailable
from tests.virtual_time import run
from tests.worker.hooks import failing, slow
from tests.worker.worlds import ACCOUNT, NEWER_CODE, TestWorld, event, fill, function, request, running, snapshot
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import EndingKind

SECOND = timedelta(seconds=1)
CRASH = Script(error=ScannerCrashed("the scanner failed: exit 1"))


async def days(world: TestWorld) -> list[ObjectiveDay]:
    return [one async for one in world.register.objective()]


def with_function(**changes: object) -> TestWorld:
    world = TestWorld(**changes)
    world.spoke.put(snapshot())
    return world


async def worked_off(world: TestWorld, *bodies: str) -> None:
    for body in bodies:
        await world.changes.send(body, group=ACCOUNT)
    await world.service().run(drain=True)


def test_a_change_counts_with_the_time_from_the_event_to_the_stored_result() -> None:
    async def main() -> None:
        world = with_function(change_target=900)
        await worked_off(world, event(at=START - 50 * SECOND))
        [day] = await days(world)
        assert (day.day, day.target, day.changes, day.within, day.failed) == (date(2026, 1, 1), 900, 1, 1, 0)
        # Fifty seconds on the way here, thirty of scan.
        assert day.slowest == pytest.approx(80, abs=1)

    run(main())


@pytest.mark.parametrize(("age", "within"), [(69, 1), (71, 0)])
def test_the_target_divides_the_fast_from_the_slow(age: int, within: int) -> None:
    async def main() -> None:
        world = with_function(change_target=100)
        await worked_off(world, event(at=START - age * SECOND))
        [day] = await days(world)
        assert (day.changes, day.within) == (1, within)

    run(main())


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request().replace('"detail-type"', '"time": "2025-12-31T08:00:00Z", "detail-type"'),
        event().replace('"id"', '"replay-name": "after-the-outage", "id"', 1),
        event(name="TagResource20170331v2"),
        event(function("no-such-function")),
        "{not json",
    ],
    ids=["request", "request with a time", "replayed", "ignored", "gone", "malformed"],
)
def test_what_is_no_change_of_a_function_that_is_there_does_not_count(body: str) -> None:
    async def main() -> None:
        world = with_function()
        await worked_off(world, body)
        assert await days(world) == []

    run(main())


def test_an_excluded_change_does_not_count() -> None:
    async def main() -> None:
        world = with_function(exclude_functions="pay*")
        await worked_off(world, event())
        assert await days(world) == []

    run(main())


def test_a_change_that_another_messages_scan_covers_does_not_count() -> None:
    async def main() -> None:
        world = with_function()
        await worked_off(world, event())
        await worked_off(world, event())
        [day] = await days(world)
        assert day.changes == 1

    run(main())


def test_a_change_that_is_given_up_counts_as_failed() -> None:
    async def main() -> None:
        world = with_function(max_attempts=1)
        world.scanner.script(function(), CRASH)
        await worked_off(world, event())
        [day] = await days(world)
        assert (day.changes, day.within, day.failed, day.slowest) == (1, 0, 1, 0)
        assert len(world.changes.parked) == 1

    run(main())


def test_a_change_that_is_retried_counts_once_when_it_has_ended() -> None:
    async def main() -> None:
        world = with_function()
        world.scanner.script(function(), CRASH)
        await worked_off(world, event())
        assert await days(world) == [], "given back: not settled"
        await asyncio.sleep(3600)
        await world.service().run(drain=True)
        [day] = await days(world)
        assert (day.changes, day.within) == (1, 0), "an hour late"
        assert day.slowest > 3600

    run(main())


def test_a_result_whose_notification_is_given_up_was_scanned_in_time() -> None:
    async def main() -> None:
        world = with_function(max_attempts=1)
        world.notifier.on_call = failing("notify", Misconfigured("the role may not publish"))
        await world.changes.send(event(), group=ACCOUNT)
        while world.changes.messages:
            await world.service().run(drain=True)
            await asyncio.sleep(3600)
        assert [parking.reason for _, parking in world.changes.parked] == ["effects_owed"]
        [day] = await days(world)
        assert (day.changes, day.within, day.failed) == (1, 1, 0)

    run(main())


def test_a_change_whose_worker_died_after_the_commit_counts_by_the_time_of_its_scan() -> None:
    """Its message was not deleted; the next worker finds everything done."""

    async def main() -> None:
        world = with_function()
        world.changes.on_call = failing("delete", Unavailable("SQS does not answer"))
        await worked_off(world, event())
        assert await days(world) == []
        await asyncio.sleep(3600)
        world.changes.on_call = None
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.COVERED: 1}
        [day] = await days(world)
        assert (day.changes, day.within) == (1, 1)
        assert day.slowest == pytest.approx(30, abs=1)

    run(main())


def test_so_it_does_where_the_event_tells_no_fingerprint() -> None:
    async def main() -> None:
        world = with_function()
        body = event(code=None)
        world.changes.on_call = failing("delete", Unavailable("SQS does not answer"))
        await worked_off(world, body)
        await asyncio.sleep(3600)
        world.changes.on_call = None
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.COVERED: 1}
        [day] = await days(world)
        assert (day.changes, day.within) == (1, 1)

    run(main())


def test_a_message_that_was_not_deleted_counts_when_it_is() -> None:
    async def main() -> None:
        world = with_function()
        refused: list[object] = []
        delete = world.changes.delete

        async def deletes_nothing(messages: object) -> object:
            refused.append(messages)
            return messages

        world.changes.delete = deletes_nothing  # type: ignore[method-assign,assignment]  # as SQS may answer
        await worked_off(world, event())
        assert (len(refused), await days(world)) == (1, [])
        world.changes.delete = delete  # type: ignore[method-assign]  # as it was
        await asyncio.sleep(3600)
        await world.service().run(drain=True)
        assert [one.changes for one in await days(world)] == [1]

    run(main())


def test_a_message_that_sqs_delivers_again_after_its_end_counts_once() -> None:
    async def main() -> None:
        world = with_function()
        async with running(world.service()):
            await world.changes.send(event(), group=ACCOUNT)
            await asyncio.sleep(120)
            [message_id] = world.changes.deleted
            world.changes.deliver_deleted(message_id)
            await asyncio.sleep(120)
            assert world.endings() == [("stored", "success"), ("covered", "fresh")]
            assert [one.changes for one in await days(world)] == [1]

    run(main())


@pytest.mark.parametrize(
    ("seconds", "is_extended", "is_answer", "changes"),
    [(100, False, True, 1), (130, False, True, 0), (130, True, False, 1), (100, True, True, 1)],
    ids=["before others may receive it", "after that", "extended meanwhile", "gone when it was to be extended"],
)
def test_a_deletion_counts_if_it_is_answered_while_the_message_is_kept(
    seconds: float, is_extended: bool, is_answer: bool, changes: int
) -> None:
    """For so long nobody else can have it: another, who receives it after that, counts it."""

    async def main() -> None:
        world = with_function()
        world.scanner.script(function(), Script(duration=timedelta(seconds=1)))

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "extend" and not is_extended:
                raise Unavailable("SQS does not answer")
            # Received at 0:00, visible to others again at 2:00.
            if operation == "delete" and after is is_answer:
                await asyncio.sleep(seconds)

        world.changes.on_call = on_call
        await worked_off(world, event())
        assert sum(one.changes for one in await days(world)) == changes
        assert [trip.ending.kind for trip in world.watch.trips if trip.ending is not None] == [EndingKind.STORED]

    run(main())


def test_a_change_counts_once_that_another_worker_deletes_before_a_stale_deletion_is_answered() -> None:
    """SQS calls a deletion by a stale receipt handle a success, too."""

    async def main() -> None:
        world = with_function()
        deletions: list[float] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "extend":
                raise Unavailable("SQS does not answer")
            if operation == "delete" and not after:
                deletions.append(asyncio.get_running_loop().time())
                if len(deletions) == 1:
                    await asyncio.sleep(300)

        world.changes.on_call = on_call
        async with running(world.service()):
            await world.changes.send(event(), group=ACCOUNT)
            while not deletions:
                await asyncio.sleep(1)
            async with running(world.service()):
                await asyncio.sleep(400)
        assert world.endings() == [("covered", "fresh"), ("stored", "success")]
        assert len(deletions) == 2
        assert [one.changes for one in await days(world)] == [1]

    run(main())


def test_counts_are_written_once_a_minute_and_at_the_end() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=10, max_scans_per_account=10)
        written: list[float] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "count_changes" and not after:
                written.append(asyncio.get_running_loop().time())

        world.register.on_call = on_call
        async with running(world.service()):
            await fill(world, 100)
            await asyncio.sleep(179)
            assert [round(one) for one in written] == [60, 120]
            before = (await days(world))[0].changes
            assert 0 < before < 100
        ended_at = asyncio.get_running_loop().time()
        assert written[-1] == pytest.approx(ended_at, abs=0.1)
        assert [round(one) for one in written[:-1]] == [60, 120, 180]
        assert (await days(world))[0].changes == _endings(world).count(EndingKind.STORED)

    run(main())


def _endings(world: TestWorld) -> list[EndingKind]:
    return [trip.ending.kind for trip in world.watch.trips if trip.ending is not None]


def test_nothing_is_written_where_nothing_was_counted() -> None:
    async def main() -> None:
        world = TestWorld()
        world.register.on_call = failing("count_changes", AssertionError("there is nothing to count"))
        with capture_logs() as logged:
            async with running(world.service()):
                await asyncio.sleep(600)
        assert not [one for one in logged if "counted" in one["event"]]

    run(main())


def test_a_write_that_fails_costs_a_line_and_goes_with_the_next() -> None:
    async def main() -> None:
        world = with_function()
        async with running(world.service()):
            world.register.on_call = failing("count_changes", Unavailable("DynamoDB does not answer"))
            with capture_logs() as logged:
                await world.changes.send(event(), group=ACCOUNT)
                await asyncio.sleep(130)
            lines = [one for one in logged if one["event"] == "changes not counted yet"]
            assert [(one["changes"], one["reason"]) for one in lines] == [(1, "DynamoDB does not answer")] * 2
            world.register.on_call = None
            world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=world.clock.now()))
            await world.changes.send(event(code=NEWER_CODE, at=world.clock.now()), group=ACCOUNT)
            await asyncio.sleep(60)
            assert [(one.changes, one.within) for one in await days(world)] == [(2, 2)]

    run(main())


def test_each_day_counts_what_was_settled_on_it() -> None:
    async def main() -> None:
        world = with_function()
        async with running(world.service()):
            await asyncio.sleep(86_400 - 40)
            await world.changes.send(event(at=world.clock.now()), group=ACCOUNT)
            await asyncio.sleep(35)
            other = function("refunds")
            world.spoke.put(snapshot(other))
            await world.changes.send(event(other, at=world.clock.now()), group=ACCOUNT)
            await asyncio.sleep(180)
        assert [(one.day, one.changes) for one in await days(world)] == [
            (date(2026, 1, 2), 1),
            (date(2026, 1, 1), 1),
        ]

    run(main())


def test_a_write_that_hangs_does_not_keep_the_worker() -> None:
    async def main() -> None:
        world = with_function()
        world.register.on_call = slow("count_changes", 10**6)
        await world.changes.send(event(), group=ACCOUNT)
        service = world.service()
        tally = await service.run(drain=True)
        assert tally.endings == {EndingKind.STORED: 1}
        assert asyncio.get_running_loop().time() < 40

    run(main())
