"""Who gets the lease of a scan, who has to wait, and whom a fresh result serves."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from hub.coverage import CoverageState
from hub.scans import CLOCK_SKEW, Claimed, Effect, Fresh, Held, ScanKey
from tests.ledger_rig import LedgerRig, claimed
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
    PROFILE,
    REFUNDS,
    SUMMARY,
    coverage,
)


async def test_the_first_claim_gets_the_lease(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    assert (lease.key, lease.message_id, lease.expires_at) == (KEY, MESSAGE, NOW + LEASE)
    assert lease.owner
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert record.lease == lease
    assert record.summary is None


async def test_two_claims_at_once_yield_exactly_one_lease(rig: LedgerRig) -> None:
    claims = await asyncio.gather(
        *(rig.ledger.claim(KEY, message_id=one, now=NOW, duration=LEASE) for one in (MESSAGE, OTHER_MESSAGE))
    )
    won = [claim for claim in claims if isinstance(claim, Claimed)]
    lost = [claim for claim in claims if isinstance(claim, Held)]
    assert len(won) == len(lost) == 1
    assert lost[0] == Held(won[0].lease.message_id, NOW + OVER)


async def test_a_live_lease_names_the_message_that_holds_it(rig: LedgerRig) -> None:
    await claimed(rig)
    last_moment = NOW + OVER - timedelta(milliseconds=1)
    assert await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=last_moment, duration=LEASE) == Held(
        MESSAGE, NOW + OVER
    )


async def test_an_earlier_delivery_of_the_same_message_holds_too(rig: LedgerRig) -> None:
    await claimed(rig)
    assert await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE) == Held(MESSAGE, NOW + OVER)


async def test_a_lease_that_expired_is_claimable(rig: LedgerRig) -> None:
    first = await claimed(rig)
    second = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    assert second.owner != first.owner
    assert (await rig.ledger.look_up([KEY]))[KEY].lease == second


async def test_the_end_of_a_lease_waits_for_clocks_that_are_behind(rig: LedgerRig) -> None:
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


async def test_a_lease_that_another_takes_over_was_abandoned_by_its_message(rig: LedgerRig) -> None:
    await claimed(rig)
    for now, message_id, before in (
        (NOW + OVER, OTHER_MESSAGE, MESSAGE),
        (NOW + 2 * OVER, OTHER_MESSAGE, OTHER_MESSAGE),
        (NOW + 3 * OVER, MESSAGE, OTHER_MESSAGE),
    ):
        claim = await rig.ledger.claim(KEY, message_id=message_id, now=now, duration=LEASE)
        assert isinstance(claim, Claimed)
        assert claim.abandoned_by == before


async def test_a_lease_that_was_given_up_or_committed_is_not_abandoned(rig: LedgerRig) -> None:
    first = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    assert isinstance(first, Claimed)
    await rig.ledger.release(first.lease)
    second = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    assert isinstance(second, Claimed)
    await rig.ledger.commit(second.lease, SUMMARY, coverage(), owed=())
    third = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE, force=True)
    assert isinstance(third, Claimed)
    assert [one.abandoned_by for one in (first, second, third)] == [None] * 3


async def test_a_lease_is_kept_in_whole_milliseconds(rig: LedgerRig) -> None:
    lease = await claimed(rig, now=NOW + timedelta(microseconds=777))
    assert lease.expires_at == NOW + LEASE
    assert (await rig.ledger.look_up([KEY]))[KEY].lease == lease


async def test_other_code_and_another_profile_have_leases_of_their_own(rig: LedgerRig) -> None:
    await claimed(rig)
    await claimed(rig, key=ScanKey(CHECKOUT, OLD_CODE, PROFILE.id))
    await claimed(rig, key=ScanKey(CHECKOUT, NEW_CODE, replace(PROFILE, version="4.9.0-1").id))
    await claimed(rig, key=ScanKey(REFUNDS, NEW_CODE, PROFILE.id))


async def test_a_qualifier_is_no_part_of_the_key(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    live = replace(KEY, function=replace(CHECKOUT, qualifier="live"))
    assert await rig.ledger.claim(live, message_id=OTHER_MESSAGE, now=NOW, duration=LEASE) == Held(
        MESSAGE, lease.expires_at + CLOCK_SKEW
    )


async def test_a_fresh_result_is_answered_with_its_record(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG})
    now = SUMMARY.fresh_until - timedelta(milliseconds=1)
    claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=now, duration=LEASE)
    assert isinstance(claim, Fresh)
    assert claim.record.summary == SUMMARY
    assert claim.record.owed == {Effect.TAG}
    assert claim.record.committed_by == MESSAGE


async def test_a_result_that_is_not_fresh_any_more_is_claimable_and_stays(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    await claimed(rig, now=SUMMARY.fresh_until)
    assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY


async def test_a_failed_result_is_never_fresh(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), FAILED, coverage(CoverageState.FAILED), owed=())
    await claimed(rig, message_id=OTHER_MESSAGE, now=FAILED.completed_at)


async def test_force_claims_over_a_fresh_result_but_not_over_a_live_lease(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    forced = await claimed(rig, now=NOW + 2 * MINUTE, force=True)
    again = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + 2 * MINUTE, duration=LEASE, force=True)
    assert again == Held(MESSAGE, forced.expires_at + CLOCK_SKEW)


async def test_while_a_scan_is_repeated_by_force_others_are_served_by_the_fresh_result(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    await claimed(rig, now=NOW + 2 * MINUTE, force=True)
    claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + 2 * MINUTE, duration=LEASE)
    assert isinstance(claim, Fresh)
