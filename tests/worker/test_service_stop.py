import asyncio
from datetime import timedelta

import pytest

from spoke.errors import HostFault, Misconfigured
from tests.worker.hooks import failing, once_answered, slow
from tests.worker.worlds import (
    LONG,
    TestWorld,
    event,
    function,
    in_world,
    receive_counts,
    running,
    scans_running,
    snapshot,
    started,
)
from worker.memory.scanner import RunEnd, Script
from worker.trip import EndingKind


@in_world(filled=0)
async def test_stop_cancels_the_long_poll_and_ends_at_once(world: TestWorld) -> None:
    async with running(world.service()):
        await asyncio.sleep(3)
    assert asyncio.get_running_loop().time() == pytest.approx(3, abs=0.1)


@in_world(filled=1)
async def test_stop_before_the_loop_has_begun_is_not_lost(world: TestWorld) -> None:
    service = world.service()
    service.stop()
    await service.run()
    assert world.scanner.runs == []
    assert receive_counts(world) == [0]


@in_world(filled=1, drain_timeout=110)
async def test_a_scan_may_finish_within_the_drain_time(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), Script(duration=timedelta(seconds=100)))
    async with running(world.service()) as service:
        await scans_running(world, 1)
    assert service.tally.endings == {EndingKind.STORED: 1}
    assert world.changes.messages == ()


@in_world(filled=1, drain_timeout=110)
async def test_a_scan_beyond_the_drain_time_is_ended_and_its_message_given_back(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), LONG)
    async with running(world.service()) as service:
        await scans_running(world, 1)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before == pytest.approx(110, abs=1)
    assert [run.end for run in world.scanner.runs] == [RunEnd.CANCELLED]
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 1}
    assert (await world.changes.depth()).visible == 1, "another worker can have it at once"
    tally = await world.service().run(drain=True)
    assert tally.endings == {EndingKind.STORED: 1}, "and its lease was given up too"


@in_world(filled=1, drain_timeout=110)
async def test_a_second_stop_does_not_wait_for_scans(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), LONG)
    service = world.service()
    task = started(service)
    await scans_running(world, 1)
    service.stop()
    await asyncio.sleep(20)
    assert not task.done()
    before = asyncio.get_running_loop().time()
    service.stop()
    await task
    assert asyncio.get_running_loop().time() - before < 1
    assert [run.end for run in world.scanner.runs] == [RunEnd.CANCELLED]
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 1}
    assert (await world.changes.depth()).visible == 1


@pytest.mark.parametrize(
    ("operation", "body"),
    [("park", "{}"), ("delete", event(name="DeleteFunction20150331", code=None)), ("give_back", event())],
    ids=["park", "delete", "give-back"],
)
@in_world(filled=0, drain_timeout=0)
async def test_without_any_drain_time_what_has_ended_is_still_settled(
    world: TestWorld, operation: str, body: str
) -> None:
    """Else a function that fills every disk would stop worker after worker, and never be parked."""
    if operation == "give_back":
        world.spoke.put(snapshot(state="Pending"))
    await world.changes.send(body, group="")
    world.changes.on_call = slow(operation, 3)
    async with running(world.service(), stops=2) as service:
        while service.tally.endings == {} and not any(trip.ending for trip in service._carrier.running.values()):
            await asyncio.sleep(0.01)
    assert EndingKind.LOST not in service.tally.endings
    assert service.tally.endings


@in_world(filled=3, drain_timeout=110)
async def test_a_second_fault_does_not_cost_the_others_their_drain_time(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), Script(duration=timedelta(seconds=60)))
    for number, seconds in ((1, 5), (2, 10)):
        fault = Script(duration=timedelta(seconds=seconds), error=HostFault("no space left"))
        world.scanner.script(function(f"function-{number}"), fault)
    service = world.service()
    with pytest.raises(HostFault):
        await service.run()
    assert service.tally.endings == {EndingKind.STORED: 1, EndingKind.GIVEN_BACK: 2}


