"""What a worker does while somebody has paused the service."""

import asyncio
from datetime import timedelta

import pytest

from hub.message import Source
from hub.service_notes import Pause
from spoke.errors import QualysFault, Unavailable
from tests.worker.hooks import failing, once_answered, slow
from tests.worker.worlds import (
    LONG,
    TestWorld,
    event,
    fill,
    function,
    in_world,
    receive_counts,
    running,
    scans_running,
    started,
)
from worker.attendance import LOOK, PATIENCE
from worker.circuit import CircuitState
from worker.memory.clock import START
from worker.memory.scanner import RunEnd, Script
from worker.trip import EndingKind
from worker.vitals import HealthState

PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/operator/jo", reason="a new scanner", at=START)
REFUSED = Script(duration=timedelta(seconds=5), error=QualysFault("Qualys refuses the access token"))


@in_world(filled=3)
async def test_a_worker_that_starts_into_a_pause_receives_nothing_and_works_within_a_look_of_its_end(
    world: TestWorld,
) -> None:
    await world.register.pause(PAUSE)
    async with running(world.service(sweep=True)) as service:
        await asyncio.sleep(3600)
        assert receive_counts(world) == [0, 0, 0]
        await world.register.resume()
        resumed = asyncio.get_running_loop().time()
        await scans_running(world, 3)
        assert asyncio.get_running_loop().time() - resumed <= LOOK + 0.2
        await asyncio.sleep(60)
        assert service.tally.endings == {EndingKind.STORED: 3}
        assert service.tally.paused is None


@in_world(filled=0)
async def test_a_pause_ends_the_long_poll_and_nothing_is_received_after_it(world: TestWorld) -> None:
    async with running(world.service()) as service:
        await asyncio.sleep(5)
        await world.register.pause(PAUSE)
        await asyncio.sleep(LOOK)
        # A poll that went on would take it.
        await fill(world, 1)
        await asyncio.sleep(600)
        assert receive_counts(world) == [0]
        assert service.tally.endings == {}


@in_world(filled=4, max_concurrent_scans=4, max_scans_per_account=2)
async def test_what_runs_goes_on_to_its_end_and_what_has_not_begun_is_given_back(world: TestWorld) -> None:
    for number in range(4):
        world.scanner.script(function(f"function-{number}"), LONG)
    async with running(world.service()) as service:
        await scans_running(world, 2)
        await asyncio.sleep(1)
        assert world.world.places.waiting == 2
        await world.register.pause(PAUSE)
        await asyncio.sleep(LOOK + 1)
        assert world.endings() == [("given back", "paused")] * 2
        assert len(world.scanner.running) == 2
        # By then the other workers have heard of it: the messages do not go from one to the next.
        assert (await world.changes.depth()).visible == 0
        await asyncio.sleep(LOOK)
        assert (await world.changes.depth()).visible == 2
        await asyncio.sleep(2 * 3600)
        assert [one.end for one in world.scanner.runs] == [RunEnd.SCANNED] * 2
        assert service.tally.endings == {EndingKind.GIVEN_BACK: 2, EndingKind.STORED: 2}
        assert receive_counts(world) == [1, 1]
        assert world.changes.parked == []


@in_world(filled=2)
async def test_what_is_received_in_the_very_moment_of_a_pause_is_given_back(world: TestWorld) -> None:
    service = world.service()

    world.changes.on_call = once_answered("receive", lambda: service._attendance._heed(PAUSE))
    async with running(service):
        await asyncio.sleep(5)
        assert world.endings() == [("given back", "paused")] * 2
        assert world.scanner.runs == []


@in_world(filled=1)
async def test_a_claim_that_is_answered_after_a_pause_leaves_no_lease_behind(world: TestWorld) -> None:
    world.ledger.on_call = slow("claim", LOOK + 2, after=True)
    async with running(world.service()):
        await asyncio.sleep(1)
        await world.register.pause(PAUSE)
        await asyncio.sleep(LOOK + 6)
        assert world.endings() == [("given back", "paused")]
        world.ledger.on_call = None
        await world.register.resume()
        await asyncio.sleep(3 * LOOK + 200)
        assert world.endings()[1:] == [("stored", "success")]


