"""The journey of a published version: its own code, result and state, beside its function's."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import CoverageState
from hub.scans import ScanKey
from spoke.arn import FunctionArn
from spoke.errors import Gone, ScannerCrashed
from spoke.own_requests import scan_request
from tests.worker.worlds import (
    ACCOUNT,
    CODE,
    NEWER_CODE,
    TestWorld,
    event,
    function,
    in_world,
    request,
    snapshot,
    travel,
    travel_again,
)
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import EndingKind

SEVEN = replace(function(), qualifier="7")
PUBLISHED = START - timedelta(days=30)


def published(world: TestWorld, version: FunctionArn = SEVEN, code: str = NEWER_CODE) -> FunctionArn:
    world.spoke.put(snapshot(version, code_sha256=code, last_modified=PUBLISHED, tags={}))
    return version


def asked_for(version: FunctionArn) -> str:
    return scan_request(version, reason="sweep")


@in_world()
async def test_a_request_for_a_version_scans_that_version_and_nothing_else(world: TestWorld) -> None:
    published(world)
    ending, trip = await travel(world, asked_for(SEVEN))
    assert (ending.kind, trip.function) == (EndingKind.STORED, SEVEN)
    assert [run.function for run in world.scanner.runs] == [SEVEN]
    assert [one.arn for one, _ in world.spoke.sessions] == [SEVEN]
    coverage = await world.coverage(SEVEN)
    assert (coverage.function, coverage.state) == (SEVEN, CoverageState.COVERED)
    assert (coverage.as_of, coverage.runtime) == (PUBLISHED, "python3.13")
    assert await world.ledger.coverage(function()) is None, "nothing is known of the function's own code"


@in_world()
async def test_no_tag_is_written_for_a_version(world: TestWorld) -> None:
    published(world)
    await travel(world, asked_for(SEVEN))
    assert world.spoke.tagged == []
    key = ScanKey(SEVEN, (await world.spoke.describe(SEVEN)).fingerprint, world.scanner.profile.id)
    record = (await world.ledger.look_up([key]))[key]
    assert record.owed == frozenset(), "nor is it owed for ever"


@in_world()
async def test_a_version_and_its_function_of_one_code_have_each_a_result(world: TestWorld) -> None:
    published(world, code=CODE)
    first, _ = await travel(world, request())
    second, _ = await travel(world, asked_for(SEVEN), number=2)
    assert (first.kind, second.kind) == (EndingKind.STORED, EndingKind.STORED)
    prefixes = {one.rpartition("/")[0] for one in world.objects.writes}
    assert len(prefixes) == 2, "no result lies over the other"


@in_world()
async def test_a_version_and_its_function_are_scanned_at_once_under_leases_of_their_own(world: TestWorld) -> None:
    published(world, code=CODE)
    (first, _), (second, _) = await asyncio.gather(
        travel(world, request(), number=1), travel(world, asked_for(SEVEN), number=2)
    )
    assert (first.kind, second.kind) == (EndingKind.STORED, EndingKind.STORED)
    assert world.scanner.max_running == 2


@in_world()
async def test_two_requests_for_one_version_are_one_scan(world: TestWorld) -> None:
    published(world)
    (first, _), (second, _) = await asyncio.gather(
        travel(world, asked_for(SEVEN), number=1), travel(world, asked_for(SEVEN), number=2)
    )
    assert {first.kind, second.kind} == {EndingKind.STORED, EndingKind.COALESCED}
    third, _ = await travel(world, asked_for(SEVEN), number=3)
    assert (third.kind, len(world.scanner.runs)) == (EndingKind.COVERED, 1)


@in_world()
async def test_a_change_of_the_function_leaves_its_versions_as_they_are(world: TestWorld) -> None:
    published(world)
    await travel(world, asked_for(SEVEN))
    known = await world.coverage(SEVEN)
    ending, trip = await travel(world, event(), number=2)
    assert (ending.kind, trip.function) == (EndingKind.STORED, function())
    assert await world.coverage(SEVEN) == known


@in_world()
async def test_a_version_that_is_gone_says_nothing_of_its_function(world: TestWorld) -> None:
    await travel(world, request())
    ending, _ = await travel(world, asked_for(SEVEN), number=2)
    assert ending.kind is EndingKind.GONE
    assert (await world.coverage(SEVEN)).state is CoverageState.GONE
    assert (await world.coverage()).state is CoverageState.COVERED


@in_world()
async def test_a_version_deleted_in_mid_scan_is_gone(world: TestWorld) -> None:
    published(world)
    world.scanner.script(SEVEN, Script(duration=timedelta(minutes=5), error=Gone("the scanner failed: not found")))

    async def vanish() -> None:
        await asyncio.sleep(60)
        world.spoke.remove(SEVEN)

    deletion = asyncio.ensure_future(vanish())
    ending, _ = await travel_again(world, asked_for(SEVEN), 2)
    await deletion
    assert ending.kind is EndingKind.GONE


@in_world(exclude_functions="pay*")
async def test_a_pattern_of_names_excludes_versions_too(world: TestWorld) -> None:
    published(world)
    ending, _ = await travel(world, asked_for(SEVEN))
    assert (ending.kind, ending.reason) == (EndingKind.EXCLUDED, "name")
    assert (await world.coverage(SEVEN)).state is CoverageState.EXCLUDED


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_functions_tag_counts_for_its_versions(value: str) -> None:
    @in_world()
    async def main(world: TestWorld) -> None:
        published(world)
        world.spoke.put(snapshot(tags={"QualysScanExclude": value}))
        ending, _ = await travel(world, asked_for(SEVEN))
        assert (ending.kind is EndingKind.EXCLUDED) == (value == "true")
        assert ((await world.coverage(SEVEN)).state is CoverageState.EXCLUDED) == (value == "true")

    main()


@in_world(max_attempts=1)
async def test_a_parked_request_names_the_version(world: TestWorld) -> None:
    published(world)
    world.scanner.script(SEVEN, Script(error=ScannerCrashed("the scanner failed: exit 1")))
    await world.changes.send(asked_for(SEVEN), group=ACCOUNT)
    await world.service().run(drain=True)
    [(_, parking)] = world.changes.parked
    assert (parking.reason, parking.function) == ("scanner_crashed", str(SEVEN))
    assert (await world.coverage(SEVEN)).state is CoverageState.FAILED


@in_world()
async def test_a_version_in_another_account_than_its_envelope_is_parked(world: TestWorld) -> None:
    body = asked_for(SEVEN).replace(f'"account":"{ACCOUNT}"', '"account":"666666666666"')
    ending, _ = await travel(world, body)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "account_mismatch")


@in_world()
async def test_an_alias_stands_for_its_function(world: TestWorld) -> None:
    ending, trip = await travel(world, request(replace(function(), qualifier="live")))
    assert (ending.kind, trip.function) == (EndingKind.STORED, function())


@in_world()
async def test_a_lease_that_a_dead_worker_left_on_a_version_is_given_up_with_its_message(world: TestWorld) -> None:
    published(world)
    fingerprint = (await world.spoke.describe(SEVEN)).fingerprint
    key = ScanKey(SEVEN, fingerprint, world.scanner.profile.id)
    await world.ledger.claim(key, message_id="message-1", now=START, duration=timedelta(minutes=3))
    await world.ledger.release_all(SEVEN, message_id="message-1")
    assert (await world.ledger.look_up([key]))[key].lease is None