@in_world(filled=3, max_concurrent_scans=4, max_scans_per_account=1, drain_timeout=110)
async def test_what_waits_for_its_accounts_share_is_given_back_at_a_stop(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), Script(duration=timedelta(seconds=60)))
    service = world.service()
    task = started(service)
    await scans_running(world, 1)
    await asyncio.sleep(1)
    service.stop()
    await asyncio.sleep(1)
    assert (await world.changes.depth()).visible == 2, "long before the scan has ended"
    await task
    assert service.tally.endings == {EndingKind.STORED: 1, EndingKind.GIVEN_BACK: 2}


@in_world(filled=1)
async def test_what_has_not_begun_is_given_back_without_waiting(world: TestWorld) -> None:
    reached = asyncio.Event()

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "look_up" and not after:
            reached.set()
            await asyncio.sleep(60)

    world.ledger.on_call = on_call
    async with running(world.service()) as service:
        await reached.wait()
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 1
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 1}
    assert (await world.changes.depth()).visible == 1


@pytest.mark.parametrize("fault", [HostFault("no space left"), Misconfigured("invalid parameter")])
@in_world(filled=2, drain_timeout=0)
async def test_a_fault_of_this_worker_stops_it_and_gives_back_what_it_holds(
    world: TestWorld, fault: HostFault | Misconfigured
) -> None:
    world.scanner.script(function("function-0"), LONG)
    world.scanner.script(function("function-1"), Script(error=fault))
    service = world.service()
    with pytest.raises(type(fault), match=fault.text):
        await service.run()
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 2}
    assert (await world.changes.depth()).visible == 2


@in_world(filled=1)
async def test_a_heartbeat_that_breaks_stops_the_worker(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), LONG)

    world.changes.on_call = failing("extend", Misconfigured("the role may not change visibilities"))
    service = world.service()
    with pytest.raises(Misconfigured, match="visibilities"):
        await service.run()
    assert asyncio.get_running_loop().time() < 300


@in_world(filled=1)
async def test_a_queue_that_may_not_be_settled_stops_the_worker_and_its_message_comes_again(world: TestWorld) -> None:
    world.changes.on_call = failing("delete", Misconfigured("the role may not delete"))
    with pytest.raises(Misconfigured, match="delete"):
        await world.service().run()
    await asyncio.sleep(world.settings.visibility_timeout)
    assert (await world.changes.depth()).visible == 1


@pytest.mark.parametrize(
    ("operation", "body", "ending"),
    [
        ("park", "{}", EndingKind.PARKED),
        ("delete", event(name="DeleteFunction20150331", code=None), EndingKind.GONE),
        ("give_back", event(function("pending")), EndingKind.GIVEN_BACK),
    ],
    ids=["park", "delete", "give-back"],
)
@in_world(filled=0)
async def test_a_stop_lets_what_is_being_settled_be_settled(
    world: TestWorld, operation: str, body: str, ending: EndingKind
) -> None:
    world.spoke.put(snapshot(function("pending"), state="Pending"))
    await world.changes.send(body, group="210000000001")

    world.changes.on_call = slow(operation, 0.2)
    async with running(world.service()) as service:
        await asyncio.sleep(0.1)
    assert service.tally.endings == {ending: 1}


@in_world(filled=1)
async def test_a_claim_that_is_answered_after_a_stop_leaves_no_lease_behind(world: TestWorld) -> None:
    world.ledger.on_call = slow("claim", 0.2, after=True)
    async with running(world.service()) as service:
        await asyncio.sleep(0.1)
    world.ledger.on_call = None
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 1}
    tally = await world.service().run(drain=True)
    assert tally.endings == {EndingKind.STORED: 1}


@in_world(filled=1)
async def test_a_message_received_in_the_very_moment_of_a_stop_is_given_back(world: TestWorld) -> None:
    service = world.service()

    world.changes.on_call = once_answered("receive", service.stop)
    await service.run()
    assert service.tally.endings == {EndingKind.GIVEN_BACK: 1}
    assert (await world.changes.depth()).visible == 1
