"""What a ledger promises, asked of DynamoDB (moto) and of the one in memory alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hub.coverage import CoverageState
from hub.ledger_items import scan_item_key, state_item_key
from hub.ledger_schema import Key
from hub.scans import CLOCK_SKEW, Claimed, Effect, Fresh, Held, Lease, ScanKey
from hub.tries import Failure
from infra.local.mends import dynamodb_atomicity
from spoke.arn import FunctionArn
from spoke.errors import LeaseLost, Misconfigured
from tests.conftest import REGION
from tests.ledger_rig import DynamoRig, LedgerRig, MemoryRig, create_table
from tests.ledger_samples import (
    CHECKOUT,
    FAILED,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OLD_CODE,
    OTHER_MESSAGE,
    OVER,
    PARTIAL,
    PROFILE,
    REFUNDS,
    SECOND,
    SUMMARY,
    coverage,
)

EVERY_EFFECT = frozenset(Effect)


@pytest.fixture(params=["memory", "dynamodb"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[LedgerRig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    session = request.getfixturevalue("aws")
    async with session.create_client("dynamodb", region_name=REGION) as client:
        await create_table(client)
        with dynamodb_atomicity.mended():
            yield DynamoRig(client)


async def claimed(
    rig: LedgerRig,
    *,
    key: ScanKey = KEY,
    message_id: str = MESSAGE,
    now: datetime = NOW,
    duration: timedelta = LEASE,
    force: bool = False,
) -> Lease:
    claim = await rig.ledger.claim(key, message_id=message_id, now=now, duration=duration, force=force)
    assert isinstance(claim, Claimed), claim
    return claim.lease


class TestClaim:
    async def test_the_first_claim_gets_the_lease(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        assert (lease.key, lease.message_id, lease.expires_at) == (KEY, MESSAGE, NOW + LEASE)
        assert lease.owner
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert record.lease == lease
        assert record.summary is None

    async def test_two_claims_at_once_yield_exactly_one_lease(self, rig: LedgerRig) -> None:
        claims = await asyncio.gather(
            *(rig.ledger.claim(KEY, message_id=one, now=NOW, duration=LEASE) for one in (MESSAGE, OTHER_MESSAGE))
        )
        won = [claim for claim in claims if isinstance(claim, Claimed)]
        lost = [claim for claim in claims if isinstance(claim, Held)]
        assert len(won) == len(lost) == 1
        assert lost[0] == Held(won[0].lease.message_id, NOW + OVER)

    async def test_a_live_lease_names_the_message_that_holds_it(self, rig: LedgerRig) -> None:
        await claimed(rig)
        last_moment = NOW + OVER - timedelta(milliseconds=1)
        assert await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=last_moment, duration=LEASE) == Held(
            MESSAGE, NOW + OVER
        )

    async def test_an_earlier_delivery_of_the_same_message_holds_too(self, rig: LedgerRig) -> None:
        await claimed(rig)
        assert await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE) == Held(MESSAGE, NOW + OVER)

    async def test_a_lease_that_expired_is_claimable(self, rig: LedgerRig) -> None:
        first = await claimed(rig)
        second = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        assert second.owner != first.owner
        assert (await rig.ledger.look_up([KEY]))[KEY].lease == second

    async def test_the_end_of_a_lease_waits_for_clocks_that_are_behind(self, rig: LedgerRig) -> None:
        """By the holder's clock, ten seconds slow, the lease is still good; freshness has no such margin."""
        short = replace(SUMMARY, fresh_until=NOW + LEASE)
        await rig.ledger.commit(await claimed(rig), short, coverage(), owed=())
        forced = await claimed(rig, force=True)
        for force in (True, False):
            claim = await rig.ledger.claim(
                KEY, message_id=OTHER_MESSAGE, now=forced.expires_at, duration=LEASE, force=force
            )
            assert claim == Held(MESSAGE, forced.expires_at + timedelta(seconds=10))
        late = NOW + OVER + timedelta(microseconds=999)
        assert (await claimed(rig, message_id=OTHER_MESSAGE, now=late)).owner != forced.owner

    async def test_a_lease_that_another_takes_over_was_abandoned_by_its_message(self, rig: LedgerRig) -> None:
        await claimed(rig)
        for now, message_id, before in (
            (NOW + OVER, OTHER_MESSAGE, MESSAGE),
            (NOW + 2 * OVER, OTHER_MESSAGE, OTHER_MESSAGE),
            (NOW + 3 * OVER, MESSAGE, OTHER_MESSAGE),
        ):
            claim = await rig.ledger.claim(KEY, message_id=message_id, now=now, duration=LEASE)
            assert isinstance(claim, Claimed)
            assert claim.abandoned_by == before

    async def test_a_lease_that_was_given_up_or_committed_is_not_abandoned(self, rig: LedgerRig) -> None:
        first = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(first, Claimed)
        await rig.ledger.release(first.lease)
        second = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(second, Claimed)
        await rig.ledger.commit(second.lease, SUMMARY, coverage(), owed=())
        third = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE, force=True)
        assert isinstance(third, Claimed)
        assert [one.abandoned_by for one in (first, second, third)] == [None] * 3

    async def test_a_lease_is_kept_in_whole_milliseconds(self, rig: LedgerRig) -> None:
        lease = await claimed(rig, now=NOW + timedelta(microseconds=777))
        assert lease.expires_at == NOW + LEASE
        assert (await rig.ledger.look_up([KEY]))[KEY].lease == lease

    async def test_other_code_and_another_profile_have_leases_of_their_own(self, rig: LedgerRig) -> None:
        await claimed(rig)
        await claimed(rig, key=ScanKey(CHECKOUT, OLD_CODE, PROFILE.id))
        await claimed(rig, key=ScanKey(CHECKOUT, NEW_CODE, replace(PROFILE, version="4.9.0-1").id))
        await claimed(rig, key=ScanKey(REFUNDS, NEW_CODE, PROFILE.id))

    async def test_a_qualifier_is_no_part_of_the_key(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        live = replace(KEY, function=replace(CHECKOUT, qualifier="live"))
        assert await rig.ledger.claim(live, message_id=OTHER_MESSAGE, now=NOW, duration=LEASE) == Held(
            MESSAGE, lease.expires_at + CLOCK_SKEW
        )

    async def test_a_fresh_result_is_answered_with_its_record(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG})
        now = SUMMARY.fresh_until - timedelta(milliseconds=1)
        claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=now, duration=LEASE)
        assert isinstance(claim, Fresh)
        assert claim.record.summary == SUMMARY
        assert claim.record.owed == {Effect.TAG}
        assert claim.record.committed_by == MESSAGE

    async def test_a_result_that_is_not_fresh_any_more_is_claimable_and_stays(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        await claimed(rig, now=SUMMARY.fresh_until)
        assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY

    async def test_a_failed_result_is_never_fresh(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), FAILED, coverage(CoverageState.FAILED), owed=())
        await claimed(rig, message_id=OTHER_MESSAGE, now=FAILED.completed_at)

    async def test_force_claims_over_a_fresh_result_but_not_over_a_live_lease(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        forced = await claimed(rig, now=NOW + 2 * MINUTE, force=True)
        again = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + 2 * MINUTE, duration=LEASE, force=True)
        assert again == Held(MESSAGE, forced.expires_at + CLOCK_SKEW)

    async def test_while_a_scan_is_repeated_by_force_others_are_served_by_the_fresh_result(
        self, rig: LedgerRig
    ) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        await claimed(rig, now=NOW + 2 * MINUTE, force=True)
        claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + 2 * MINUTE, duration=LEASE)
        assert isinstance(claim, Fresh)


