"""Functions that are left out: by account, name or tag."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.coverage import Coverage, CoverageState
from hub.sweeps import SweepScope
from spoke.arn import FunctionArn
from tests.hub.sweep.rig import ACCOUNT, PROFILE, REGIONS, Rig, covered, function, snapshot
from tests.virtual_time import run
from worker.memory.clock import START

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")
HOUR = timedelta(hours=1)


def texts(*arns: FunctionArn) -> list[str]:
    return sorted(str(arn) for arn in arns)


class TestExcluded:
    def test_by_name_account_and_option_each_with_its_reason_and_written_once(self) -> None:
        async def main() -> None:
            other = function("billing", account="210000000002")
            rig = Rig(exclude_functions="pay*", exclude_accounts="210000000002")
            rig.has(PAYMENTS, ORDERS, other)
            scope = SweepScope(profile_id=PROFILE, exclude=("ord*",))
            for _ in range(2):
                report = await rig.sweep((ACCOUNT, "210000000002"), scope=scope)
                assert (report.counts.excluded, report.counts.due) == (3, 0)
            reasons = [(await rig.coverage(one)).reason for one in (PAYMENTS, ORDERS, other)]
            assert reasons == [
                "the name matches pay*",
                "the name matches ord*",
                "the account 210000000002 is excluded",
            ]
            assert rig.queued == []
            assert rig.calls.made["replace"] == 3

        run(main())

    def test_an_excluded_account_that_has_no_role_is_no_problem(self) -> None:
        async def main() -> None:
            rig = Rig(exclude_accounts=ACCOUNT)
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep()).is_complete
            rig.estate.allow(ACCOUNT)
            rig.estate.enable(ACCOUNT, "eu-central-1")
            rig.estate.deny(ACCOUNT, "eu-central-1")
            assert (await rig.sweep()).is_complete

        run(main())

    @pytest.mark.parametrize("regions", ["", "eu-central-1"], ids=["no role", "a region that is not asked for"])
    def test_of_an_excluded_account_what_is_known_is_excluded_although_it_cannot_be_listed(self, regions: str) -> None:
        async def main() -> None:
            rig = Rig(exclude_accounts=ACCOUNT, sweep_regions=regions)
            exports, old = function("exports", region="us-east-1"), function("old")
            known = [covered(snapshot(one)) for one in (PAYMENTS, exports)]
            await rig.knows(*known, Coverage(function=old, state=CoverageState.GONE, at=START, as_of=START))
            rig.estate.deny(ACCOUNT)
            assert (await rig.sweep(dry_run=True)).is_complete
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]
            for _ in range(2):
                assert (await rig.sweep()).is_complete
            assert await rig.states([PAYMENTS, exports, old]) == [
                CoverageState.EXCLUDED,
                CoverageState.EXCLUDED,
                CoverageState.GONE,
            ]
            found = await rig.coverage(PAYMENTS)
            assert found.reason == f"the account {ACCOUNT} is excluded"
            assert (found.last_good, found.fingerprint) == (known[0].last_good, known[0].fingerprint)
            assert rig.calls.made["replace"] == 2, "only once"

        run(main())

    def test_a_word_that_comes_meanwhile_stands(self) -> None:
        async def main() -> None:
            rig = Rig(exclude_accounts=ACCOUNT)
            await rig.knows(covered(snapshot(PAYMENTS)))
            rig.estate.deny(ACCOUNT)

            async def deleted() -> None:
                now = rig.clock.now()
                await rig.knows(Coverage(function=PAYMENTS, state=CoverageState.GONE, at=now, as_of=now))

            rig.calls.after["rows"] = deleted
            await rig.sweep()
            assert await rig.states([PAYMENTS]) == [CoverageState.GONE]

        run(main())

    def test_tags_are_asked_for_only_where_something_would_be_queued(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there))
            await rig.sweep()
            assert rig.estate.calls["tagged"] == 0
            rig.has(ORDERS, tags={"QualysScanExclude": "true"})
            report = await rig.sweep()
            assert rig.estate.calls["tagged"] == 1
            assert (report.counts.fresh, report.counts.excluded, report.counts.due) == (1, 1, 0)
            assert (await rig.coverage(ORDERS)).reason == "it is tagged QualysScanExclude"

        run(main())

    def test_a_tag_that_was_taken_away_lets_the_function_in_again(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, tags={"QualysScanExclude": "true"})
            await rig.sweep()
            assert rig.queued == []
            rig.has(PAYMENTS)
            await rig.sweep()
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_with_the_setting_a_tag_on_a_fresh_function_is_seen_too(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_all_tags=True)
            (there,) = rig.has(PAYMENTS, tags={"QualysScanExclude": "true"})
            await rig.knows(covered(there))
            await rig.sweep()
            known = await rig.coverage(PAYMENTS)
            assert known.state is CoverageState.EXCLUDED
            assert known.last_good is not None

        run(main())

    def test_where_tags_may_not_be_asked_for_the_worker_sees_them(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, ORDERS)
            tagged = Coverage(
                function=ORDERS,
                state=CoverageState.EXCLUDED,
                reason="it is tagged QualysScanExclude",
                at=START - HOUR,
                as_of=START - timedelta(days=30),
            )
            await rig.knows(tagged)
            rig.estate.deny(ACCOUNT, call="tagged")
            report = await rig.sweep()
            assert report.is_complete
            assert rig.queued == texts(PAYMENTS)
            assert (await rig.coverage(ORDERS)).at == tagged.at

        run(main())

    def test_of_tags_that_nobody_tells_it_is_logged_once_an_account(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(*(function("payments", region=region) for region in REGIONS))
            rig.calls.before["tagged"] = lambda: asyncio.sleep(10**6)
            with capture_logs() as logs:
                report = await rig.sweep()
            (line,) = [one for one in logs if one["event"] == "tags not listed"]
            assert (line["account"], line["reason"]) == (ACCOUNT, "no answer for 5 minutes")
            assert report.is_complete
            assert len(rig.queued) == 3

        run(main())
