import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from hub.coverage import CoverageState
from hub.message import Message
from spoke.errors import QualysFault, Unavailable
from tests.virtual_time import run
from tests.worker.worlds import (
    ACCOUNT,
    LONG,
    NEWER_CODE,
    TestWorld,
    event,
    fill,
    function,
    key_of,
    running,
    scans_running,
    slow,
    snapshot,
)
from worker.memory.clock import START
from worker.memory.scanner import RunEnd, Script
from worker.trip import EndingKind, Stage, Trip


def test_drain_ends_when_everything_has_its_result() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 12)
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.STORED: 12}
        assert tally.left_behind == set()
        assert world.changes.messages == ()

    run(main())


def test_drain_of_empty_queues_ends_at_once() -> None:
    async def main() -> None:
        tally = await TestWorld().service(sweep=True).run(drain=True)
        assert tally.endings == {}

    run(main())


def test_drain_leaves_behind_what_was_given_back_and_says_how_many() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 3)
        world.spoke.put(snapshot(function("function-1"), state="Pending"))
        tally = await world.service().run(drain=True)
        assert tally.endings[EndingKind.STORED] == 2
        assert len(tally.left_behind) == 1
        assert len(world.changes.messages) == 1

    run(main())


def test_what_was_given_back_and_came_again_is_not_left_behind() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 2)
        # The one scan takes long enough for the other message, which failed at first, to come again.
        world.scanner.script(function("function-0"), Script(duration=timedelta(minutes=10)))
        world.scanner.script(function("function-1"), Script(error=Unavailable("no answer")))
        tally = await world.service().run(drain=True)
        assert tally.endings == {EndingKind.STORED: 2, EndingKind.GIVEN_BACK: 1}
        assert tally.left_behind == set()

    run(main())


def test_no_more_messages_are_held_than_there_are_slots() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=3)
        await fill(world, 20)
        held: list[int] = []

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "receive" and after:
                held.append((await world.changes.depth()).in_flight)

        world.changes.on_call = on_call
        await world.service().run(drain=True)
        assert max(held) == 3
        assert world.scanner.max_running == 3

    run(main())


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


def test_while_qualys_refuses_the_token_nothing_is_received_and_then_the_secret_is_read_anew() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=1)
        await fill(world, 2)
        world.scanner.script(function("function-0"), Script(error=QualysFault("401 unauthorized")))
        async with running(world.service()) as service:
            while not service.tally.endings:
                await asyncio.sleep(1)
            refused_at = asyncio.get_running_loop().time()
            while service.tally.endings.get(EndingKind.STORED, 0) < 2:
                await asyncio.sleep(1)
        assert service.tally.endings == {EndingKind.GIVEN_BACK: 1, EndingKind.STORED: 2}
        [renewed] = world.renewed
        assert (renewed - world.scanner.runs[0].started_at) >= timedelta(seconds=60)
        second = world.scanner.runs[1]
        assert second.started_at >= renewed, "nothing was received before the secret was read anew"
        assert refused_at < 60

    run(main())


def test_a_drain_does_not_wait_for_qualys() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), Script(error=QualysFault("401 unauthorized")))
        with pytest.raises(QualysFault, match="401"):
            await world.service().run(drain=True)
        assert len(world.changes.messages) == 1

    run(main())


def test_a_queue_that_does_not_answer_is_asked_again_with_growing_pauses() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        failures = 5

        async def on_call(operation: str, *, after: bool) -> None:
            nonlocal failures
            if operation == "receive" and not after and failures:
                failures -= 1
                raise Unavailable("no answer")

        world.changes.on_call = on_call
        async with running(world.service()) as service:
            while not service.tally.endings:
                await asyncio.sleep(1)
        assert service.tally.endings == {EndingKind.STORED: 1}

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


