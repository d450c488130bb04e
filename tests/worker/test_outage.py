import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from hub.notification import NotificationKind
from spoke.errors import Misconfigured, QualysFault, Unavailable, UploadFailed
from tests.virtual_time import run
from tests.worker.hooks import failing
from tests.worker.worlds import TestWorld, event, fill, function, running, scans_running, snapshot
from worker.circuit import CircuitState
from worker.memory.scanner import RunEnd, Script

REFUSED = Script(duration=timedelta(seconds=5), error=QualysFault("Qualys refuses the access token"))
UPLOAD = Script(duration=timedelta(seconds=5), error=UploadFailed("exit 37, an upload to Qualys failed"))


def circuit_told(world: TestWorld) -> int:
    return sum(told.kind is NotificationKind.CIRCUIT for told in world.notifier.told)


def test_a_token_that_expires_at_night_carries_no_message_to_the_dead_letter_queue() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 12)
        for number in range(12):
            world.scanner.script(function(f"function-{number}"), *[REFUSED] * 100)
        async with running(world.service()):
            await asyncio.sleep(8 * 3600)
            assert world.changes.parked == []
            assert len(world.changes.messages) == 12
            probes = len(world.scanner.runs)
            assert probes < 50, "four that ran when it opened, then one every quarter of an hour"
            assert len(world.renewed) >= 30, "the secret is read anew before each probe"
            assert circuit_told(world) == 1
            world.scanner._scripts.clear()
            await asyncio.sleep(3600)
            assert world.changes.messages == ()
            assert world.changes.parked == []
            assert world.world.circuit.state is CircuitState.CLOSED

    run(main())


def test_while_it_is_open_nothing_is_received() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=1)
        await fill(world, 3)
        world.scanner.script(function("function-0"), REFUSED)
        async with running(world.service()):
            await asyncio.sleep(30)
            assert world.world.circuit.is_open
            assert sorted(message.receive_count for message in world.changes.messages) == [0, 0, 1]
            await asyncio.sleep(200)
            assert world.changes.messages == ()

    run(main())


def test_what_waits_is_given_back_when_it_opens_and_what_is_scanned_goes_on() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4, max_scans_per_account=2)
        await fill(world, 4)
        world.scanner.script(function("function-0"), Script(duration=timedelta(seconds=100)))
        world.scanner.script(function("function-1"), REFUSED)
        async with running(world.service()):
            await scans_running(world, 2)
            await asyncio.sleep(1)
            assert world.world.places.waiting == 2
            await asyncio.sleep(9)
            assert world.world.places.waiting == 0
            assert world.endings() == [("given back", "qualys")] * 3
            assert [run.function.name for run in world.scanner.running] == ["function-0"]
            await asyncio.sleep(100)
            assert world.scanner.runs_of(function("function-0"))[0].end is RunEnd.SCANNED

    run(main())


def test_while_it_probes_one_message_at_a_time_is_received() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4, max_scans_per_account=4)
        await fill(world, 8)
        for number in range(8):
            refused = [REFUSED] if number < 4 else []
            world.scanner.script(function(f"function-{number}"), *refused, Script(duration=timedelta(seconds=300)))
        async with running(world.service()):
            await asyncio.sleep(30)
            assert world.world.circuit.is_open
            await asyncio.sleep(world.world.circuit.pause.total_seconds() + 60)
            assert len(world.scanner.running) == 1
            await asyncio.sleep(300)
            assert len(world.scanner.running) == 4, "it passed: all slots are used again"

    run(main())


def test_uploads_that_fail_across_messages_open_it_and_cost_no_further_tries() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=3)
        await fill(world, 30)
        for number in range(30):
            world.scanner.script(function(f"function-{number}"), *[UPLOAD] * 100)
        async with running(world.service()):
            await asyncio.sleep(6 * 3600)
            assert len(world.scanner.runs) < 40
            assert world.changes.parked == []
            assert circuit_told(world) == 1
            world.scanner._scripts.clear()
            await asyncio.sleep(2 * 3600)
            assert world.changes.messages == ()

    run(main())


