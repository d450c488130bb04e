import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.service_notes import Pause, WorkerNote
from spoke.errors import HostFault, QualysFault, Unavailable
from tests.virtual_time import run
from tests.worker.hooks import failing, slow
from tests.worker.worlds import LONG, TestWorld, fill, function, running, scans_running, started
from worker.memory.clock import START
from worker.memory.scanner import Script

PAUSE = Pause(by="arn:aws:iam::123456789012:user/jo", reason="", at=START)


async def notes(world: TestWorld) -> list[WorkerNote]:
    return [one async for one in world.register.workers()]


def calls_of(world: TestWorld) -> Counter[str]:
    """What the register is asked from now on."""
    calls: Counter[str] = Counter()

    async def on_call(operation: str, *, after: bool) -> None:
        calls[operation] += not after

    world.register.on_call = on_call
    return calls


def test_a_worker_is_in_the_register_from_its_start_to_its_end() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=3)
        async with running(world.service()):
            await asyncio.sleep(1)
            [note] = await notes(world)
            assert (note.version, note.profile, note.slots) == ("1.2.3", world.scanner.profile, 3)
            assert (note.running, note.circuit, note.paused) == (0, "", False)
            assert (note.started_at, note.seen_at - START < timedelta(seconds=1)) == (START, True)
        assert await notes(world) == []

    run(main())


def test_its_word_is_renewed_every_minute_and_counts_its_scans() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 2)
        for number in range(2):
            world.scanner.script(function(f"function-{number}"), LONG)
        async with running(world.service(), stops=2):
            await asyncio.sleep(190)
            [note] = await notes(world)
            assert note.running == 2
            assert note.seen_at - START == pytest.approx(timedelta(seconds=180), abs=timedelta(seconds=1))
            assert note.started_at == START

    run(main())


def test_two_workers_have_two_notes() -> None:
    async def main() -> None:
        world, other = TestWorld(), TestWorld()
        object.__setattr__(other.world, "register", world.register)
        async with running(world.service()), running(other.service()):
            await asyncio.sleep(1)
            assert len({note.id for note in await notes(world)}) == 2

    run(main())


def test_a_pause_that_is_heeded_and_a_circuit_that_opens_are_told_at_once() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        refused = Script(duration=timedelta(seconds=20), error=QualysFault("Qualys refuses the access token"))
        world.scanner.script(function("function-0"), refused)
        async with running(world.service()):
            await asyncio.sleep(21)
            [note] = await notes(world)
            assert (note.circuit, note.paused) == ("Qualys refuses the access token", False)
            await world.register.pause(PAUSE)
            await asyncio.sleep(16)
            [note] = await notes(world)
            assert note.paused
            await world.register.resume()
            await asyncio.sleep(16)
            [note] = await notes(world)
            assert not note.paused

    run(main())


@pytest.mark.parametrize("functions", [0, 200])
def test_its_calls_do_not_grow_with_the_load(functions: int) -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, functions)
        calls = calls_of(world)
        async with running(world.service()):
            await asyncio.sleep(3599)
            # One more look at the start, and a word; an account is made known once.
            assert calls["paused"] == 240
            assert calls["check_in"] == 60
            assert calls["know_account"] == (1 if functions else 0)
            assert calls["count_changes"] <= 60

    run(main())


@pytest.mark.parametrize("operation", ["check_in", "check_out", "paused"])
def test_a_call_that_fails_costs_a_line_in_the_log_and_no_more(operation: str) -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.register.on_call = failing(operation, Unavailable("DynamoDB does not answer"))
        with capture_logs() as logged:
            async with running(world.service()):
                await asyncio.sleep(300)
                assert world.endings() == [("stored", "success")]
        lines = [one for one in logged if one.get("reason") == "DynamoDB does not answer"]
        assert {one["log_level"] for one in lines} == {"warning"}
        assert len(lines) == 1

    run(main())


def test_an_outage_is_told_once_and_again_only_after_a_call_has_passed() -> None:
    async def main() -> None:
        world = TestWorld()

        async def away(operation: str, *, after: bool) -> None:
            if operation in {"paused", "check_in"} and not after:
                raise Unavailable("DynamoDB does not answer")

        with capture_logs() as logged:
            async with running(world.service()):
                for _ in range(2):
                    world.register.on_call = away
                    await asyncio.sleep(3600)
                    world.register.on_call = None
                    await asyncio.sleep(60)
        told = [one["event"] for one in logged if one.get("reason") == "DynamoDB does not answer"]
        assert told == ["the pause cannot be looked up", "this worker cannot check in"] * 2

    run(main())


def test_a_mistake_of_our_own_costs_no_more() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.register.on_call = failing("paused", AssertionError("nobody thought of this"))
        with capture_logs() as logged:
            tally = await world.service().run(drain=True)
        assert sum(tally.endings.values()) == 1
        assert [one["reason"] for one in logged if "pause" in one["event"]] == [
            "AssertionError('nobody thought of this')"
        ]

    run(main())


def test_a_look_that_hangs_is_given_up_and_the_next_one_comes() -> None:
    async def main() -> None:
        world = TestWorld()
        async with running(world.service()):
            await asyncio.sleep(1)
            world.register.on_call = slow("paused", 10**6)
            await asyncio.sleep(100)
            world.register.on_call = None
            await world.register.pause(PAUSE)
            await asyncio.sleep(20)
            assert (await notes(world))[0].paused

    run(main())


def test_a_word_that_is_under_way_at_the_end_does_not_put_the_note_back() -> None:
    async def main() -> None:
        world = TestWorld()
        service = world.service()
        task = started(service)
        await asyncio.sleep(59)
        world.register.on_call = slow("check_in", 1.5)
        await asyncio.sleep(1.5)
        service.stop()
        await task
        await asyncio.sleep(60)
        assert await notes(world) == []

    run(main())


def test_a_worker_that_ends_for_a_fault_takes_its_note_away_too() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), Script(error=HostFault("no space left")))
        with pytest.raises(HostFault):
            await world.service().run()
        assert await notes(world) == []

    run(main())


def test_it_is_there_while_it_drains() -> None:
    async def main() -> None:
        world = TestWorld(drain_timeout=600)
        await fill(world, 1)
        world.scanner.script(function("function-0"), Script(duration=timedelta(seconds=500)))
        service = world.service()
        task = started(service)
        await scans_running(world, 1)
        service.stop()
        await asyncio.sleep(400)
        [note] = await notes(world)
        assert (note.running, world.clock.now() - note.seen_at < timedelta(seconds=61)) == (1, True)
        await task
        assert await notes(world) == []

    run(main())
