"""What a sweep reads of many functions, and what it may write over."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from hub.ledger_items import state_item_key
from hub.scans import ScanStatus
from hub.standing import Standing
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import (
    CHECKOUT,
    FAILED,
    HOUR,
    KEY,
    MINUTE,
    NEW_CODE,
    NOW,
    OLD_CODE,
    PARTIAL,
    PROFILE,
    REFUNDS,
    SUMMARY,
    coverage,
)

GOOD = replace(SUMMARY, profile_id=PROFILE.id)
MODIFIED = NOW - timedelta(hours=2)
COVERED = Standing(
    function=CHECKOUT,
    state=CoverageState.COVERED,
    at=NOW + MINUTE,
    as_of=MODIFIED,
    fingerprint=NEW_CODE,
    profile_id=PROFILE.id,
    fresh_until=SUMMARY.fresh_until,
)


def queued(
    function: FunctionArn = CHECKOUT, state: CoverageState = CoverageState.PENDING, **changes: object
) -> Coverage:
    """What a sweep writes of a function that it has put into the queue."""
    one = Coverage(
        function=function,
        state=state,
        at=NOW + HOUR,
        reason="changed",
        as_of=MODIFIED,
        fingerprint=NEW_CODE,
        runtime="python3.12",
        queued_at=NOW + HOUR,
    )
    return replace(one, **changes)  # type: ignore[arg-type]  # of the fields that a test names


async def standing(rig: LedgerRig, function: FunctionArn = CHECKOUT) -> Standing | None:
    return (await rig.ledger.standings([function])).get(function)


class TestStandings:
    async def test_functions_that_nobody_knows_are_left_out(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING))
        assert set(await rig.ledger.standings([CHECKOUT, REFUNDS])) == {CHECKOUT}
        assert await rig.ledger.standings([]) == {}

    async def test_a_covered_function_says_with_what_and_how_long(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(), owed=())
        assert await standing(rig) == COVERED

    async def test_a_state_without_a_result_says_why(self, rig: LedgerRig) -> None:
        reason = "the role scanhub-spoke cannot be assumed"
        await rig.ledger.record(coverage(CoverageState.NO_ACCESS, as_of=None, reason=reason))
        assert await standing(rig) == Standing(
            function=CHECKOUT, state=CoverageState.NO_ACCESS, at=NOW + MINUTE, reason=reason
        )

    async def test_the_last_good_result_survives_what_comes_after(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(), owed=())
        await rig.ledger.record(coverage(CoverageState.FAILED, at=NOW + HOUR, reason="scanner_crashed"))
        assert await standing(rig) == replace(
            COVERED, state=CoverageState.FAILED, at=NOW + HOUR, reason="scanner_crashed"
        )

    async def test_a_failed_result_is_no_good_one(self, rig: LedgerRig) -> None:
        failed = replace(FAILED, profile_id=PROFILE.id)
        assert failed.status is ScanStatus.FAILED
        await rig.ledger.commit(await claimed(rig), failed, coverage(CoverageState.FAILED), owed=())
        found = await standing(rig)
        assert found is not None
        assert (found.profile_id, found.fresh_until) == (None, None)

    async def test_a_result_of_an_unknown_profile_does_not_borrow_the_one_before(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(), owed=())
        later = replace(PARTIAL, profile_id=None, fresh_until=NOW + 6 * HOUR)
        again = await claimed(rig, force=True)
        await rig.ledger.commit(again, later, coverage(CoverageState.PARTIAL, at=NOW + HOUR), owed=())
        found = await standing(rig)
        assert found is not None
        assert (found.profile_id, found.fresh_until) == (None, NOW + 6 * HOUR)

    async def test_when_it_was_queued_stays_until_it_is_queued_again(self, rig: LedgerRig) -> None:
        await rig.ledger.replace(queued(), seen=None)
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(at=NOW + 2 * HOUR), owed=())
        found = await standing(rig)
        assert found == replace(COVERED, at=NOW + 2 * HOUR, queued_at=NOW + HOUR)
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert (stored.queued_at, stored.runtime) == (NOW + HOUR, "python3.12")

    async def test_a_version_stands_for_itself_and_an_alias_for_its_function(self, rig: LedgerRig) -> None:
        version, alias = replace(CHECKOUT, qualifier="7"), replace(CHECKOUT, qualifier="live")
        await rig.ledger.record(coverage(CoverageState.PENDING))
        await rig.ledger.record(coverage(CoverageState.EXCLUDED, function=version, reason="excluded by name"))
        found = await rig.ledger.standings([CHECKOUT, version, alias])
        assert {one: standing.state for one, standing in found.items()} == {
            CHECKOUT: CoverageState.PENDING,
            version: CoverageState.EXCLUDED,
            alias: CoverageState.PENDING,
        }

    async def test_hundreds_at_once_come_back_each_as_it_is(self, rig: LedgerRig) -> None:
        many = [replace(CHECKOUT, name=f"orders-{number}") for number in range(230)]
        for number, function in enumerate(many):
            if number % 3:
                await rig.ledger.record(coverage(CoverageState.PENDING, function=function, reason=f"number {number}"))
        found = await rig.ledger.standings(many)
        assert {one: standing.reason for one, standing in found.items()} == {
            function: f"number {number}" for number, function in enumerate(many) if number % 3
        }

    async def test_an_item_of_before_profiles_were_noted_says_nothing_of_them(self, rig: LedgerRig) -> None:
        await rig.put(
            {"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 1, "state": "COVERED", "at": 1795253415250}
        )
        assert await standing(rig) == Standing(function=CHECKOUT, state=CoverageState.COVERED, at=NOW)

    @pytest.mark.parametrize(
        ("broken", "says"), [({"schema": 2}, "has schema 2"), ({"state": "ASLEEP"}, "state cannot be read")]
    )
    async def test_what_cannot_be_read_stops_the_reader(
        self, rig: LedgerRig, broken: dict[str, object], says: str
    ) -> None:
        await rig.ledger.record(coverage())
        (item,) = (await rig.items()).values()
        await rig.put(item | broken)
        with pytest.raises(Misconfigured, match=says):
            await rig.ledger.standings([CHECKOUT])


class TestReplace:
    async def test_a_function_that_nobody_knew_is_written(self, rig: LedgerRig) -> None:
        assert await rig.ledger.replace(queued(), seen=None)
        assert await standing(rig) == Standing(
            function=CHECKOUT,
            state=CoverageState.PENDING,
            at=NOW + HOUR,
            reason="changed",
            as_of=MODIFIED,
            fingerprint=NEW_CODE,
            queued_at=NOW + HOUR,
        )

    async def test_a_covered_function_becomes_stale_and_keeps_its_last_good_result(self, rig: LedgerRig) -> None:
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(), owed=())
        assert await rig.ledger.replace(queued(state=CoverageState.STALE, reason="stale"), seen=await standing(rig))
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert (stored.state, stored.last_good) == (CoverageState.STALE, GOOD)

    async def test_a_covered_function_of_the_same_snapshot_may_become_pending(self, rig: LedgerRig) -> None:
        """`record` would refuse it: for a worker that is late a result says more."""
        await rig.ledger.commit(await claimed(rig), GOOD, coverage(), owed=())
        seen = await standing(rig)
        assert not await rig.ledger.record(queued())
        assert await rig.ledger.replace(queued(), seen=seen)

    async def test_a_function_that_is_listed_is_not_gone_however_old_its_code(self, rig: LedgerRig) -> None:
        """It was created anew from an old template; or the event of the deletion was wrong."""
        await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, as_of=NOW, code=None, reason="deleted"))
        seen = await standing(rig)
        back = queued(as_of=NOW - timedelta(days=700), fingerprint=OLD_CODE)
        assert not await rig.ledger.record(back)
        assert await rig.ledger.replace(back, seen=seen)
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored == back
        assert "expiresAt" not in (await rig.items())[state_item_key(CHECKOUT)]

    async def test_after_that_the_worker_goes_on_as_ever(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, as_of=NOW, code=None))
        await rig.ledger.replace(queued(), seen=await standing(rig))
        assert await rig.ledger.commit(await claimed(rig), GOOD, coverage(at=NOW + 2 * HOUR), owed=())
        assert await standing(rig) == replace(COVERED, at=NOW + 2 * HOUR, queued_at=NOW + HOUR)

    async def test_what_somebody_wrote_meanwhile_stands(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW))
        seen = await standing(rig)
        await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW + MINUTE))
        before = await rig.items()
        assert not await rig.ledger.replace(queued(), seen=seen)
        assert await rig.items() == before

    async def test_the_same_state_written_anew_is_another(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW))
        seen = await standing(rig)
        await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW + MINUTE))
        assert not await rig.ledger.replace(queued(), seen=seen)

    async def test_another_state_of_the_same_moment_is_another(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW))
        seen = await standing(rig)
        await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW))
        assert not await rig.ledger.replace(queued(), seen=seen)

    async def test_a_function_that_somebody_met_meanwhile_is_left_alone(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.SCANNING))
        assert not await rig.ledger.replace(queued(), seen=None)

    async def test_a_function_that_is_not_there_any_more_is_not_written(self, rig: LedgerRig) -> None:
        assert not await rig.ledger.replace(queued(), seen=COVERED)
        assert await rig.items() == {}

    async def test_said_twice_it_is_set_once(self, rig: LedgerRig) -> None:
        """The first answer was lost."""
        await rig.ledger.record(coverage(CoverageState.PENDING, at=NOW))
        seen = await standing(rig)
        assert await rig.ledger.replace(queued(), seen=seen)
        before = await rig.items()
        assert await rig.ledger.replace(queued(), seen=seen)
        assert await rig.items() == before

    async def test_what_another_sweep_wrote_in_the_same_moment_is_not_ours(self, rig: LedgerRig) -> None:
        await rig.ledger.replace(queued(), seen=None)
        assert not await rig.ledger.replace(queued(queued_at=NOW), seen=None)
        assert not await rig.ledger.replace(queued(as_of=NOW), seen=None)

    async def test_of_two_sweeps_at_once_one_sets_it(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.FAILED))
        seen = await standing(rig)
        mine, theirs = queued(), queued(at=NOW + 2 * HOUR, queued_at=NOW + 2 * HOUR)
        assert sorted(await asyncio.gather(*(rig.ledger.replace(one, seen=seen) for one in (mine, theirs)))) == [
            False,
            True,
        ]

    async def test_beside_a_workers_commit_the_result_is_never_lost(self, rig: LedgerRig) -> None:
        """Whichever comes first: the sweep is refused, or the result replaces what the sweep wrote."""
        for number in range(8):
            function = replace(CHECKOUT, name=f"orders-{number}")
            lease = await claimed(rig, key=replace(KEY, function=function))
            await rig.ledger.record(coverage(CoverageState.SCANNING, function=function, at=NOW))
            seen = await standing(rig, function)
            done = coverage(function=function, at=NOW + MINUTE)
            await asyncio.gather(
                rig.ledger.replace(queued(function), seen=seen),
                rig.ledger.commit(lease, GOOD, done, owed=()),
            )
            stored = await rig.ledger.coverage(function)
            assert stored is not None
            assert (stored.state, stored.last_good) == (CoverageState.COVERED, GOOD)

    async def test_what_a_newer_version_wrote_is_refused_and_left_alone(self, rig: LedgerRig) -> None:
        await rig.ledger.record(coverage(CoverageState.PENDING))
        seen = await standing(rig)
        (item,) = (await rig.items()).values()
        await rig.put(item | {"schema": 2})
        before = await rig.items()
        with pytest.raises(Misconfigured, match="has schema 2"):
            await rig.ledger.replace(queued(), seen=seen)
        assert await rig.items() == before
