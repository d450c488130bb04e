"""A result, its coverage and what it owes are stored at once, by the owner of the lease alone."""

from dataclasses import replace

import pytest

from hub.coverage import CoverageState
from hub.scans import Effect, Lease
from spoke.errors import LeaseLost
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import (
    CHECKOUT,
    EVERY_EFFECT,
    FAILED,
    KEY,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OLD_CODE,
    OTHER_MESSAGE,
    OVER,
    PARTIAL,
    SECOND,
    SUMMARY,
    coverage,
)


async def test_a_commit_stores_the_result_and_the_coverage_and_ends_the_lease(rig: LedgerRig) -> None:
    covered = coverage()
    assert await rig.ledger.commit(await claimed(rig), SUMMARY, covered, owed=EVERY_EFFECT)
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert record.lease is None
    assert record.summary == SUMMARY
    assert record.owed == EVERY_EFFECT
    assert record.committed_by == MESSAGE
    assert record.coverage_fingerprint == NEW_CODE
    assert await rig.ledger.coverage(CHECKOUT) == replace(covered, last_good=SUMMARY)


async def test_everything_in_a_partial_result_comes_back(rig: LedgerRig) -> None:
    partial = coverage(CoverageState.PARTIAL, reason="report_pending")
    await rig.ledger.commit(await claimed(rig), PARTIAL, partial, owed=())
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert record.summary == PARTIAL
    assert record.owed == frozenset()
    assert await rig.ledger.coverage(CHECKOUT) == replace(partial, last_good=PARTIAL)


async def test_severities_come_back_lowest_first(rig: LedgerRig) -> None:
    backwards = replace(SUMMARY, severities=dict(reversed(list(SUMMARY.severities.items()))))
    await rig.ledger.commit(await claimed(rig), backwards, coverage(), owed=())
    summary = (await rig.ledger.look_up([KEY]))[KEY].summary
    assert summary is not None
    assert list(summary.severities.items()) == list(SUMMARY.severities.items())


async def test_a_commit_after_losing_the_lease_stores_nothing(rig: LedgerRig) -> None:
    old = await claimed(rig)
    await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    before = await rig.items()
    with pytest.raises(LeaseLost):
        await rig.ledger.commit(old, SUMMARY, coverage(), owed=EVERY_EFFECT)
    assert await rig.items() == before
    assert await rig.ledger.coverage(CHECKOUT) is None


async def test_a_commit_without_any_lease_stores_nothing(rig: LedgerRig) -> None:
    with pytest.raises(LeaseLost):
        await rig.ledger.commit(Lease(KEY, MESSAGE, "nobody", NOW), SUMMARY, coverage(), owed=())
    assert await rig.items() == {}


async def test_a_commit_under_a_lease_that_ended_but_that_nobody_took_stands(rig: LedgerRig) -> None:
    lease = await claimed(rig, duration=SECOND)
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())


async def test_an_older_snapshot_never_overwrites_the_coverage_of_a_newer(rig: LedgerRig) -> None:
    newer = coverage(CoverageState.SCANNING, as_of=NOW, at=NOW, reason="scan 20261121T093000000Z-00000000")
    old_key = replace(KEY, fingerprint=OLD_CODE)
    lease = await claimed(rig, key=old_key)
    await rig.ledger.record(newer)
    older = coverage(as_of=NOW - SECOND, code=OLD_CODE)
    assert await rig.ledger.commit(lease, SUMMARY, older, owed={Effect.TAG}) is False
    assert await rig.ledger.coverage(CHECKOUT) == newer
    record = (await rig.ledger.look_up([old_key]))[old_key]
    assert (record.summary, record.owed, record.lease) == (SUMMARY, frozenset({Effect.TAG}), None)


async def test_losing_the_lease_and_an_older_snapshot_at_once_is_a_lost_lease(rig: LedgerRig) -> None:
    old = await claimed(rig)
    new = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    await rig.ledger.record(coverage(as_of=NOW))
    with pytest.raises(LeaseLost):
        await rig.ledger.commit(old, SUMMARY, coverage(), owed=())
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert (record.summary, record.lease) == (None, new)


async def test_a_commit_repeated_after_a_lost_answer_succeeds(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
    assert await rig.ledger.commit(lease, SUMMARY, coverage(at=NOW + 2 * MINUTE), owed=EVERY_EFFECT)


async def test_a_repeated_commit_does_not_owe_again_what_was_done_meanwhile(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
    await rig.ledger.mark_done(KEY, {Effect.NOTIFY}, scan_id=SUMMARY.scan_id)
    await rig.ledger.commit(lease, SUMMARY, coverage(at=NOW + 2 * MINUTE), owed=EVERY_EFFECT)
    assert (await rig.ledger.look_up([KEY]))[KEY].owed == EVERY_EFFECT - {Effect.NOTIFY}


async def test_a_repeated_commit_leaves_a_later_lease_alone(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
    forced = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
    assert (await rig.ledger.look_up([KEY]))[KEY].lease == forced


async def test_a_repeated_commit_of_an_older_snapshot_says_so_again(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.record(coverage(as_of=NOW))
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=()) is False
    assert await rig.ledger.commit(lease, SUMMARY, coverage(), owed=()) is False


async def test_another_scan_of_the_same_owner_is_no_repetition(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
    with pytest.raises(LeaseLost):
        await rig.ledger.commit(lease, PARTIAL, coverage(), owed=())
    assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY


async def test_a_failed_scan_keeps_the_last_good_result(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    failed = coverage(CoverageState.FAILED, at=NOW + 3 * MINUTE, reason="scanner_crashed")
    assert await rig.ledger.commit(await claimed(rig, force=True), FAILED, failed, owed=())
    assert await rig.ledger.coverage(CHECKOUT) == replace(failed, last_good=SUMMARY)
    assert (await rig.ledger.look_up([KEY]))[KEY].summary == FAILED


async def test_a_new_result_replaces_what_the_one_before_still_owed(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=EVERY_EFFECT)
    lease = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
    await rig.ledger.commit(lease, PARTIAL, coverage(CoverageState.PARTIAL, at=NOW + 2 * MINUTE), owed=())
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert (record.owed, record.committed_by) == (frozenset(), OTHER_MESSAGE)
