"""The state of a function: which write of it wins, and what it keeps."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from hub.coverage import SETTLED, UNDER_WAY, CoverageState
from hub.ledger_items import state_item_key
from hub.scans import CLOCK_SKEW
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import (
    CHECKOUT,
    CIRCUIT,
    CRASHED,
    HOUR,
    KEY,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OLD_CODE,
    PARTIAL,
    REFUNDS,
    SECOND,
    SUMMARY,
    coverage,
)


async def test_a_function_never_seen_has_no_coverage(rig: LedgerRig) -> None:
    assert await rig.ledger.coverage(CHECKOUT) is None


async def test_what_was_recorded_is_read(rig: LedgerRig) -> None:
    scanning = coverage(CoverageState.SCANNING, reason="scan 20261121T093000000Z-00000000")
    assert await rig.ledger.record(scanning)
    assert await rig.ledger.coverage(CHECKOUT) == scanning
    assert await rig.ledger.coverage(replace(CHECKOUT, qualifier="live")) == scanning


async def test_the_reason_goes_with_its_state(rig: LedgerRig) -> None:
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
    rig: LedgerRig, older_at: datetime, newer_at: datetime
) -> None:
    older = coverage(as_of=NOW - SECOND, code=OLD_CODE, at=older_at)
    newer = coverage(CoverageState.SCANNING, as_of=NOW, at=newer_at)
    assert await rig.ledger.record(older)
    assert await rig.ledger.record(newer)
    assert await rig.ledger.record(older) is False
    assert await rig.ledger.coverage(CHECKOUT) == newer


async def test_scanning_written_late_does_not_hide_covered_of_the_same_snapshot(rig: LedgerRig) -> None:
    covered = coverage(at=NOW + MINUTE)
    await rig.ledger.record(covered)
    assert await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW)) is False
    assert await rig.ledger.coverage(CHECKOUT) == covered


@pytest.mark.parametrize("passing", ["PENDING", "SCANNING", "NO_ACCESS", "FAILED", "UNREADABLE", "STALE"])
async def test_a_result_replaces_what_passes_though_its_workers_clock_is_behind(rig: LedgerRig, passing: str) -> None:
    await rig.ledger.record(coverage(CoverageState(passing), at=NOW + 5 * SECOND))
    assert await rig.ledger.record(coverage(CoverageState.COVERED, at=NOW))


@pytest.mark.parametrize("waits", ["PENDING", "SCANNING", "NO_ACCESS"])
async def test_what_a_worker_writes_late_does_not_hide_the_result_of_another(rig: LedgerRig, waits: str) -> None:
    """A delivery that is not ours any more fails: nobody would come to correct its PENDING."""
    await rig.ledger.record(coverage(at=NOW))
    assert await rig.ledger.record(coverage(CoverageState(waits), at=NOW + MINUTE)) is False
    assert await rig.ledger.record(coverage(CoverageState(waits), at=NOW, as_of=NOW + SECOND))


async def test_an_exclusion_that_was_seen_later_is_not_replaced_by_a_result(rig: LedgerRig) -> None:
    await rig.ledger.record(coverage(CoverageState.EXCLUDED, at=NOW + SECOND))
    assert await rig.ledger.record(coverage(CoverageState.COVERED, at=NOW)) is False


@pytest.mark.parametrize("last_word", sorted(SETTLED))
@pytest.mark.parametrize("under_way", sorted(UNDER_WAY))
async def test_the_last_word_of_a_worker_whose_clock_is_behind_stands(
    rig: LedgerRig, last_word: CoverageState, under_way: CoverageState
) -> None:
    """Two workers fail at one function: whoever parks its message comes no more, and wrote by the clock behind."""
    tried = coverage(under_way, at=NOW + 6 * SECOND, reason="the scanner failed: the disk is full")
    settled = coverage(last_word, at=NOW, reason="the scanner failed: the disk is full, for the third time")
    assert await rig.ledger.record(tried)
    assert await rig.ledger.record(settled)
    assert await rig.ledger.record(tried) is False
    assert await rig.ledger.coverage(CHECKOUT) == settled


@pytest.mark.parametrize(
    ("later_by", "stands"),
    [
        (-MINUTE, "last word"),
        (timedelta(0), "last word"),
        (CLOCK_SKEW, "last word"),
        (CLOCK_SKEW + timedelta(milliseconds=1), "try"),
        (MINUTE, "try"),
    ],
    ids=str,
)
@pytest.mark.parametrize("has_snapshot", [True, False])
async def test_a_try_follows_a_last_word_only_if_no_clock_can_have_it_otherwise(
    rig: LedgerRig, later_by: timedelta, stands: str, has_snapshot: bool
) -> None:
    as_of = NOW if has_snapshot else None
    for number, (last_word, under_way) in enumerate(product(sorted(SETTLED), sorted(UNDER_WAY))):
        function = replace(CHECKOUT, name=f"settled-first-{number}")
        await rig.ledger.record(coverage(last_word, as_of=NOW, at=NOW, function=function))
        tried = coverage(under_way, as_of=as_of, at=NOW + later_by, function=function)
        assert await rig.ledger.record(tried) is (stands == "try")

        function = replace(CHECKOUT, name=f"tried-first-{number}")
        await rig.ledger.record(coverage(under_way, as_of=NOW, at=NOW + later_by, function=function))
        settled = coverage(last_word, as_of=as_of, at=NOW, function=function)
        assert await rig.ledger.record(settled) is (stands == "last word")


async def test_a_last_word_that_was_held_up_for_hours_does_not_hide_what_a_sweep_has_queued_since(
    rig: LedgerRig,
) -> None:
    await rig.ledger.record(coverage(CoverageState.FAILED, at=NOW))
    queued = coverage(CoverageState.PENDING, at=NOW + 6 * HOUR, reason="queued by a sweep: the last try failed")
    seen = (await rig.ledger.standings([CHECKOUT]))[CHECKOUT]
    assert await rig.ledger.replace(queued, seen=seen)
    assert await rig.ledger.record(coverage(CoverageState.FAILED, at=NOW + MINUTE)) is False
    assert await rig.ledger.record(coverage(CoverageState.COVERED, at=NOW + MINUTE))


async def test_of_one_snapshot_gone_is_the_last_word(rig: LedgerRig) -> None:
    await rig.ledger.record(coverage(at=NOW + 5 * SECOND))
    assert await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, code=None))
    assert await rig.ledger.record(coverage(at=NOW + MINUTE)) is False


async def test_of_the_same_snapshot_and_moment_the_later_write_wins(rig: LedgerRig) -> None:
    await rig.ledger.record(coverage(CoverageState.SCANNING))
    assert await rig.ledger.record(coverage(CoverageState.COVERED))
    stored = await rig.ledger.coverage(CHECKOUT)
    assert stored is not None
    assert stored.state is CoverageState.COVERED


async def test_moments_are_compared_in_whole_milliseconds(rig: LedgerRig) -> None:
    micro = timedelta(microseconds=300)
    await rig.ledger.record(coverage(as_of=NOW + 2 * micro, at=NOW + 2 * micro))
    assert await rig.ledger.record(coverage(as_of=NOW + micro, at=NOW + micro))
    assert await rig.ledger.coverage(CHECKOUT) == coverage(as_of=NOW, at=NOW)


async def test_no_access_sets_the_state_and_keeps_what_it_spoke_of(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(as_of=NOW), owed=())
    refused = coverage(CoverageState.NO_ACCESS, at=NOW + 2 * MINUTE, as_of=None, reason="AccessDenied")
    assert await rig.ledger.record(refused)
    assert await rig.ledger.coverage(CHECKOUT) == replace(refused, as_of=NOW, fingerprint=NEW_CODE, last_good=SUMMARY)
    assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint is None
    # What it kept still guards against an older snapshot.
    assert await rig.ledger.record(coverage(at=NOW + 3 * MINUTE, as_of=NOW - SECOND)) is False
    assert await rig.ledger.record(coverage(at=NOW + 3 * MINUTE, as_of=NOW))


async def test_no_access_that_was_seen_earlier_is_left_out(rig: LedgerRig) -> None:
    await rig.ledger.record(coverage(at=NOW))
    assert await rig.ledger.record(coverage(CoverageState.NO_ACCESS, at=NOW - SECOND, as_of=None)) is False


async def test_a_snapshot_replaces_a_function_known_only_without_one(rig: LedgerRig) -> None:
    await rig.ledger.record(coverage(CoverageState.NO_ACCESS, at=NOW + MINUTE, as_of=None))
    assert await rig.ledger.record(coverage(at=NOW))


async def test_gone_stays_gone_until_a_newer_snapshot_shows_the_function(rig: LedgerRig) -> None:
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


async def test_the_last_good_result_survives_unless_another_is_named(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    gone = coverage(CoverageState.GONE, at=NOW + MINUTE, as_of=NOW, code=None)
    await rig.ledger.record(gone)
    assert await rig.ledger.coverage(CHECKOUT) == replace(gone, last_good=SUMMARY)
    back = replace(coverage(at=NOW + 2 * MINUTE, as_of=NOW + MINUTE, code=OLD_CODE), last_good=PARTIAL)
    await rig.ledger.record(back)
    assert await rig.ledger.coverage(CHECKOUT) == back


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