@in_world(filled=1, max_concurrent_scans=1)
async def test_a_pause_does_not_wake_a_circuit_nor_count_against_a_message(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), REFUSED)
    async with running(world.service()):
        await asyncio.sleep(20)
        assert world.world.circuit.is_open
        await world.register.pause(PAUSE)
        await asyncio.sleep(24 * 3600)
        assert len(world.scanner.runs) == 1, "nobody probes while nothing is to be scanned"
        assert world.renewed == []
        await world.register.resume()
        await asyncio.sleep(600)
        assert world.world.circuit.state is CircuitState.CLOSED
        assert world.endings()[-1] == ("stored", "success")
        assert world.changes.parked == []


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
@in_world(filled=0)
async def test_a_register_that_does_not_answer_leaves_the_pause_as_it_was(world: TestWorld, after: bool) -> None:
    await world.register.pause(PAUSE)
    async with running(world.service()):
        await asyncio.sleep(LOOK)
        world.register.on_call = failing("paused", Unavailable("DynamoDB does not answer"), after=after)
        await fill(world, 1)
        await asyncio.sleep(3600)
        assert receive_counts(world) == [0], "still paused"
        world.register.on_call = None
        await world.register.resume()
        await asyncio.sleep(LOOK + 60)
        assert world.endings() == [("stored", "success")]


@in_world(filled=1)
async def test_a_worker_whose_register_hangs_from_the_start_works_all_the_same(world: TestWorld) -> None:
    async def hang(operation: str, *, after: bool) -> None:
        await asyncio.sleep(10**6 if operation and not after else 0)

    world.register.on_call = hang
    async with running(world.service()) as service:
        await scans_running(world, 1)
        assert asyncio.get_running_loop().time() < PATIENCE + 1
        await asyncio.sleep(120)
        assert service.tally.endings == {EndingKind.STORED: 1}
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 3, "and it does not keep the worker from its end"


@in_world(filled=3)
async def test_a_drain_into_a_pause_ends_at_once_and_says_why(world: TestWorld) -> None:
    await world.register.pause(PAUSE)
    tally = await world.service(sweep=True).run(drain=True)
    assert asyncio.get_running_loop().time() < 1
    assert (tally.endings, tally.paused) == ({}, PAUSE)
    assert receive_counts(world) == [0, 0, 0]


@in_world(filled=4, max_concurrent_scans=2, max_scans_per_account=1, drain_timeout=10)
async def test_a_drain_that_is_paused_lets_its_scans_end_and_leaves_the_rest(world: TestWorld) -> None:
    for number in range(4):
        world.scanner.script(function(f"function-{number}"), Script(duration=timedelta(minutes=10)))
    drain = started(world.service(), drain=True)
    await scans_running(world, 1)
    await world.register.pause(PAUSE)
    tally = await drain
    assert tally.paused == PAUSE  # type: ignore[attr-defined]  # the helper knows no more than object
    assert [one.end for one in world.scanner.runs] == [RunEnd.SCANNED], "however short the drain time is"
    assert len(world.changes.messages) == 3


@in_world(filled=2, max_concurrent_scans=1)
async def test_a_drain_goes_on_where_the_pause_ends_before_its_scans(world: TestWorld) -> None:
    world.scanner.script(function("function-0"), Script(duration=timedelta(minutes=10)))
    world.scanner.script(function("function-1"), Script(duration=timedelta(minutes=10)))
    drain = started(world.service(), drain=True)
    await scans_running(world, 1)
    await world.register.pause(PAUSE)
    await asyncio.sleep(60)
    await world.register.resume()
    tally = await drain
    assert tally.endings == {EndingKind.STORED: 2}  # type: ignore[attr-defined]  # as above
    assert tally.paused is None  # type: ignore[attr-defined]  # as above


@in_world(filled=0)
async def test_a_stop_during_a_pause_ends_at_once(world: TestWorld) -> None:
    await world.register.pause(PAUSE)
    async with running(world.service()):
        await asyncio.sleep(30)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 0.1


@in_world(filled=0)
async def test_a_paused_worker_is_well_and_its_figures_show_the_pause(world: TestWorld) -> None:
    said: list[str] = []

    class Listener:
        def say(self, state: HealthState, reason: str = "") -> None:
            said.append(f"{state.value} {reason}")

    object.__setattr__(world.world, "health", Listener())
    async with running(world.service()):
        await asyncio.sleep(70)
        await world.register.pause(PAUSE)
        await asyncio.sleep(120)
        assert said == []
        await world.register.resume()
        await asyncio.sleep(60)
    told = [one.values["Paused"] for one in world.metrics.emitted if "Paused" in one.values]
    assert told == [0, 1, 1, 0]


@in_world(filled=0)
async def test_sweep_and_changes_are_both_left_alone(world: TestWorld) -> None:
    await world.register.pause(PAUSE)
    await world.sweep.send(event(), group="210000000001")
    received: list[Source] = []

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "receive" and not after:
            received.append(Source.SWEEP)

    world.sweep.on_call = world.changes.on_call = on_call
    async with running(world.service(sweep=True)):
        await asyncio.sleep(3600)
    assert received == []