def test_however_many_workers_meet_one_outage_it_is_told_once() -> None:
    async def main() -> None:
        world = TestWorld()
        others = [TestWorld() for _ in range(3)]
        for one in others:
            one.ledger.items = world.ledger.items
        for one in (world, *others):
            await fill(one, 2)
            for number in range(2):
                one.scanner.script(function(f"function-{number}"), *[REFUSED] * 100)
        async with AsyncExitStack() as workers:
            for one in (world, *others):
                await workers.enter_async_context(running(one.service()))
            await asyncio.sleep(5 * 3600)
            assert sum(circuit_told(one) for one in (world, *others)) == 1

    run(main())


def test_one_function_that_speaks_of_a_refused_token_does_not_keep_the_others_from_qualys() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1, prefix="poison")
        world.scanner.script(function("poison-0"), *[REFUSED] * 1000)
        async with running(world.service()):
            open_for = 0
            for minute in range(24 * 60):
                await asyncio.sleep(60)
                open_for += not world.world.circuit.is_closed
                if minute % 5 == 0:
                    await fill(world, 1, prefix=f"healthy-{minute}")
            assert [parking.reason for _, parking in world.changes.parked] == ["qualys_fault"]
            assert open_for < 60, "minutes of a day"
            assert len(world.changes.messages) <= 1

    run(main())


def test_where_there_is_only_sweep_work_the_sweep_probes() -> None:
    async def main() -> None:
        world = TestWorld()
        arn = function("swept")
        world.spoke.put(snapshot(arn))
        world.scanner.script(arn, REFUSED)
        await world.sweep.send(event(arn), group=arn.account)
        async with running(world.service(sweep=True)):
            await asyncio.sleep(400)
            assert world.world.circuit.is_closed
            assert world.sweep.messages == ()

    run(main())


def test_a_probe_that_waits_for_its_accounts_share_is_not_the_only_one() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4, max_scans_per_account=1)
        busy, other = function("busy-0"), function("other", account="210000000002")
        await fill(world, 2, prefix="busy")
        world.scanner.script(busy, Script(duration=timedelta(hours=1)))
        world.spoke.put(snapshot(other))
        world.scanner.script(other, REFUSED)
        await world.changes.send(event(other), group=other.account)
        async with running(world.service(), stops=2):
            await asyncio.sleep(600)
            assert world.world.circuit.is_closed

    run(main())


def test_a_topic_that_is_away_for_a_moment_does_not_swallow_the_notification() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), *[REFUSED] * 100)
        world.notifier.on_call = failing("notify", Unavailable("no answer"))
        async with running(world.service()):
            await asyncio.sleep(8)
            world.notifier.on_call = None
            await asyncio.sleep(120)
            assert circuit_told(world) == 1

    run(main())


def test_a_ledger_that_cannot_say_who_tells_has_it_told_all_the_same() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), REFUSED)
        world.ledger.on_call = failing("announce", Unavailable("no answer"), after=True)
        async with running(world.service()):
            await asyncio.sleep(30)
            assert circuit_told(world) == 1

    run(main())


def test_a_secret_that_cannot_be_read_keeps_it_open_and_the_worker_alive() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), REFUSED)
        broken = True

        async def renew() -> None:
            if broken:
                raise Misconfigured("the secret is not JSON")

        async with running(world.service(renew=renew)):
            await asyncio.sleep(3600)
            assert world.world.circuit.is_open
            assert world.world.circuit.reason == "the secret is not JSON"
            broken = False
            await asyncio.sleep(1800)
            assert world.changes.messages == ()

    run(main())


def test_opening_and_closing_are_figures() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), REFUSED)
        async with running(world.service()):
            await asyncio.sleep(600)
        figures = [
            one.values["QualysCircuitOpen"] for one in world.metrics.emitted if "QualysCircuitOpen" in one.values
        ]
        assert figures[:2] == [1, 1], "open, then probing"
        assert figures[-1] == 0

    run(main())


def test_a_stop_during_the_pause_ends_at_once() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), REFUSED)
        async with running(world.service()):
            await asyncio.sleep(30)
            before = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before < 1

    run(main())
