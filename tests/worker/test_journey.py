import asyncio
from datetime import timedelta

import pytest

from hub.coverage import CoverageState
from hub.notification import NotificationKind
from hub.scans import Effect, PolicyVerdict, ScanStatus
from spoke.errors import (
    NoAccess,
    Throttled,
    Unavailable,
)
from tests.worker.worlds import (
    ACCOUNT,
    NEWER_CODE,
    TestWorld,
    event,
    function,
    in_world,
    key_of,
    request,
    snapshot,
    travel,
)
from worker.memory.artifacts import memory_artifacts
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import EndingKind


@in_world()
async def test_a_change_becomes_a_stored_committed_tagged_and_told_result(world: TestWorld) -> None:
    ending, trip = await travel(world, event())

    assert (ending.kind, ending.reason) == (EndingKind.STORED, "success")
    assert world.objects.writes[-1].endswith("/manifest.json"), "the manifest is the commit mark: it comes last"
    coverage = await world.coverage()
    assert coverage.state is CoverageState.COVERED
    assert coverage.as_of == snapshot().last_modified
    assert coverage.last_good is not None
    assert coverage.last_good.manifest_key == world.objects.writes[-1]
    assert coverage.last_good.scan_id == trip.scan_id
    [(tagged, tags)] = world.spoke.tagged
    assert tagged == function()
    assert set(tags) == {"QualysScanTimestamp", "QualysScanStatus", "QualysScanTag"}
    assert tags["QualysScanStatus"] == "success"
    [told] = world.notifier.told
    assert (told.kind, told.reason) == (NotificationKind.FINDINGS, "1 high")
    record = (await world.ledger.look_up([key_of(world)]))[key_of(world)]
    assert (record.owed, record.lease) == (frozenset(), None)
    assert world.metrics.total("ScansCompleted") == 1
    assert world.metrics.total("ScanDuration") == pytest.approx(30)


@in_world()
async def test_the_scanner_gets_a_session_of_its_own_for_each_scan(world: TestWorld) -> None:
    await travel(world, event())
    world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START))
    await travel(world, event(code=NEWER_CODE), number=2)
    assert [taken.fingerprint for taken, _ in world.spoke.sessions] == [
        snapshot().fingerprint,
        snapshot(code_sha256=NEWER_CODE).fingerprint,
    ]
    assert len({run.session for run in world.scanner.runs}) == 2


@in_world()
async def test_a_covered_event_costs_one_look_up_and_no_call_to_the_spoke(world: TestWorld) -> None:
    await travel(world, event())
    calls: list[str] = []

    async def on_call(operation: str, *, after: bool) -> None:
        if not after:
            calls.append(operation)

    world.ledger.on_call = on_call
    world.spoke.fail("describe", AssertionError("the spoke must not be asked"))
    ending, _ = await travel(world, event(), number=2)
    assert (ending.kind, ending.reason) == (EndingKind.COVERED, "fresh")
    assert calls == ["look_up"]


@in_world()
async def test_a_rollback_to_scanned_code_is_covered_again_without_a_scan(world: TestWorld) -> None:
    await travel(world, event())
    world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START))
    await travel(world, event(code=NEWER_CODE), number=2)
    rolled_back = snapshot(last_modified=START + timedelta(minutes=1))
    world.spoke.put(rolled_back)
    ending, _ = await travel(world, event(), number=3)
    assert ending.kind is EndingKind.COVERED
    assert len(world.scanner.runs) == 2
    coverage = await world.coverage()
    assert (coverage.fingerprint, coverage.as_of) == (rolled_back.fingerprint, rolled_back.last_modified)


@in_world(cache_ttl_days=1)
async def test_a_result_past_its_freshness_is_scanned_again(world: TestWorld) -> None:
    await travel(world, event())
    await asyncio.sleep(timedelta(days=2).total_seconds())
    ending, _ = await travel(world, event(), number=2)
    assert ending.kind is EndingKind.STORED
    assert len(world.scanner.runs) == 2


@in_world()
async def test_a_body_that_cannot_be_read_is_parked_at_once(world: TestWorld) -> None:
    ending, trip = await travel(world, "{not json")
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "not_json")
    assert trip.change is None


