from typing import Any

import pytest

from hub.coverage import CoverageState
from spoke.errors import Unavailable
from tests.worker.hooks import failing
from tests.worker.worlds import ACCOUNT, NEWER_CODE, TestWorld, event, function, in_world, message, snapshot, travel
from worker import states
from worker.memory.clock import START
from worker.trip import Trip


@in_world()
async def test_what_was_written_is_the_state_that_the_trip_leaves(world: TestWorld) -> None:
    trip = Trip(message(event()))
    await states.of_snapshot(snapshot(), CoverageState.SCANNING, "scan 1", trip, world.world)
    assert trip.state is CoverageState.SCANNING
    assert ((await world.coverage()).state, (await world.coverage()).reason) == (CoverageState.SCANNING, "scan 1")


@in_world()
async def test_what_gives_way_to_something_newer_leaves_no_state_known(world: TestWorld) -> None:
    trip = Trip(message(event()))
    await states.of_snapshot(snapshot(), CoverageState.SCANNING, "scan 1", trip, world.world)
    world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START))
    await travel(world, event(code=NEWER_CODE), number=2)
    await states.of_snapshot(snapshot(), CoverageState.PENDING, "throttled", trip, world.world)
    assert trip.state is None
    assert (await world.coverage(function())).state is CoverageState.COVERED


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_write_without_an_answer_leaves_no_state_known(after: bool) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        trip = Trip(message(event()), state=CoverageState.SCANNING)
        world.ledger.on_call = failing("record", Unavailable("DynamoDB does not answer"), after=after)
        with pytest.raises(Unavailable):
            await states.of_snapshot(snapshot(), CoverageState.PENDING, "throttled", trip, world.world)
        assert trip.state is None

    main()


@in_world()
async def test_a_result_is_what_the_function_is_known_by(world: TestWorld) -> None:
    _, trip = await travel(world, event())
    assert trip.summary is not None
    coverage = states.of_result(snapshot(), trip.summary, world.clock.now())
    assert (coverage.state, coverage.reason, coverage.last_good) == (CoverageState.COVERED, "", trip.summary)
    assert (coverage.as_of, coverage.fingerprint) == (snapshot().last_modified, snapshot().fingerprint)


@pytest.mark.parametrize(
    ("changes", "runtime"), [({}, "python3.13"), ({"package_type": "Image", "runtime": None}, "image")]
)
def test_every_state_of_a_function_that_was_seen_tells_its_runtime(changes: dict[str, Any], runtime: str) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        trip = Trip(message(event()))
        await states.of_snapshot(snapshot(**changes), CoverageState.SCANNING, "scan 1", trip, world.world)
        assert (await world.coverage()).runtime == runtime
        _, trip = await travel(world, event())
        assert trip.summary is not None
        assert states.of_result(snapshot(**changes), trip.summary, world.clock.now()).runtime == runtime

    main()


@in_world()
async def test_a_state_of_a_function_that_nobody_could_see_keeps_the_runtime(world: TestWorld) -> None:
    await travel(world, event())
    world.spoke.deny(ACCOUNT)
    await travel(world, event(code=NEWER_CODE), number=2)
    coverage = await world.coverage()
    assert (coverage.state, coverage.runtime) == (CoverageState.NO_ACCESS, "python3.13")


@in_world()
async def test_a_result_names_the_profile_that_it_was_made_with(world: TestWorld) -> None:
    _, trip = await travel(world, event())
    assert trip.summary is not None
    assert trip.summary.profile_id == world.scanner.profile.id
    last_good = (await world.coverage()).last_good
    assert last_good is not None
    assert last_good.profile_id == world.scanner.profile.id
