"""Results that are too old, or of another profile, of functions that no sweep can list."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from hub.sweeps import SweepScope
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, NoAccess, Throttled, Unavailable
from tests.hub.sweep.rig import ACCOUNT, PROFILE, Rig, covered, function, snapshot
from tests.virtual_time import run
from tests.worker.worlds import NEWER_CODE
from worker.memory.clock import START

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")
ELSEWHERE = function("exports", region="us-east-1")
DAY = timedelta(days=1)
REFUSED = f"the sweep could not list it: assuming the role scanhub-spoke in account {ACCOUNT}: AccessDenied"


def old(arn: FunctionArn, **changes: object) -> Coverage:
    """A result that was good until yesterday."""
    return covered(snapshot(arn), fresh_until=START - DAY, **changes)  # type: ignore[arg-type]  # handed through


async def reason(rig: Rig, arn: FunctionArn) -> str:
    """Of a result that does not count any more."""
    known = await rig.coverage(arn)
    assert known.state is CoverageState.STALE, known
    return known.reason


class TestAccountThatRefuses:
    def test_what_is_too_old_or_of_another_profile_is_stale_with_both_reasons(self) -> None:
        async def main() -> None:
            rig = Rig()
            other = covered(snapshot(ORDERS), profile_id="7d1e0c44ab90")
            await rig.knows(old(PAYMENTS), other, covered(snapshot(THUMBNAILS)))
            rig.estate.deny(ACCOUNT)
            report = await rig.sweep()
            assert await reason(rig, PAYMENTS) == f"its result is too old, and {REFUSED}"
            assert await reason(rig, ORDERS) == f"its result is of another scan profile, and {REFUSED}"
            assert await rig.states([THUMBNAILS]) == [CoverageState.COVERED]
            assert (report.counts.outlived, report.counts.failed, report.counts.due) == (2, 1, 0)
            assert rig.queued == []

        run(main())

    def test_what_is_known_of_the_function_stays(self) -> None:
        async def main() -> None:
            rig = Rig()
            before = replace(old(PAYMENTS), queued_at=START - 30 * DAY)
            await rig.knows(before)
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            now = await rig.coverage(PAYMENTS)
            assert replace(now, state=before.state, at=before.at, reason="") == before
            assert now.at == rig.clock.now()

        run(main())

    @pytest.mark.parametrize("state", sorted(set(CoverageState) - {CoverageState.COVERED, CoverageState.PARTIAL}))
    def test_what_has_no_result_that_counts_says_already_why(self, state: CoverageState) -> None:
        async def main() -> None:
            rig = Rig()
            known = replace(old(PAYMENTS), state=state, reason="queued by a sweep: its result is too old")
            await rig.knows(known)
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).counts.outlived == 0
            assert (await rig.coverage(PAYMENTS)).at == known.at
            assert rig.calls.made["standings"] == 0

        run(main())

    def test_a_part_of_a_result_is_a_result(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(replace(old(PAYMENTS), state=CoverageState.PARTIAL, reason="code_not_verified"))
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            assert await reason(rig, PAYMENTS) == f"its result is too old, and {REFUSED}"

        run(main())

    def test_it_is_written_once_and_told_each_time(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)
            for _ in range(3):
                assert (await rig.sweep()).counts.outlived == 1
            assert (rig.calls.made["replace"], rig.calls.made["standings"]) == (1, 1)

        run(main())

    def test_words_that_differ_from_call_to_call_are_no_other_reason(self) -> None:
        """STS names the session of whoever asks, EC2 adds an encoded message."""

        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            for task in ("0f3a", "9c1d"):
                text = f"assuming the role x in account {ACCOUNT}: AccessDenied: User: assumed-role/scanhub/{task} is"
                rig.estate.fail("regions", NoAccess(text))
                await rig.sweep()
            assert rig.calls.made["replace"] == 1
            assert (await reason(rig, PAYMENTS)).endswith(f"assuming the role x in account {ACCOUNT}: AccessDenied")

        run(main())

    def test_another_reason_is_written(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.01)
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            rig.calls.before["regions"] = lambda: asyncio.sleep(10**6)
            assert (await rig.sweep()).counts.outlived == 1
            why = "its result is too old, and the sweep could not list it: no answer"
            assert await reason(rig, PAYMENTS) == why

        run(main())

    def test_it_gets_old_while_nobody_can_renew_it(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(covered(snapshot(PAYMENTS), fresh_until=START + DAY))
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).counts.outlived == 0
            await asyncio.sleep(DAY.total_seconds())
            assert (await rig.sweep()).counts.outlived == 1

        run(main())

    def test_in_a_dry_run_they_are_counted_only(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS), covered(snapshot(ORDERS)))
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep(dry_run=True)).counts.outlived == 1
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]
            assert rig.calls.made["replace"] == 0

        run(main())

    def test_they_are_looked_up_in_hundreds(self) -> None:
        async def main() -> None:
            rig = Rig()
            many = [function(f"function-{number:03}") for number in range(250)]
            await rig.knows(*map(old, many))
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).counts.outlived == 250
            assert (rig.calls.made["rows"], rig.calls.made["standings"]) == (1, 3)
            assert rig.calls.made["replace"] == 250
            assert set(await rig.states(many)) == {CoverageState.STALE}

        run(main())


class TestPlaces:
    def test_a_region_that_refuses(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_regions="eu-central-1,us-east-1")
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(ELSEWHERE))
            rig.estate.deny(ACCOUNT, "us-east-1")
            report = await rig.sweep()
            assert await reason(rig, ELSEWHERE) == f"its result is too old, and {REFUSED}"
            assert (report.counts.fresh, report.counts.outlived) == (1, 1)
            assert rig.calls.made["rows"] == 1, "one query for what is gone and what is outlived"

        run(main())

    @pytest.mark.parametrize("regions", ["", "eu-central-1"], ids=["not enabled", "not in the settings"])
    def test_a_region_that_is_not_swept(self, regions: str) -> None:
        async def main() -> None:
            rig = Rig(sweep_regions=regions)
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(ELSEWHERE))
            report = await rig.sweep()
            assert await reason(rig, ELSEWHERE) == "its result is too old, and its region us-east-1 is not swept"
            assert report.is_complete

        run(main())

    def test_regions_that_this_sweep_was_not_asked_for_say_nothing(self) -> None:
        async def main() -> None:
            rig = Rig()
            far = function("reports", region="ap-southeast-2")
            await rig.knows(old(ELSEWHERE), old(far))
            rig.estate.deny(ACCOUNT)
            report = await rig.sweep(scope=SweepScope(profile_id=PROFILE, regions=("us-east-1",)))
            assert await rig.states([far]) == [CoverageState.COVERED]
            assert await reason(rig, ELSEWHERE) == f"its result is too old, and {REFUSED}"
            assert report.counts.outlived == 1

        run(main())

    def test_what_is_missing_where_nobody_can_look_again(self) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS)
            await rig.knows(covered(there[0]), old(ORDERS))
            rig.estate.remove(ORDERS)

            def broken() -> None:
                for _ in range(4):
                    rig.estate.fail("functions", Unavailable("listing: ConnectionClosedError: by the peer"))

            rig.calls.after["rows"] = broken
            report = await rig.sweep()
            why = "its result is too old, and the sweep could not list it: listing: ConnectionClosedError"
            assert await reason(rig, ORDERS) == why
            assert (report.counts.gone, report.counts.outlived) == (0, 1)
            del rig.calls.after["rows"]
            report = await rig.sweep()
            assert (report.counts.gone, report.counts.outlived) == (1, 0)

        run(main())

    def test_what_a_second_list_shows_is_left_for_the_next_sweep(self) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS)
            await rig.knows(covered(there[0]), old(ORDERS))
            rig.calls.after["regions"] = lambda: rig.estate.remove(ORDERS)
            rig.calls.before["rows"] = lambda: rig.estate.put(there[1])
            assert (await rig.sweep()).counts.outlived == 0
            assert await rig.states([ORDERS]) == [CoverageState.COVERED]

        run(main())

    def test_an_account_listed_whole_costs_no_call_more(self) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS, ELSEWHERE)
            await rig.knows(*map(covered, there))
            report = await rig.sweep()
            assert (rig.calls.made["rows"], rig.calls.made["standings"], rig.calls.made["replace"]) == (1, 1, 0)
            assert report.counts.outlived == 0

        run(main())

    def test_of_an_excluded_account_everything_is_excluded(self) -> None:
        async def main() -> None:
            rig = Rig(exclude_accounts=ACCOUNT)
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(ELSEWHERE))
            report = await rig.sweep()
            assert await rig.states([PAYMENTS, ELSEWHERE]) == [CoverageState.EXCLUDED] * 2
            assert report.counts.outlived == 0
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).counts.outlived == 0

        run(main())

    def test_an_excluded_account_that_refuses_is_asked_for_once(self) -> None:
        async def main() -> None:
            rig = Rig(exclude_accounts=ACCOUNT, sweep_regions="eu-central-1")
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            assert await rig.states([PAYMENTS]) == [CoverageState.EXCLUDED]
            assert (rig.calls.made["rows"], rig.calls.made["standings"]) == (1, 0)

        run(main())


class TestVersions:
    version = replace(PAYMENTS, qualifier="2")

    def test_one_that_was_scanned_by_hand_where_versions_are_not_swept(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(self.version))
            report = await rig.sweep()
            assert await reason(rig, self.version) == "its result is too old, and versions are not swept"
            assert report.is_complete

        run(main())

    def test_where_they_cannot_be_learned(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(self.version))
            rig.estate.deny(ACCOUNT, call="versions")
            await rig.sweep()
            assert await reason(rig, self.version) == f"its result is too old, and {REFUSED}"

        run(main())

    def test_where_they_cannot_be_learned_once_more(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(self.version))
            refused = NoAccess(REFUSED.removeprefix("the sweep could not list it: "))
            rig.calls.after["rows"] = lambda: rig.estate.fail("versions", refused)
            report = await rig.sweep()
            assert await reason(rig, self.version) == f"its result is too old, and {REFUSED}"
            assert (report.counts.gone, report.counts.outlived) == (0, 1)

        run(main())

    def test_where_the_queue_has_a_problem_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(PAYMENTS)
            await rig.knows(old(self.version))
            rig.estate.deny(ACCOUNT, call="versions")
            taken = rig.queue.send_all

            async def taken_in_part(requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
                await taken(requests[1:])
                return requests[:1]

            monkeypatch.setattr(rig.queue, "send_all", taken_in_part)
            (problem,) = (await rig.sweep()).problems
            refusal = REFUSED.removeprefix("the sweep could not list it: ")
            assert problem.text == f"versions: {refusal}; the queue did not take 1 of 1 requests"
            assert await reason(rig, self.version) == f"its result is too old, and {REFUSED}"
            rig.queue.send_all = taken  # type: ignore[method-assign]  # as it was
            writes = rig.calls.made["replace"]
            await rig.sweep()
            assert rig.calls.made["replace"] == writes + 1, "the function is queued, no more"

        run(main())

    def test_one_that_no_alias_points_to_is_gone(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), old(self.version))
            report = await rig.sweep()
            assert await rig.states([self.version]) == [CoverageState.GONE]
            assert report.counts.outlived == 0

        run(main())


class TestWordsOfOthers:
    def test_a_worker_that_has_written_meanwhile_has_the_last_word(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)

            async def scanned() -> None:
                await rig.knows(replace(covered(snapshot(PAYMENTS)), at=rig.clock.now()))

            rig.calls.after["standings"] = scanned
            report = await rig.sweep()
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]
            assert rig.calls.made["replace"] == 1
            assert report.counts.outlived == 0

        run(main())

    def test_an_index_that_is_behind_is_not_believed(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS), old(ORDERS))
            rig.estate.deny(ACCOUNT)

            async def written() -> None:
                now = rig.clock.now()
                stale = f"its result is too old, and {REFUSED}"
                await rig.knows(replace(old(PAYMENTS), state=CoverageState.STALE, reason=stale, at=now))
                await rig.knows(Coverage(function=ORDERS, state=CoverageState.NO_ACCESS, reason="no role", at=now))

            rig.calls.after["rows"] = written
            assert (await rig.sweep()).counts.outlived == 1
            assert await rig.states([PAYMENTS, ORDERS]) == [CoverageState.STALE, CoverageState.NO_ACCESS]
            assert rig.calls.made["replace"] == 0

        run(main())

    def test_a_ledger_that_asks_for_patience_makes_nothing_count_twice(self) -> None:
        async def main() -> None:
            rig = Rig()
            many = [function(f"function-{number:03}") for number in range(150)]
            await rig.knows(*map(old, many))
            rig.estate.deny(ACCOUNT)
            left = iter(range(8 + 3))

            def throttled() -> None:
                if rig.calls.made["standings"] > 1 and next(left, None) is not None:
                    raise Throttled("looking up: ProvisionedThroughputExceededException: Rate exceeded")

            rig.calls.before["standings"] = throttled
            assert (await rig.sweep()).counts.outlived == 150
            assert rig.calls.made["rows"] == 2, "the patience of one call ended, and the query began anew"
            assert rig.calls.made["replace"] == 150

        run(main())

    def test_a_ledger_that_refuses_ends_the_sweep(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)

            def refused() -> None:
                raise Misconfigured("replacing a coverage: AccessDeniedException")

            rig.calls.before["replace"] = refused
            with pytest.raises(Misconfigured):
                await rig.sweep()

        run(main())


class TestWhenTheAccessIsBack:
    @pytest.mark.parametrize(
        ("known", "why", "state"),
        [
            (old(PAYMENTS), "stale", CoverageState.STALE),
            (covered(snapshot(PAYMENTS), profile_id="7d1e0c44ab90"), "profile", CoverageState.STALE),
            (old(PAYMENTS, profile_id="7d1e0c44ab90"), "profile", CoverageState.STALE),
            (replace(old(PAYMENTS), queued_at=START - 30 * DAY), "stale", CoverageState.STALE),
        ],
        ids=["too old", "of another profile", "both", "queued long ago"],
    )
    def test_it_is_queued_at_once_and_only_once(self, known: Coverage, why: str, state: CoverageState) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(known)
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).counts.outlived == 1
            rig.estate.allow(ACCOUNT)
            rig.has(PAYMENTS)
            assert dict((await rig.sweep()).counts.queued) == {why: 1}
            assert await rig.states([PAYMENTS]) == [state]
            assert (await rig.sweep()).counts.waiting == 1
            assert rig.queued == [str(PAYMENTS)]

        run(main())

    def test_one_whose_code_has_changed_meanwhile_is_queued_as_changed(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            rig.estate.allow(ACCOUNT)
            rig.has(PAYMENTS, code_sha256=NEWER_CODE, last_modified=START)
            assert dict((await rig.sweep()).counts.queued) == {"changed": 1}

        run(main())

    def test_one_that_is_not_there_any_more_is_gone(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(old(PAYMENTS))
            rig.has(ORDERS)
            rig.estate.deny(ACCOUNT)
            await rig.sweep()
            rig.estate.allow(ACCOUNT)
            assert (await rig.sweep()).counts.gone == 1
            assert await rig.states([PAYMENTS]) == [CoverageState.GONE]

        run(main())

    def test_a_profile_that_is_the_old_one_again_has_a_worker_look(self) -> None:
        """Nothing says whether the result that counts again is whole: the worker that finds it does."""

        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            await rig.knows(covered(snapshot(PAYMENTS)))
            rig.estate.deny(ACCOUNT)
            await rig.sweep(scope=SweepScope(profile_id="7d1e0c44ab90"))
            assert (await reason(rig, PAYMENTS)).startswith("its result is of another scan profile, and ")
            rig.estate.allow(ACCOUNT)
            assert dict((await rig.sweep()).counts.queued) == {"stale": 1}

        run(main())
