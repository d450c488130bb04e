"""Published versions that an alias or a provisioned concurrency points to."""

import asyncio
from dataclasses import replace

import pytest

from hub.coverage import CoverageState
from spoke.arn import FunctionArn
from spoke.errors import Throttled
from tests.hub.sweep.rig import ACCOUNT, Rig, covered, function, snapshot
from tests.virtual_time import run
from tests.worker.worlds import NEWER_CODE

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")


def texts(*arns: FunctionArn) -> list[str]:
    return sorted(str(arn) for arn in arns)


class TestVersions:
    version_2 = replace(PAYMENTS, qualifier="2")
    version_3 = replace(PAYMENTS, qualifier="3")

    def test_without_the_setting_nobody_asks_for_them(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, self.version_2)
            await rig.sweep()
            assert rig.estate.calls["versions"] == 0
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_with_it_those_of_other_code_are_entries_of_their_own(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(PAYMENTS, self.version_3)
            rig.has(self.version_2, code_sha256=NEWER_CODE)
            report = await rig.sweep()
            assert rig.queued == texts(PAYMENTS, self.version_2)
            assert report.counts.functions == 2
            assert await rig.states([self.version_2]) == [CoverageState.PENDING]

        run(main())

    def test_one_that_no_alias_points_to_any_more_is_gone(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(PAYMENTS)
            rig.has(self.version_2, code_sha256=NEWER_CODE)
            await rig.knows(covered(snapshot(self.version_2, code_sha256=NEWER_CODE)))
            assert (await rig.sweep()).counts.gone == 0
            rig.estate.remove(self.version_2)
            assert (await rig.sweep()).counts.gone == 1
            assert "no alias points to this version" in (await rig.coverage(self.version_2)).reason

        run(main())

    def test_without_the_setting_one_goes_only_with_its_function(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_regions="eu-central-1")
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there), covered(snapshot(self.version_2)))
            assert (await rig.sweep()).counts.gone == 0
            rig.estate.remove(PAYMENTS)
            assert (await rig.sweep()).counts.gone == 2

        run(main())

    def test_where_they_may_not_be_asked_for_that_is_told_and_the_functions_are_swept(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(PAYMENTS, *(function(f"function-{number:03}") for number in range(70)))
            await rig.knows(covered(snapshot(self.version_2)))
            rig.estate.deny(ACCOUNT, call="versions")
            report = await rig.sweep()
            (problem,) = report.problems
            assert problem.text.startswith("versions: ")
            assert len(rig.queued) == 71
            assert await rig.states([self.version_2]) == [CoverageState.COVERED]
            assert rig.estate.calls["versions"] == 1

        run(main())

    @pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "throttled"])
    def test_where_they_cannot_be_learned_that_is_told_and_the_functions_are_swept(self, is_silent: bool) -> None:
        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(PAYMENTS, ORDERS)
            await rig.knows(covered(snapshot(self.version_2)))

            async def trouble() -> None:
                if is_silent:
                    await asyncio.sleep(86_400)
                raise Throttled("listing the aliases of payments: TooManyRequestsException: Rate exceeded")

            rig.calls.before["versions"] = trouble
            report = await rig.sweep()
            (problem,) = report.problems
            assert problem.text.startswith("versions: no answer for 5 min" if is_silent else "versions: listing the al")
            assert rig.queued == texts(ORDERS, PAYMENTS)
            assert await rig.states([self.version_2]) == [CoverageState.COVERED]
            assert rig.estate.calls["versions"] == (1 if is_silent else 4)

        run(main())

    def test_a_place_with_many_functions_has_the_time_that_its_calls_take(self) -> None:
        """Two calls a function, at five calls a second: of a thousand functions that is 400 seconds."""

        async def main() -> None:
            rig = Rig(sweep_versions=True)
            rig.has(*(function(f"function-{number:04}") for number in range(1000)))
            rig.has(replace(function("function-0007"), qualifier="2"), code_sha256=NEWER_CODE)
            rig.calls.before["versions"] = lambda: asyncio.sleep(400)
            report = await rig.sweep()
            assert report.is_complete
            assert len(rig.queued) == 1001

        run(main())