@in_world()
async def test_a_failed_call_is_ignored_with_its_reason(world: TestWorld) -> None:
    failed = event(code=None).replace('"eventName"', '"errorCode": "AccessDenied", "eventName"')
    ending, _ = await travel(world, failed)
    assert (ending.kind, ending.reason) == (EndingKind.IGNORED, "failed_call")


@in_world()
async def test_a_body_that_names_another_account_than_its_envelope_is_parked(world: TestWorld) -> None:
    ending, _ = await travel(world, event(account="666666666666"))
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "account_mismatch")
    assert "666666666666" in ending.detail
    assert ACCOUNT in ending.detail
    assert world.scanner.runs == []


@in_world()
async def test_a_body_that_names_another_region_than_its_envelope_is_parked(world: TestWorld) -> None:
    ending, _ = await travel(world, event().replace('"region": "eu-central-1"', '"region": "us-east-1"'))
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "region_mismatch")


@in_world(exclude_functions="aws-controltower-*,pay*")
async def test_a_name_pattern_excludes_without_a_call_to_the_spoke(world: TestWorld) -> None:
    world.spoke.fail("describe", AssertionError("the spoke must not be asked"))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.EXCLUDED, "name")
    coverage = await world.coverage()
    assert (coverage.state, coverage.reason) == (CoverageState.EXCLUDED, "the name matches pay*")


@in_world(exclude_accounts=f"999999999999,{ACCOUNT}", exclude_functions="pay*")
async def test_an_excluded_account_excludes_all_its_functions_without_a_call_to_the_spoke(world: TestWorld) -> None:
    world.spoke.deny(ACCOUNT)
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.EXCLUDED, "account")
    coverage = await world.coverage()
    assert (coverage.state, coverage.reason) == (CoverageState.EXCLUDED, f"the account {ACCOUNT} is excluded")
    elsewhere = function("refunds", account="210000000002")
    world.spoke.put(snapshot(elsewhere))
    ending, _ = await travel(world, event(elsewhere), number=2)
    assert ending.kind is EndingKind.STORED


@pytest.mark.parametrize(("value", "excluded"), [("true", True), ("yes please", True), ("false", False)])
def test_a_tag_excludes_unless_it_says_false(value: str, excluded: bool) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        world.spoke.put(snapshot(tags={"QualysScanExclude": value}))
        ending, _ = await travel(world, event())
        assert (ending.kind is EndingKind.EXCLUDED) == excluded
        assert ((await world.coverage()).state is CoverageState.EXCLUDED) == excluded
        assert (world.scanner.runs == []) == excluded

    body()


@in_world()
async def test_a_deletion_is_believed_only_when_the_function_is_not_there(world: TestWorld) -> None:
    deletion = event(name="DeleteFunction20150331", code=None)
    ending, _ = await travel(world, deletion)
    assert ending.kind is EndingKind.STORED, "it was created anew since: what is there is scanned"
    world.spoke.remove(function())
    ending, _ = await travel(world, deletion, number=2)
    assert ending.kind is EndingKind.GONE
    assert (await world.coverage()).last_good is not None, "the last good result survives"


@in_world()
async def test_what_another_message_scans_is_coalesced(world: TestWorld) -> None:
    await world.ledger.claim(
        key_of(world), message_id="another", now=world.clock.now(), duration=timedelta(seconds=180)
    )
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.COALESCED
    assert "another" in ending.detail


@in_world()
async def test_exit_40_is_partial_and_never_clean(world: TestWorld) -> None:
    world.scanner.script(
        function(),
        Script(
            status=ScanStatus.PARTIAL,
            exit_code=40,
            reasons=("report_pending",),
            report_owed=True,
            artifacts=lambda _: memory_artifacts(report=False),
        ),
    )
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.STORED, "partial")
    coverage = await world.coverage()
    assert coverage.state is CoverageState.PARTIAL
    assert "report_pending" in coverage.reason
    assert coverage.last_good is not None
    assert coverage.last_good.fresh_until - coverage.last_good.completed_at == timedelta(hours=6)


@in_world()
async def test_no_packages_is_partial(world: TestWorld) -> None:
    world.scanner.script(function(), Script(artifacts=lambda _: memory_artifacts(vulnerabilities=(), packages=())))
    await travel(world, event())
    coverage = await world.coverage()
    assert (coverage.state, coverage.reason) == (CoverageState.PARTIAL, "no_packages")


