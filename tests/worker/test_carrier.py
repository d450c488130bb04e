import asyncio
from collections.abc import Sequence
from datetime import timedelta

from hub.message import Message
from spoke.errors import Unavailable
from tests.virtual_time import run
from tests.worker.hooks import slow
from tests.worker.worlds import LONG, TestWorld, event, fill, function, running, scans_running, snapshot
from worker.memory.scanner import RunEnd
from worker.trip import EndingKind, Stage, Trip


def test_a_scan_of_two_hours_keeps_its_message_and_its_lease() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), LONG)
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.STORED: 1}
        assert len(world.scanner.runs) == 1, "it was never received a second time"

    run(main())


def test_a_receive_of_covered_events_is_deleted_by_one_call() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=10)
        await fill(world, 10)
        await world.service().run(drain=True)
        for number in range(10):
            await world.changes.send(event(function(f"function-{number}")), group="210000000001")
        calls: list[str] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if not after:
                calls.append(operation)

        world.changes.on_call = world.ledger.on_call = on_call
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.COVERED: 10}
        assert (calls.count("delete"), calls.count("look_up")) == (1, 1)

    run(main())


def test_a_message_that_was_lost_ends_its_scan_and_is_not_touched_again() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), LONG)
        asked: list[str] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if not after:
                asked.append(operation)

        async with running(world.service()) as service:
            await scans_running(world, 1)

            async def refused(messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
                assert visibility == timedelta(seconds=120)
                return messages

            world.changes.extend = refused  # type: ignore[method-assign]  # the queue says: not yours any more
            world.changes.on_call = on_call
            while not service.tally.endings:
                await asyncio.sleep(1)
        assert service.tally.endings == {EndingKind.LOST: 1}
        assert [run.end for run in world.scanner.runs] == [RunEnd.CANCELLED]
        assert not {"delete", "park", "give_back"} & set(asked)

    run(main())


def test_a_delete_that_fails_leaves_a_message_that_is_covered_when_it_comes_again() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        refuse = True

        async def on_call(operation: str, *, after: bool) -> None:
            nonlocal refuse
            if operation == "delete" and not after and refuse:
                refuse = False
                raise Unavailable("no answer")

        world.changes.on_call = on_call
        async with running(world.service()) as service:
            while service.tally.endings.get(EndingKind.COVERED, 0) < 1:
                await asyncio.sleep(1)
        assert service.tally.endings == {EndingKind.LOST: 1, EndingKind.COVERED: 1}
        assert len(world.scanner.runs) == 1
        assert world.changes.messages == ()

    run(main())


def test_a_worker_that_runs_for_weeks_remembers_no_message_that_it_gave_back() -> None:
    async def main() -> None:
        world = TestWorld()
        world.spoke.put(snapshot(state="Pending"))
        await world.changes.send(event(), group="")
        async with running(world.service()) as service:
            await asyncio.sleep(120)
            assert service.tally.endings[EndingKind.GIVEN_BACK] > 0
            assert service.tally.left_behind == set()

    run(main())


def test_a_parked_message_lies_in_the_dead_letter_queue_with_its_reason() -> None:
    async def main() -> None:
        world = TestWorld()
        await world.changes.send("{broken", group="")
        await world.service().run(drain=True)
        [(body, parking)] = world.changes.parked
        assert body == "{broken"
        assert (parking.reason, parking.attempts, parking.function) == ("not_json", 1, "")
        assert world.changes.messages == ()

    run(main())


def test_stages_are_observed_in_their_order() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        await world.service().run(drain=True)
        assert [stage for _, stage in world.watch.stages] == list(Stage)
        assert all(isinstance(trip, Trip) for trip in world.watch.trips)

    run(main())


def test_a_heartbeat_that_hangs_loses_its_messages_before_others_see_them() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), LONG)

        world.changes.on_call = slow("extend", 240)
        async with running(world.service()) as service:
            while not service.tally.endings:
                await asyncio.sleep(1)
            assert asyncio.get_running_loop().time() < world.settings.visibility_timeout
            assert service.tally.endings == {EndingKind.LOST: 1}

    run(main())


def test_what_nobody_carries_any_more_is_not_kept_from_others() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)

        def broken(trip: Trip) -> None:
            raise ZeroDivisionError(f"an observer's own mistake at {trip.stage}")

        world.watch.moved = broken  # type: ignore[method-assign]  # somebody else's code
        async with running(world.service()):
            await asyncio.sleep(2 * world.settings.visibility_timeout)
        assert world.changes.messages[0].receive_count > 1

    run(main())