def test_the_sweep_leaves_half_of_the_slots_to_changes() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        for number in range(10):
            arn = function(f"swept-{number}")
            world.spoke.put(snapshot(arn))
            world.scanner.script(arn, LONG)
            await world.sweep.send(event(arn), group=arn.account)
        async with running(world.service(sweep=True)):
            await asyncio.sleep(600)
            assert len(world.scanner.running) == 2
            await fill(world, 1)
            await asyncio.sleep(60)
            assert (await world.coverage(function("function-0"))).state is CoverageState.COVERED

    run(main())


def test_the_sweep_uses_its_share_while_changes_leave_slots_idle() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await fill(world, 2)
        for number in range(2):
            world.scanner.script(function(f"function-{number}"), LONG)
        for number in range(10):
            arn = function(f"swept-{number}", account="210000000002")
            world.spoke.put(snapshot(arn))
            world.scanner.script(arn, Script(duration=timedelta(seconds=10)))
            await world.sweep.send(event(arn), group=arn.account)
        async with running(world.service(sweep=True), stops=2):
            await asyncio.sleep(120)
            assert world.sweep.messages == ()

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


def test_no_message_is_joined_to_one_that_has_gone() -> None:
    """An earlier delivery left a lease on other code when its worker died; then that code is rolled back to."""

    async def main() -> None:
        world = TestWorld()
        arn = function()
        world.spoke.put(snapshot())
        await world.changes.send(event(), group=arn.account)
        [first] = await world.changes.receive(1, wait=0)
        await world.ledger.claim(key_of(world), message_id=first.id, now=world.clock.now(), duration=timedelta(hours=1))
        await world.changes.give_back(first, timedelta(0))
        world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START + timedelta(seconds=1)))
        assert (await world.service().run(drain=True)).endings == {EndingKind.STORED: 1}
        world.spoke.put(snapshot(last_modified=START + timedelta(seconds=60)))
        await world.changes.send(event(), group=arn.account)
        assert (await world.service().run(drain=True)).endings == {EndingKind.STORED: 1}, "not joined to what is gone"

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


def test_what_is_in_hand_is_told_every_minute() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 2)
        for number in range(2):
            world.scanner.script(function(f"function-{number}"), Script(duration=timedelta(seconds=150)))
        await world.service().run(drain=True)
        assert [one.values for one in world.metrics.emitted if "RunningScans" in one.values] == [
            {
                "RunningScans": 2.0,
                "HeldMessages": 2.0,
                "Slots": 4.0,
                "WaitingMessages": 0.0,
                "AccountsPaused": 0.0,
                "AccountsWithoutAccess": 0.0,
                "QualysCircuitOpen": 0.0,
                "Paused": 0.0,
            }
        ] * 2

    run(main())


def test_an_account_without_access_shows_in_each_minute_until_it_answers() -> None:
    """Its pauses end and begin meanwhile: an alarm must not come and go with them."""

    async def main() -> None:
        world = TestWorld(max_attempts=20)
        await fill(world, 1)
        world.spoke.deny(ACCOUNT)
        async with running(world.service()):
            await asyncio.sleep(3600)
            told = [one.values for one in world.metrics.emitted if "AccountsWithoutAccess" in one.values]
            assert {values["AccountsPaused"] for values in told[1:]} == {0, 1}
            assert {values["AccountsWithoutAccess"] for values in told[1:]} == {1}
            world.spoke.allow(ACCOUNT)
            await asyncio.sleep(3600)
            told = [one.values for one in world.metrics.emitted if "AccountsWithoutAccess" in one.values]
            assert told[-1]["AccountsWithoutAccess"] == 0

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


def test_the_sweep_is_never_starved_by_changes() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 200)
        swept = function("swept")
        world.spoke.put(snapshot(swept))
        await world.sweep.send(event(swept), group=swept.account)
        async with running(world.service(sweep=True)):
            await asyncio.sleep(600)
            assert len(world.scanner.runs_of(swept)) == 1
            assert len(world.changes.messages) > 100, "long before the changes were done"

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
