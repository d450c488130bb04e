import asyncio
from datetime import timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from spoke.errors import NoAccess, Throttled, Unavailable
from tests.worker.worlds import (
    ACCOUNT,
    CODE,
    NEWER_CODE,
    TestWorld,
    event,
    function,
    in_world,
    key_of,
    snapshot,
    travel,
    travel_again,
)
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import EndingKind


async def deploy(world: TestWorld, *, after: float, code: str = NEWER_CODE) -> None:
    await asyncio.sleep(after)
    world.spoke.put(snapshot(code_sha256=code, last_modified=START + timedelta(seconds=after)))


@in_world()
async def test_code_changed_in_mid_scan_is_not_stored_as_what_was_described(world: TestWorld) -> None:
    deployed = asyncio.ensure_future(deploy(world, after=10))
    ending, trip = await travel(world, event())
    await deployed
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "code_changed")
    assert [failure.reason for failure in trip.history] == ["code_changed"]
    assert world.objects.writes == []
    ending, _ = await travel(world, event(), receive_count=2)
    assert ending.kind is EndingKind.STORED
    records = await world.ledger.look_up([key_of(world), key_of(world, NEWER_CODE)])
    assert [key.fingerprint for key, record in records.items() if record.summary] == [
        snapshot(code_sha256=NEWER_CODE).fingerprint
    ]


@in_world()
async def test_a_configuration_updated_in_mid_scan_does_not_leave_the_function_pending(world: TestWorld) -> None:
    """Its event finds an update in progress and writes that down; later it joins the scan, which began before."""
    first = asyncio.ensure_future(travel(world, event()))
    await asyncio.sleep(10)
    updated = START + timedelta(seconds=10)
    world.spoke.put(snapshot(last_modified=updated, last_update_status="InProgress"))
    ending, _ = await travel(world, event(name="UpdateFunctionConfiguration20150331v2"), number=2)
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "not_ready")
    world.spoke.put(snapshot(last_modified=updated))
    ending, _ = await travel(world, event(), number=2, receive_count=2)
    assert ending.kind is EndingKind.COALESCED
    ending, _ = await first
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "code_changed")
    ending, _ = await travel(world, event(), receive_count=2)
    assert ending.kind is EndingKind.STORED
    coverage = await world.coverage()
    assert (coverage.state, coverage.as_of) == (CoverageState.COVERED, updated)


@in_world()
async def test_a_result_catches_up_with_what_became_known_of_the_same_code_meanwhile(world: TestWorld) -> None:
    """Modified between the look after the scan and the commit: who wrote that down has joined this scan since."""
    newer = START + timedelta(seconds=30)

    async def modify(operation: str, *, after: bool) -> None:
        if operation == "commit" and not after:
            world.ledger.on_call = None
            world.spoke.put(snapshot(last_modified=newer))
            await world.ledger.record(
                Coverage(
                    function=function(),
                    state=CoverageState.PENDING,
                    at=world.clock.now(),
                    as_of=newer,
                    fingerprint=snapshot().fingerprint,
                )
            )

    world.ledger.on_call = modify
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    coverage = await world.coverage()
    assert (coverage.state, coverage.as_of) == (CoverageState.COVERED, newer)


@in_world()
async def test_code_rolled_back_before_the_scan_has_ended_is_not_taken_for_what_was_read(world: TestWorld) -> None:
    first = asyncio.ensure_future(travel(world, event()))
    await deploy(world, after=5)
    await deploy(world, after=5, code=CODE)
    ending, _ = await first
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "code_changed")
    assert world.objects.writes == []


@in_world()
async def test_a_function_deployed_faster_than_it_is_scanned_has_a_result_that_says_so(world: TestWorld) -> None:
    async def deploy_all_the_time() -> None:
        for number in range(1000):
            await asyncio.sleep(20)
            code = f"{number:043}="
            world.spoke.put(snapshot(code_sha256=code, last_modified=START + timedelta(seconds=20 * number)))

    deploying = asyncio.ensure_future(deploy_all_the_time())
    ending, trip = await travel_again(world, event(), 3)
    deploying.cancel()
    assert ending.kind is EndingKind.STORED
    assert len(trip.history) == 3
    coverage = await world.coverage()
    assert (coverage.state, coverage.reason) == (CoverageState.PARTIAL, "code_changed")
    assert coverage.last_good is not None
    assert coverage.last_good.fresh_until <= world.clock.now() + timedelta(hours=6)


@in_world()
async def test_a_function_deleted_in_mid_scan_is_gone_and_has_no_result(world: TestWorld) -> None:
    asyncio.get_running_loop().call_later(10, world.spoke.remove, function())
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GONE
    assert (await world.coverage()).state is CoverageState.GONE
    assert world.objects.writes == []


@in_world()
async def test_a_hiccup_after_the_scan_does_not_cost_the_scan(world: TestWorld) -> None:
    def hiccup() -> None:
        world.spoke.fail("describe", Unavailable("no answer"))
        world.spoke.fail("describe", Throttled("TooManyRequestsException"))

    asyncio.get_running_loop().call_later(10, hiccup)
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    assert (await world.coverage()).state is CoverageState.COVERED
    assert len(world.scanner.runs) == 1


@pytest.mark.parametrize("error", [NoAccess("the role was revoked"), Unavailable("no answer")])
def test_what_cannot_be_verified_is_stored_but_never_as_a_whole_result(error: Exception) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        def away() -> None:
            for _ in range(10):
                world.spoke.fail("describe", error)

        asyncio.get_running_loop().call_later(10, away)
        await travel(world, event())
        coverage = await world.coverage()
        assert (coverage.state, coverage.reason) == (CoverageState.PARTIAL, "code_not_verified")

    body()


@in_world()
async def test_a_scanner_that_is_throttled_in_the_account_pauses_the_account(world: TestWorld) -> None:
    world.scanner.script(function(), Script(error=Throttled("operation error Lambda: TooManyRequestsException")))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "throttled")
    ending, trip = await travel(world, event(function("another")), number=2)
    assert (ending.kind, ending.reason, trip.history) == (EndingKind.GIVEN_BACK, "account_paused", ())
    assert ACCOUNT in ending.detail
