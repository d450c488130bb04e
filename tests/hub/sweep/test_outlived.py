"""Results that are too old, or of another profile, of functions whose account lets no sweep in."""

import asyncio
from dataclasses import replace

import pytest

from hub.coverage import Coverage, CoverageState
from hub.sweeps import SweepScope
from spoke.errors import Misconfigured, NoAccess, Throttled
from tests.hub.sweep.aged import DAY, ORDERS, PAYMENTS, REFUSED, THUMBNAILS, old, reason
from tests.hub.sweep.rig import ACCOUNT, Rig, covered, function, snapshot
from tests.virtual_time import run
from tests.worker.worlds import NEWER_CODE
from worker.memory.clock import START


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
