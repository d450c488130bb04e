import asyncio
from datetime import timedelta

from spoke.errors import QualysFault, Unavailable
from tests.virtual_time import run
from tests.worker.worlds import TestWorld, fill, function, running, snapshot
from worker.memory.scanner import Script
from worker.trip import EndingKind


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