class TestRenewAndRelease:
    async def test_a_renewed_lease_holds_until_its_new_end(self, rig: LedgerRig) -> None:
        lease = await rig.ledger.renew(await claimed(rig), now=NOW + MINUTE, duration=LEASE)
        assert lease.expires_at == NOW + MINUTE + LEASE
        claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + OVER, duration=LEASE)
        assert claim == Held(MESSAGE, lease.expires_at + CLOCK_SKEW)

    async def test_a_lease_that_ended_but_that_nobody_took_can_be_renewed(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        late = NOW + 2 * LEASE
        assert (await rig.ledger.renew(lease, now=late, duration=LEASE)).expires_at == late + LEASE

    async def test_a_lease_that_another_took_cannot_be_renewed(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        taken = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        with pytest.raises(LeaseLost, match="checkout-api"):
            await rig.ledger.renew(lease, now=NOW + OVER, duration=LEASE)
        assert (await rig.ledger.look_up([KEY]))[KEY].lease == taken

    async def test_a_lease_that_never_was_cannot_be_renewed_and_leaves_no_item(self, rig: LedgerRig) -> None:
        with pytest.raises(LeaseLost):
            await rig.ledger.renew(Lease(KEY, MESSAGE, "nobody", NOW), now=NOW, duration=LEASE)
        assert await rig.items() == {}

    async def test_after_a_release_the_key_is_free_at_once(self, rig: LedgerRig) -> None:
        await rig.ledger.release(await claimed(rig))
        assert (await rig.ledger.look_up([KEY]))[KEY].lease is None
        await claimed(rig, message_id=OTHER_MESSAGE)

    async def test_release_by_the_old_owner_leaves_the_new_lease_alone(self, rig: LedgerRig) -> None:
        old = await claimed(rig)
        new = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        await rig.ledger.release(old)
        assert (await rig.ledger.look_up([KEY]))[KEY].lease == new

    async def test_release_twice_or_of_nothing_does_nothing(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.release(lease)
        await rig.ledger.release(lease)
        await rig.ledger.release(Lease(replace(KEY, function=REFUNDS), MESSAGE, "nobody", NOW))
        assert set(await rig.items()) == {scan_item_key(KEY)}

    async def test_a_message_that_goes_leaves_no_lease_behind_on_any_code(self, rig: LedgerRig) -> None:
        """Others would join it, and be deleted, while nobody scans for them."""
        older = replace(KEY, fingerprint=OLD_CODE)
        for key, message_id in ((KEY, MESSAGE), (older, MESSAGE)):
            await rig.ledger.claim(key, message_id=message_id, now=NOW, duration=LEASE)
        elsewhere = replace(KEY, function=REFUNDS)
        await rig.ledger.claim(elsewhere, message_id="another", now=NOW, duration=LEASE)
        other_code = replace(KEY, profile_id="0123456789ab")
        await rig.ledger.claim(other_code, message_id="another", now=NOW, duration=LEASE)
        await rig.ledger.release_all(KEY.function, message_id=MESSAGE)
        for key in (KEY, older):
            assert isinstance(await rig.ledger.claim(key, message_id="x", now=NOW, duration=LEASE), Claimed)
        for key in (elsewhere, other_code):
            assert isinstance(await rig.ledger.claim(key, message_id="x", now=NOW, duration=LEASE), Held)
        await rig.ledger.release_all(KEY.function, message_id="nobody")

    async def test_a_release_keeps_the_result_before_it(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=EVERY_EFFECT)
        await rig.ledger.release(await claimed(rig, message_id=OTHER_MESSAGE, force=True))
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert (record.summary, record.owed, record.committed_by) == (SUMMARY, EVERY_EFFECT, MESSAGE)


class TestCommit:
    async def test_a_commit_stores_the_result_and_the_coverage_and_ends_the_lease(self, rig: LedgerRig) -> None:
        covered = coverage()
        assert await rig.ledger.commit(await claimed(rig), SUMMARY, covered, owed=EVERY_EFFECT)
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert record.lease is None
        assert record.summary == SUMMARY
        assert record.owed == EVERY_EFFECT
        assert record.committed_by == MESSAGE
        assert record.coverage_fingerprint == NEW_CODE
        assert await rig.ledger.coverage(CHECKOUT) == replace(covered, last_good=SUMMARY)

    async def test_everything_in_a_partial_result_comes_back(self, rig: LedgerRig) -> None:
        partial = coverage(CoverageState.PARTIAL, reason="report_pending")
        await rig.ledger.commit(await claimed(rig), PARTIAL, partial, owed=())
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert record.summary == PARTIAL
        assert record.owed == frozenset()
        assert await rig.ledger.coverage(CHECKOUT) == replace(partial, last_good=PARTIAL)

    async def test_severities_come_back_lowest_first(self, rig: LedgerRig) -> None:
        backwards = replace(SUMMARY, severities=dict(reversed(list(SUMMARY.severities.items()))))
        await rig.ledger.commit(await claimed(rig), backwards, coverage(), owed=())
        summary = (await rig.ledger.look_up([KEY]))[KEY].summary
        assert summary is not None
        assert list(summary.severities.items()) == list(SUMMARY.severities.items())

    async def test_a_commit_after_losing_the_lease_stores_nothing(self, rig: LedgerRig) -> None:
        old = await claimed(rig)
        await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        before = await rig.items()
        with pytest.raises(LeaseLost):
            await rig.ledger.commit(old, SUMMARY, coverage(), owed=EVERY_EFFECT)
        assert await rig.items() == before
        assert await rig.ledger.coverage(CHECKOUT) is None

    async def test_a_commit_without_any_lease_stores_nothing(self, rig: LedgerRig) -> None:
        with pytest.raises(LeaseLost):
            await rig.ledger.commit(Lease(KEY, MESSAGE, "nobody", NOW), SUMMARY, coverage(), owed=())
        assert await rig.items() == {}

    async def test_a_commit_under_a_lease_that_ended_but_that_nobody_took_stands(self, rig: LedgerRig) -> None:
        lease = await claimed(rig, duration=SECOND)
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())

    async def test_an_older_snapshot_never_overwrites_the_coverage_of_a_newer(self, rig: LedgerRig) -> None:
        newer = coverage(CoverageState.SCANNING, as_of=NOW, at=NOW, reason="scan 20261121T093000000Z-00000000")
        old_key = replace(KEY, fingerprint=OLD_CODE)
        lease = await claimed(rig, key=old_key)
        await rig.ledger.record(newer)
        older = coverage(as_of=NOW - SECOND, code=OLD_CODE)
        assert await rig.ledger.commit(lease, SUMMARY, older, owed={Effect.TAG}) is False
        assert await rig.ledger.coverage(CHECKOUT) == newer
        record = (await rig.ledger.look_up([old_key]))[old_key]
        assert (record.summary, record.owed, record.lease) == (SUMMARY, frozenset({Effect.TAG}), None)

    async def test_losing_the_lease_and_an_older_snapshot_at_once_is_a_lost_lease(self, rig: LedgerRig) -> None:
        old = await claimed(rig)
        new = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        await rig.ledger.record(coverage(as_of=NOW))
        with pytest.raises(LeaseLost):
            await rig.ledger.commit(old, SUMMARY, coverage(), owed=())
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert (record.summary, record.lease) == (None, new)

    async def test_a_commit_repeated_after_a_lost_answer_succeeds(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
        assert await rig.ledger.commit(lease, SUMMARY, coverage(at=NOW + 2 * MINUTE), owed=EVERY_EFFECT)

    async def test_a_repeated_commit_does_not_owe_again_what_was_done_meanwhile(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
        await rig.ledger.mark_done(KEY, {Effect.NOTIFY}, scan_id=SUMMARY.scan_id)
        await rig.ledger.commit(lease, SUMMARY, coverage(at=NOW + 2 * MINUTE), owed=EVERY_EFFECT)
        assert (await rig.ledger.look_up([KEY]))[KEY].owed == EVERY_EFFECT - {Effect.NOTIFY}

    async def test_a_repeated_commit_leaves_a_later_lease_alone(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
        forced = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
        assert (await rig.ledger.look_up([KEY]))[KEY].lease == forced

    async def test_a_repeated_commit_of_an_older_snapshot_says_so_again(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.record(coverage(as_of=NOW))
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=()) is False
        assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=()) is False

    async def test_another_scan_of_the_same_owner_is_no_repetition(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
        with pytest.raises(LeaseLost):
            await rig.ledger.commit(lease, PARTIAL, coverage(), owed=())
        assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY

    async def test_a_failed_scan_keeps_the_last_good_result(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        failed = coverage(CoverageState.FAILED, at=NOW + 3 * MINUTE, reason="scanner_crashed")
        assert await rig.ledger.commit(await claimed(rig, force=True), FAILED, failed, owed=())
        assert await rig.ledger.coverage(CHECKOUT) == replace(failed, last_good=SUMMARY)
        assert (await rig.ledger.look_up([KEY]))[KEY].summary == FAILED

    async def test_a_new_result_replaces_what_the_one_before_still_owed(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=EVERY_EFFECT)
        lease = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
        await rig.ledger.commit(lease, PARTIAL, coverage(CoverageState.PARTIAL, at=NOW + 2 * MINUTE), owed=())
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert (record.owed, record.committed_by) == (frozenset(), OTHER_MESSAGE)


class TestMarkDone:
    async def test_each_effect_is_done_on_its_own_and_twice_is_once(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG, Effect.METRICS})
        for left in ({Effect.METRICS}, {Effect.METRICS}):
            await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
            assert (await rig.ledger.look_up([KEY]))[KEY].owed == left
        await rig.ledger.mark_done(KEY, {Effect.METRICS}, scan_id=SUMMARY.scan_id)
        await rig.ledger.mark_done(KEY, {Effect.METRICS}, scan_id=SUMMARY.scan_id)
        record = (await rig.ledger.look_up([KEY]))[KEY]
        assert record.owed == frozenset()
        assert record.summary == SUMMARY

    async def test_a_slow_worker_does_not_clear_what_a_newer_result_owes(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG})
        lease = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
        newer = coverage(CoverageState.PARTIAL, at=NOW + 2 * MINUTE)
        await rig.ledger.commit(lease, PARTIAL, newer, owed={Effect.TAG})
        await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
        assert (await rig.ledger.look_up([KEY]))[KEY].owed == {Effect.TAG}
        await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=PARTIAL.scan_id)
        assert (await rig.ledger.look_up([KEY]))[KEY].owed == frozenset()

    async def test_of_an_item_that_is_not_there_it_makes_none(self, rig: LedgerRig) -> None:
        await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
        assert await rig.items() == {}


class TestRecord:
    async def test_a_function_never_seen_has_no_coverage(self, rig: LedgerRig) -> None:
        assert await rig.ledger.coverage(CHECKOUT) is None

    async def test_what_was_recorded_is_read(self, rig: LedgerRig) -> None:
        scanning = coverage(CoverageState.SCANNING, reason="scan 20261121T093000000Z-00000000")
        assert await rig.ledger.record(scanning)
        assert await rig.ledger.coverage(CHECKOUT) == scanning
        assert await rig.ledger.coverage(replace(CHECKOUT, qualifier="live")) == scanning

    async def test_the_reason_goes_with_its_state(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING, reason="try 1: throttled"))
        await rig.ledger.record(coverage(CoverageState.COVERED))
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert stored.reason == ""

    @pytest.mark.parametrize(
        ("older_at", "newer_at"),
        [(NOW, NOW + MINUTE), (NOW + MINUTE, NOW), (NOW, NOW)],
        ids=["written-earlier", "written-later", "written-at-once"],
    )
    async def test_a_newer_snapshot_wins_in_whichever_order_they_are_written(
        self, rig: LedgerRig, older_at: datetime, newer_at: datetime
    ) -> None:
        older = coverage(as_of=NOW - SECOND, code=OLD_CODE, at=older_at)
        newer = coverage(CoverageState.SCANNING, as_of=NOW, at=newer_at)
        assert await rig.ledger.record(older)
        assert await rig.ledger.record(newer)
        assert await rig.ledger.record(older) is False
        assert await rig.ledger.coverage(CHECKOUT) == newer

    async def test_scanning_written_late_does_not_hide_covered_of_the_same_snapshot(self, rig: LedgerRig) -> None:
        covered = coverage(at=NOW + MINUTE)
        await rig.ledger.record(covered)
        assert await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW)) is False
        assert await rig.ledger.coverage(CHECKOUT) == covered

    @pytest.mark.parametrize("passing", ["PENDING", "SCANNING", "NO_ACCESS", "FAILED", "UNREADABLE", "STALE"])
    async def test_a_result_replaces_what_passes_though_its_workers_clock_is_behind(
        self, rig: LedgerRig, passing: str
    ) -> None:
        await rig.ledger.record(coverage(CoverageState(passing), at=NOW + 5 * SECOND))
        assert await rig.ledger.record(coverage(CoverageState.COVERED, at=NOW))

    @pytest.mark.parametrize("waits", ["PENDING", "SCANNING", "NO_ACCESS"])
    async def test_what_a_worker_writes_late_does_not_hide_the_result_of_another(
        self, rig: LedgerRig, waits: str
    ) -> None:
        """A delivery that is not ours any more fails: nobody would come to correct its PENDING."""
        await rig.ledger.record(coverage(at=NOW))
        assert await rig.ledger.record(coverage(CoverageState(waits), at=NOW + MINUTE)) is False
        assert await rig.ledger.record(coverage(CoverageState(waits), at=NOW, as_of=NOW + SECOND))

    async def test_an_exclusion_that_was_seen_later_is_not_replaced_by_a_result(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.EXCLUDED, at=NOW + SECOND))
        assert await rig.ledger.record(coverage(CoverageState.COVERED, at=NOW)) is False

    async def test_of_one_snapshot_gone_is_the_last_word(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(at=NOW + 5 * SECOND))
        assert await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, code=None))
        assert await rig.ledger.record(coverage(at=NOW + MINUTE)) is False

    async def test_of_the_same_snapshot_and_moment_the_later_write_wins(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.SCANNING))
        assert await rig.ledger.record(coverage(CoverageState.COVERED))
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert stored.state is CoverageState.COVERED

    async def test_moments_are_compared_in_whole_milliseconds(self, rig: LedgerRig) -> None:
        micro = timedelta(microseconds=300)
        await rig.ledger.record(coverage(as_of=NOW + 2 * micro, at=NOW + 2 * micro))
        assert await rig.ledger.record(coverage(as_of=NOW + micro, at=NOW + micro))
        assert await rig.ledger.coverage(CHECKOUT) == coverage(as_of=NOW, at=NOW)

    async def test_no_access_sets_the_state_and_keeps_what_it_spoke_of(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(as_of=NOW), owed=())
        refused = coverage(CoverageState.NO_ACCESS, at=NOW + 2 * MINUTE, as_of=None, reason="AccessDenied")
        assert await rig.ledger.record(refused)
        assert await rig.ledger.coverage(CHECKOUT) == replace(
            refused, as_of=NOW, fingerprint=NEW_CODE, last_good=SUMMARY
        )
        assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint is None
        # What it kept still guards against an older snapshot.
        assert await rig.ledger.record(coverage(at=NOW + 3 * MINUTE, as_of=NOW - SECOND)) is False
        assert await rig.ledger.record(coverage(at=NOW + 3 * MINUTE, as_of=NOW))

    async def test_no_access_that_was_seen_earlier_is_left_out(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(at=NOW))
        assert await rig.ledger.record(coverage(CoverageState.NO_ACCESS, at=NOW - SECOND, as_of=None)) is False

    async def test_a_snapshot_replaces_a_function_known_only_without_one(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.NO_ACCESS, at=NOW + MINUTE, as_of=None))
        assert await rig.ledger.record(coverage(at=NOW))

    async def test_gone_stays_gone_until_a_newer_snapshot_shows_the_function(self, rig: LedgerRig) -> None:
        gone = coverage(CoverageState.GONE, at=NOW, as_of=NOW, code=None, reason="no such function")
        await rig.ledger.record(coverage(at=NOW - MINUTE))
        assert await rig.ledger.record(gone)
        for state in (CoverageState.NO_ACCESS, CoverageState.EXCLUDED, CoverageState.PENDING):
            assert await rig.ledger.record(coverage(state, at=NOW + MINUTE, as_of=None)) is False
        assert await rig.ledger.record(coverage(at=NOW + MINUTE, as_of=NOW - SECOND)) is False
        assert await rig.ledger.coverage(CHECKOUT) == gone
        assert "expiresAt" in (await rig.items())[state_item_key(CHECKOUT)]
        assert await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW + MINUTE, as_of=NOW + SECOND))
        assert "expiresAt" not in (await rig.items())[state_item_key(CHECKOUT)]

    async def test_the_last_good_result_survives_unless_another_is_named(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        gone = coverage(CoverageState.GONE, at=NOW + MINUTE, as_of=NOW, code=None)
        await rig.ledger.record(gone)
        assert await rig.ledger.coverage(CHECKOUT) == replace(gone, last_good=SUMMARY)
        back = replace(coverage(at=NOW + 2 * MINUTE, as_of=NOW + MINUTE, code=OLD_CODE), last_good=PARTIAL)
        await rig.ledger.record(back)
        assert await rig.ledger.coverage(CHECKOUT) == back


class TestLookUp:
    async def test_keys_without_an_entry_are_left_out_and_doubles_do_not_matter(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        live = replace(KEY, function=replace(CHECKOUT, qualifier="live"))
        found = await rig.ledger.look_up([KEY, live, KEY, replace(KEY, fingerprint=OLD_CODE)])
        assert set(found) == {KEY, live}
        assert found[KEY].lease == lease
        assert found[live].key == live

    async def test_of_nothing_is_nothing(self, rig: LedgerRig) -> None:
        assert await rig.ledger.look_up([]) == {}

    async def test_more_keys_than_one_batch_takes(self, rig: LedgerRig) -> None:
        functions = [replace(CHECKOUT, name=f"orders-{number:03}") for number in range(130)]
        keys = [replace(KEY, function=function) for function in functions]
        await asyncio.gather(*(claimed(rig, key=key, message_id=f"{n}") for n, key in enumerate(keys)))
        found = await rig.ledger.look_up([*keys, replace(KEY, function=REFUNDS)])
        assert {key: record.lease.message_id for key, record in found.items() if record.lease} == {
            key: f"{number}" for number, key in enumerate(keys)
        }

    async def test_it_tells_whether_the_coverage_speaks_of_this_code(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        await rig.ledger.record(coverage(as_of=NOW, at=NOW + 2 * MINUTE, code=OLD_CODE))
        assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint == OLD_CODE
        await rig.ledger.record(coverage(CoverageState.EXCLUDED, as_of=NOW, at=NOW + 3 * MINUTE))
        assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint is None


CRASHED = Failure(2, "scanner_crashed", "the scanner died of signal 9", NOW)
THROTTLED = Failure(
    3, "throttled", "GetFunction of checkout-api: TooManyRequestsException: Rate exceeded", NOW + MINUTE
)


class TestNoteFailure:
    async def test_every_failure_of_a_message_comes_back_oldest_first(self, rig: LedgerRig) -> None:
        assert list(await rig.ledger.note_failure(MESSAGE, THROTTLED)) == [THROTTLED]
        assert list(await rig.ledger.note_failure(MESSAGE, CRASHED)) == [CRASHED, THROTTLED]
        # One delivery may fail twice, for two reasons; a thousandth delivery sorts behind a second.
        died = Failure(2, "worker_died", "the worker before did not live to its end", NOW - SECOND)
        last = Failure(1000, "unavailable", "time-out", NOW)
        await rig.ledger.note_failure(MESSAGE, last)
        assert list(await rig.ledger.note_failure(MESSAGE, died)) == [died, CRASHED, THROTTLED, last]

    async def test_each_message_has_failures_of_its_own(self, rig: LedgerRig) -> None:
        await rig.ledger.note_failure(MESSAGE, CRASHED)
        assert list(await rig.ledger.note_failure(OTHER_MESSAGE, THROTTLED)) == [THROTTLED]
        assert set(await rig.items()) == {
            Key(f"message#{MESSAGE}", "tries"),
            Key(f"message#{OTHER_MESSAGE}", "tries"),
        }

    async def test_noted_again_for_one_attempt_and_reason_it_counts_once(self, rig: LedgerRig) -> None:
        await rig.ledger.note_failure(MESSAGE, CRASHED)
        again = replace(CRASHED, text="the scanner died of signal 11", at=NOW + SECOND)
        assert list(await rig.ledger.note_failure(MESSAGE, again)) == [again]

    async def test_many_at_once_are_all_counted(self, rig: LedgerRig) -> None:
        failures = [replace(CRASHED, attempt=number) for number in range(1, 9)]
        answers = await asyncio.gather(*(rig.ledger.note_failure(MESSAGE, one) for one in failures))
        assert [list(one) for one in answers if len(one) == len(failures)] == [failures]
        assert sorted(map(len, answers)) == list(range(1, 9))

    async def test_a_long_text_is_cut_and_moments_are_whole_milliseconds(self, rig: LedgerRig) -> None:
        long = replace(CRASHED, text="ß" * 1000, at=NOW + timedelta(microseconds=777))
        assert list(await rig.ledger.note_failure(MESSAGE, long)) == [replace(CRASHED, text="ß" * 300)]

    async def test_it_outlives_the_message(self, rig: LedgerRig) -> None:
        await rig.ledger.note_failure(MESSAGE, CRASHED)
        await rig.ledger.note_failure(MESSAGE, THROTTLED)
        (item,) = (await rig.items()).values()
        assert item["expiresAt"] == int((THROTTLED.at + timedelta(days=15)).timestamp())

    async def test_what_else_stands_there_is_ignored_and_stays(self, rig: LedgerRig) -> None:
        key = Key(f"message#{MESSAGE}", "tries")
        await rig.put({"pk": key.pk, "sk": key.sk, "schema": 1, "ticket": "SEC-4711"})
        assert list(await rig.ledger.note_failure(MESSAGE, CRASHED)) == [CRASHED]
        assert (await rig.items())[key]["ticket"] == "SEC-4711"

    @pytest.mark.parametrize(
        "broken",
        [{"try#0001": {}}, {"try#one#throttled": {"at": 1, "text": ""}}, {"try#0001#X": {"at": 1, "text": ""}}],
        ids=str,
    )
    async def test_a_broken_item_is_named(self, rig: LedgerRig, broken: dict[str, object]) -> None:
        await rig.put({"pk": f"message#{MESSAGE}", "sk": "tries", "schema": 1} | broken)
        with pytest.raises(Misconfigured, match=f"the ledger item message#{MESSAGE} tries cannot be read"):
            await rig.ledger.note_failure(MESSAGE, CRASHED)

    async def test_what_a_newer_version_wrote_is_refused_and_left_alone(self, rig: LedgerRig) -> None:
        await rig.put({"pk": f"message#{MESSAGE}", "sk": "tries", "schema": 2})
        before = await rig.items()
        with pytest.raises(Misconfigured, match="has schema 2"):
            await rig.ledger.note_failure(MESSAGE, CRASHED)
        assert await rig.items() == before


HOUR = timedelta(hours=1)
CIRCUIT = "qualys-circuit"


class TestAnnounce:
    async def test_the_first_that_asks_tells_and_the_others_are_quiet(self, rig: LedgerRig) -> None:
        told = [await rig.ledger.announce(CIRCUIT, now=NOW + n * MINUTE, quiet=HOUR) for n in range(3)]
        assert told == [True, False, False]

    async def test_of_many_that_ask_at_once_exactly_one_tells(self, rig: LedgerRig) -> None:
        moments = [NOW + timedelta(seconds=(7 * n) % 10) for n in range(10)]
        told = await asyncio.gather(*(rig.ledger.announce(CIRCUIT, now=now, quiet=HOUR) for now in moments))
        assert sum(told) == 1

    async def test_each_question_prolongs_the_quiet(self, rig: LedgerRig) -> None:
        """A fault that lasts for a day is told once; a new one after an hour without questions is told anew."""
        told = [await rig.ledger.announce(CIRCUIT, now=NOW + n * HOUR, quiet=HOUR) for n in range(24)]
        assert told == [True] + [False] * 23
        last = NOW + 23 * HOUR
        assert await rig.ledger.announce(CIRCUIT, now=last + HOUR, quiet=HOUR) is False
        over = last + 2 * HOUR + timedelta(milliseconds=1)
        assert await rig.ledger.announce(CIRCUIT, now=over, quiet=HOUR) is True

    async def test_a_clock_that_is_behind_does_not_shorten_the_quiet(self, rig: LedgerRig) -> None:
        await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
        assert await rig.ledger.announce(CIRCUIT, now=NOW - MINUTE, quiet=HOUR) is False
        assert await rig.ledger.announce(CIRCUIT, now=NOW + HOUR, quiet=HOUR) is False

    async def test_each_subject_has_a_quiet_of_its_own(self, rig: LedgerRig) -> None:
        assert await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
        assert await rig.ledger.announce("sweep-stalled", now=NOW, quiet=HOUR)
        assert set(await rig.items()) == {
            Key("announcement#qualys-circuit", "announcement"),
            Key("announcement#sweep-stalled", "announcement"),
        }

    async def test_it_is_kept_a_week_beyond_the_quiet(self, rig: LedgerRig) -> None:
        for now in (NOW, NOW + MINUTE):
            await rig.ledger.announce(CIRCUIT, now=now, quiet=HOUR)
            (item,) = (await rig.items()).values()
            assert item["expiresAt"] == int((now + HOUR + timedelta(days=7)).timestamp())

    async def test_what_a_newer_version_wrote_is_refused_and_left_alone(self, rig: LedgerRig) -> None:
        await rig.put({"pk": f"announcement#{CIRCUIT}", "sk": "announcement", "schema": 2, "at": 1})
        before = await rig.items()
        with pytest.raises(Misconfigured, match="has schema 2"):
            await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
        assert await rig.items() == before


async def test_coverages_names_every_function_once_and_nothing_else(rig: LedgerRig) -> None:
    await claimed(rig)
    await rig.ledger.note_failure(MESSAGE, CRASHED)
    await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
    states = {
        CHECKOUT: coverage(CoverageState.SCANNING),
        REFUNDS: coverage(CoverageState.NO_ACCESS, as_of=None, function=REFUNDS),
    }
    for one in states.values():
        await rig.ledger.record(one)
    listed = [one async for one in rig.ledger.coverages()]
    assert {one.function: one for one in listed} == states
    assert len(listed) == 2


class TestItems:
    async def test_unknown_attributes_are_ignored_on_read_and_kept_on_write(self, rig: LedgerRig) -> None:
        await claimed(rig)
        await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW))
        for item in (await rig.items()).values():
            await rig.put(item | {"ticket": "SEC-4711"})
        lease = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
        await rig.ledger.renew(lease, now=NOW, duration=LEASE)
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
        await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
        await rig.ledger.record(coverage(at=NOW + 5 * MINUTE))
        assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY
        items = await rig.items()
        assert [item["ticket"] for item in items.values()] == ["SEC-4711"] * 2
        assert [item["schema"] for item in items.values()] == [1, 1]

    async def test_what_a_newer_version_wrote_is_refused_and_left_alone(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
        for item in (await rig.items()).values():
            await rig.put(item | {"schema": 2})
        before = await rig.items()
        ledger = rig.ledger
        attempts: list[Awaitable[object]] = [
            ledger.claim(KEY, message_id=MESSAGE, now=NOW + timedelta(days=99), duration=LEASE),
            ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE, force=True),
            ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id),
            ledger.record(coverage(at=NOW + 5 * MINUTE)),
            ledger.coverage(CHECKOUT),
            anext(aiter(ledger.coverages())),
        ]
        for attempt in attempts:
            with pytest.raises(Misconfigured, match="has schema 2, this scanhub knows 1"):
                await attempt
        assert await ledger.look_up([KEY]) == {}, "its claim says why; what was looked up with it goes on"
        assert await rig.items() == before

    async def test_a_commit_beside_a_newer_coverage_item_stores_nothing(self, rig: LedgerRig) -> None:
        lease = await claimed(rig)
        await rig.put({"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 2, "state": "ASLEEP", "at": 1})
        with pytest.raises(Misconfigured, match="has schema 2"):
            await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
        assert "summary" not in (await rig.items())[scan_item_key(KEY)]

    async def test_a_broken_item_is_named(self, rig: LedgerRig) -> None:
        await rig.put({"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 1, "state": "ASLEEP", "at": 1})
        with pytest.raises(Misconfigured, match=r"function#arn:aws:lambda:.*:checkout-api state cannot be read"):
            await rig.ledger.coverage(CHECKOUT)

    async def test_keys_are_those_of_the_reference(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
        function = "function#arn:aws:lambda:eu-central-1:210987654321:function:checkout-api"
        assert set(await rig.items()) == {
            Key(function, "state"),
            Key(function, f"scan#{NEW_CODE}#{PROFILE.id}"),
        }


def test_functions_that_differ_only_in_case_or_partition_have_items_of_their_own() -> None:
    names = ["arn:aws:lambda:eu-central-1:210987654321:function:checkout-api", str(REFUNDS)]
    names += [names[0].replace("checkout", "Checkout"), names[0].replace("arn:aws:", "arn:aws-cn:")]
    assert len({state_item_key(FunctionArn.parse(name)) for name in names}) == len(names)
