import asyncio
from datetime import timedelta

from tests.virtual_time import run
from tests.worker.worlds import LONG, TestWorld, event, function, running, snapshot
from worker.memory.scanner import Script

NOISY, QUIET = "210000000001", "210000000002"


async def send(world: TestWorld, count: int, account: str, script: Script | None = None) -> None:
    for number in range(count):
        arn = function(f"function-{number}", account=account)
        world.spoke.put(snapshot(arn))
        if script is not None:
            world.scanner.script(arn, script)
        await world.changes.send(event(arn), group=account)


def running_of(world: TestWorld, account: str) -> int:
    return sum(run.function.account == account for run in world.scanner.running)


def test_one_noisy_account_leaves_slots_to_the_others() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await send(world, 40, NOISY, LONG)
        async with running(world.service()):
            await asyncio.sleep(300)
            assert running_of(world, NOISY) == 3
            before = asyncio.get_running_loop().time()
            await send(world, 1, QUIET)
            while not world.scanner.runs_of(function("function-0", account=QUIET)):
                await asyncio.sleep(0.1)
            # Not at once: the noisy account's messages lie before it in the queue, and come out of it one by one.
            assert asyncio.get_running_loop().time() - before < 60

    run(main())


def test_a_waiting_message_is_kept_by_the_heartbeat_and_scanned_when_its_turn_comes() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4, max_scans_per_account=1)
        await send(world, 3, NOISY, Script(duration=timedelta(minutes=20)))
        async with running(world.service()):
            await asyncio.sleep(600)
            assert (running_of(world, NOISY), world.world.places.waiting) == (1, 2)
            await asyncio.sleep(3100)
            assert [run.ended_at is not None for run in world.scanner.runs] == [True] * 3
            assert world.changes.messages == ()
            assert world.watch.trips
            assert {trip.message.receive_count for trip in world.watch.trips} == {1}

    run(main())


def test_no_more_is_held_than_slots_and_as_many_that_wait() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await send(world, 60, NOISY, LONG)
        async with running(world.service()) as service:
            most = 0
            for _ in range(2000):
                await asyncio.sleep(0.1)
                most = max(most, len(service._carrier.running))
                assert running_of(world, NOISY) <= 3
            assert most <= 8

    run(main())


def test_a_long_queue_of_one_account_is_not_received_over_and_over() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await send(world, 100, NOISY, LONG)
        receives = 0

        async def on_call(operation: str, *, after: bool) -> None:
            nonlocal receives
            receives += operation == "receive" and after

        world.changes.on_call = on_call
        async with running(world.service()):
            await asyncio.sleep(600)
            assert receives < 1300, "two a second at the most"
            assert max(message.receive_count for message in world.changes.messages) < 30

    run(main())


def test_a_drain_of_one_account_leaves_nothing_behind() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await send(world, 30, NOISY)
        tally = await world.service().run(drain=True)
        assert tally.endings == {"stored": 30}
        assert tally.left_behind == set()

    run(main())
