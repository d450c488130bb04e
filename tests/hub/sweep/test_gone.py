"""What the ledger knows and no list names any more."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.coverage import Coverage, CoverageState
from hub.standing import CoverageRow
from hub.sweep.gone import missing
from hub.sweep.place import PlaceFound
from hub.sweep.roll import Roll
from spoke.errors import Misconfigured, Unavailable
from tests.hub.sweep.rig import ACCOUNT, Rig, covered, function, snapshot
from tests.virtual_time import run
from worker.memory.clock import START

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")


class TestGone:
    def test_what_is_known_and_not_listed_is_gone(self) -> None:
        async def main() -> None:
            rig = Rig()
            there, away = rig.has(PAYMENTS, ORDERS)
            await rig.knows(covered(there), covered(away))
            rig.estate.remove(ORDERS)
            report = await rig.sweep()
            known = await rig.coverage(ORDERS)
            assert (known.state, known.reason) == (CoverageState.GONE, "a sweep did not find it")
            assert known.last_good is not None
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]
            assert report.counts.gone == 1
            assert (await rig.sweep()).counts.gone == 0

        run(main())

    def test_a_place_that_was_not_listed_to_its_end_says_nothing(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_regions="eu-central-1,us-east-1")
            refused = function("reports", region="us-east-1")
            elsewhere = function("exports", region="eu-west-1")
            await rig.knows(*(covered(snapshot(one)) for one in (PAYMENTS, refused, elsewhere)))
            rig.estate.deny(ACCOUNT, "us-east-1")
            report = await rig.sweep()
            assert await rig.states([PAYMENTS, refused, elsewhere]) == [
                CoverageState.GONE,
                CoverageState.COVERED,
                CoverageState.COVERED,
            ]
            (problem,) = report.problems
            assert (problem.account, problem.region) == (ACCOUNT, "us-east-1")
            assert report.counts.failed == 1

        run(main())

    @pytest.mark.parametrize("has_moment", [True, False], ids=["a snapshot", "a mere observation"])
    def test_a_function_created_while_its_place_is_listed_is_not_gone(self, has_moment: bool) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05)
            rig.has(*(function(f"function-{number:03}") for number in range(120)))
            new = snapshot(PAYMENTS)

            async def created_meanwhile() -> None:
                if rig.estate.calls["functions"] == 1:  # the first page, where it would stand, is through
                    now = rig.clock.now()
                    state = CoverageState.PENDING if has_moment else CoverageState.NO_ACCESS
                    await rig.knows(Coverage(function=new.arn, state=state, at=now, as_of=now if has_moment else None))

            rig.calls.after["functions"] = created_meanwhile
            report = await rig.sweep()
            assert report.counts.gone == 0
            assert (await rig.coverage(PAYMENTS)).state is not CoverageState.GONE

        run(main())

    def test_a_list_that_is_short_once_makes_nothing_gone(self) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS, THUMBNAILS)
            await rig.knows(*map(covered, there))
            rig.calls.after["regions"] = lambda: rig.estate.remove(ORDERS)
            rig.calls.before["rows"] = lambda: rig.estate.put(there[1])
            report = await rig.sweep()
            assert (report.counts.functions, report.counts.gone) == (2, 0)
            assert await rig.states([ORDERS]) == [CoverageState.COVERED]

        run(main())

    def test_a_function_created_while_its_place_is_listed_is_not_gone_for_a_clock_that_is_behind(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05)
            rig.has(*(function(f"function-{number:03}") for number in range(120)))

            async def created_meanwhile() -> None:
                if rig.estate.calls["functions"] == 1:
                    moment = rig.clock.now() - timedelta(seconds=5)
                    (there,) = rig.has(PAYMENTS, last_modified=moment)
                    await rig.knows(replace(covered(there), at=moment + timedelta(seconds=1)))
                    rig.estate.remove(PAYMENTS)  # from the list that is under way

            rig.calls.after["functions"] = created_meanwhile
            rig.calls.before["rows"] = lambda: rig.estate.put(snapshot(PAYMENTS))
            assert (await rig.sweep()).counts.gone == 0
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]

        run(main())

    def test_only_places_where_something_is_missing_are_listed_again(self) -> None:
        async def main() -> None:
            rig = Rig()
            elsewhere = function("exports", region="us-east-1")
            there = rig.has(PAYMENTS, ORDERS, elsewhere)
            await rig.knows(*map(covered, there))
            await rig.sweep()
            assert rig.estate.calls["functions"] == 2
            rig.estate.remove(ORDERS)
            assert (await rig.sweep()).counts.gone == 1
            assert rig.estate.calls["functions"] == 2 + 3

        run(main())

    @pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "broken off"])
    def test_where_nobody_can_look_again_nothing_is_gone_until_the_next_sweep(self, is_silent: bool) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS)
            await rig.knows(*map(covered, there))
            rig.estate.remove(ORDERS)

            def broken() -> None:
                if is_silent:
                    rig.calls.before["functions"] = lambda: asyncio.sleep(86_400)
                for _ in range(0 if is_silent else 4):
                    rig.estate.fail("functions", Unavailable("the endpoint has closed the connection"))

            rig.calls.after["rows"] = broken
            with capture_logs() as lines:
                report = await rig.sweep()
            assert (report.counts.gone, report.problems) == (0, ())
            assert await rig.states([ORDERS]) == [CoverageState.COVERED]
            (told,) = [line for line in lines if line["event"] == "what is gone is left for the next sweep"]
            assert (told["account"], told["region"]) == (ACCOUNT, "eu-central-1")
            rig.calls.before.clear()
            rig.calls.after.clear()
            assert (await rig.sweep()).counts.gone == 1

        run(main())

    def test_a_hub_without_credentials_is_no_reason_to_say_nothing(self) -> None:
        async def main() -> None:
            rig = Rig()
            await rig.knows(*map(covered, rig.has(PAYMENTS, ORDERS)))
            rig.estate.remove(ORDERS)
            rig.calls.after["rows"] = lambda: rig.estate.fail("functions", Misconfigured("the token is expired"))
            with pytest.raises(Misconfigured, match="expired"):
                await rig.sweep()

        run(main())

    def test_an_event_that_is_newer_than_the_list_stands(self) -> None:
        """The index lags behind by a moment: the row still shows the old entry, while the table has a newer."""

        async def main() -> None:
            rig = Rig()
            await rig.knows(covered(snapshot(PAYMENTS)))
            rig.has(ORDERS)

            async def recreated() -> None:
                now = rig.clock.now() + timedelta(seconds=1)
                await rig.knows(Coverage(function=PAYMENTS, state=CoverageState.PENDING, at=now, as_of=now))

            rig.calls.after["rows"] = recreated
            report = await rig.sweep()
            assert await rig.states([PAYMENTS]) == [CoverageState.PENDING]
            assert report.counts.gone == 0

        run(main())

    def test_what_went_long_ago_is_looked_for_in_no_list(self) -> None:
        """The ledger keeps it for more than a year: where functions come and go that is most of what it knows."""

        class Unasked(Roll):
            def __contains__(self, function: object) -> bool:
                raise AssertionError(f"{function} was looked for")

        found = {"eu-central-1": PlaceFound(region="eu-central-1", began=START, listed=Unasked([PAYMENTS]))}
        long_ago = START - timedelta(days=200)
        assert missing(found, CoverageRow(function=ORDERS, state=CoverageState.GONE, at=long_ago)) is None
        with pytest.raises(AssertionError, match="orders was looked for"):
            missing(found, CoverageRow(function=ORDERS, state=CoverageState.COVERED, at=long_ago))
