"""Results that are too old, or of another profile, in regions and of versions that are not listed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.coverage import CoverageState
from hub.sweeps import SweepScope
from spoke.errors import NoAccess, Unavailable
from tests.hub.sweep.aged import ELSEWHERE, ORDERS, PAYMENTS, REFUSED, old, reason
from tests.hub.sweep.rig import ACCOUNT, PROFILE, Rig, covered, function
from tests.virtual_time import run


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