@in_world()
async def test_a_policy_deny_is_a_verdict_and_no_error(world: TestWorld) -> None:
    world.scanner.script(function(), Script(exit_code=42, policy=PolicyVerdict.DENY))
    ending, trip = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    assert trip.summary is not None
    assert trip.summary.policy is PolicyVerdict.DENY


@in_world()
async def test_a_retry_after_the_commit_finishes_the_effects_and_scans_no_more(world: TestWorld) -> None:
    async def silent(operation: str, *, after: bool) -> None:
        if not after:
            raise Unavailable(f"{operation}: SNS does not answer")

    world.notifier.on_call = silent
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK
    assert (await world.coverage()).state is CoverageState.COVERED, "the result stands: only an effect is owed"
    world.notifier.on_call = None
    ending, _ = await travel(world, event(), receive_count=2)
    assert ending.kind is EndingKind.STORED
    assert len(world.scanner.runs) == 1
    assert len(world.spoke.tagged) == 1, "the tag was marked done before"
    assert len(world.notifier.told) == 1


@in_world()
async def test_a_commit_whose_answer_was_lost_is_not_scanned_again(world: TestWorld) -> None:
    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "commit" and after:
            world.ledger.on_call = None
            raise Unavailable("time-out after the effect")

    world.ledger.on_call = on_call
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK
    ending, _ = await travel(world, event(), receive_count=2)
    assert ending.kind is EndingKind.STORED
    assert len(world.scanner.runs) == 1
    assert len(world.notifier.told) == 1


@in_world()
async def test_another_message_leaves_the_owed_effects_to_the_one_that_scanned(world: TestWorld) -> None:
    world.spoke.fail("tag", Throttled("slow down"))
    await travel(world, event())
    ending, _ = await travel(world, event(), number=2)
    assert ending.kind is EndingKind.COVERED
    assert world.spoke.tagged == []


@in_world()
async def test_a_function_that_may_not_be_tagged_is_covered_all_the_same(world: TestWorld) -> None:
    world.spoke.fail("tag", NoAccess("the role may not tag"))
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    record = (await world.ledger.look_up([key_of(world)]))[key_of(world)]
    assert Effect.TAG not in record.owed


@in_world(enable_tagging=False, notify_severity="critical")
async def test_what_the_settings_do_not_ask_for_is_not_owed(world: TestWorld) -> None:
    await travel(world, event())
    assert world.spoke.tagged == []
    assert world.notifier.told == []


@in_world()
async def test_a_forced_request_scans_although_a_fresh_result_is_there(world: TestWorld) -> None:
    await travel(world, event())
    assert (await travel(world, request(), number=2))[0].kind is EndingKind.COVERED
    assert (await travel(world, request(force=True), number=3))[0].kind is EndingKind.STORED
    assert len(world.scanner.runs) == 2


@in_world()
async def test_a_forced_request_that_comes_again_after_its_commit_is_not_forced_twice(world: TestWorld) -> None:
    world.spoke.fail("tag", Throttled("slow down"))
    assert (await travel(world, request(force=True)))[0].kind is EndingKind.GIVEN_BACK
    await asyncio.sleep(10)  # an account that throttles is paused
    assert (await travel(world, request(force=True), receive_count=2))[0].kind is EndingKind.STORED
    assert len(world.scanner.runs) == 1
    assert len(world.spoke.tagged) == 1


@in_world()
async def test_an_older_snapshot_never_replaces_the_state_of_a_newer_one(world: TestWorld) -> None:
    newer = snapshot(code_sha256=NEWER_CODE, last_modified=START)

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "commit" and not after:
            # While the older code was scanned, the function changed and the newer code was scanned elsewhere.
            world.ledger.on_call = None
            world.spoke.put(newer)
            await travel(world, event(code=NEWER_CODE), number=2)

    world.ledger.on_call = on_call
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED
    assert (await world.coverage()).fingerprint == newer.fingerprint
    record = (await world.ledger.look_up([key_of(world)]))[key_of(world)]
    assert record.summary is not None, "the older result is kept under its own fingerprint"


def test_a_claim_is_held_by_one_of_two_messages() -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        endings = await asyncio.gather(travel(world, event()), travel(world, event(), number=2))
        assert sorted(ending.kind.value for ending, _ in endings) == ["coalesced", "stored"]
        assert world.scanner.overlaps() == []

    body()
