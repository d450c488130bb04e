"""One account: what is queued, what is left out, what is gone, and what happens in between."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.coverage import Coverage, CoverageState
from hub.scans import CLOCK_SKEW, ScanStatus
from hub.sweeps import SweepScope
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, Throttled, Unavailable
from tests.hub.sweep.rig import ACCOUNT, PROFILE, REGIONS, Rig, covered, function, snapshot
from tests.virtual_time import run
from tests.worker.worlds import NEWER_CODE
from worker.memory.clock import START

PAYMENTS, ORDERS, THUMBNAILS = function("payments"), function("orders"), function("thumbnails")
HOUR = timedelta(hours=1)


def texts(*arns: FunctionArn) -> list[str]:
    return sorted(str(arn) for arn in arns)


class TestQueued:
    def test_a_function_that_nobody_knows_is_queued_and_noted(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            report = await rig.sweep()
            (message,) = rig.queue.messages
            assert message.group == ACCOUNT
            assert rig.bodies[0]["detail"] == {"functionArn": str(PAYMENTS), "reason": "sweep", "force": False}
            known = await rig.coverage(PAYMENTS)
            assert known.state is CoverageState.PENDING
            assert known.reason == "queued by a sweep: it has no result"
            assert (known.as_of, known.fingerprint, known.runtime) == (
                there.last_modified,
                there.fingerprint,
                "python3.13",
            )
            # Ten seconds back: a worker whose clock is behind may have the last word on it at any moment.
            assert known.queued_at == known.at + CLOCK_SKEW
            # The ledger keeps whole milliseconds, rounded down.
            assert timedelta(0) <= message.sent_at - known.queued_at < timedelta(milliseconds=1)
            assert report.counts.queued == {"missing": 1}
            assert report.is_complete

        run(main())

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"profile_id": "7d1e0c44ab90"}, "profile"), ({"fresh_until": START - HOUR}, "stale")],
    )
    def test_an_old_result_is_renewed_and_stays_noted(self, changes: dict[str, str], reason: str) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there, **changes))  # type: ignore[arg-type]  # one of two keywords
            report = await rig.sweep()
            assert rig.bodies[0]["detail"]["reason"] == "rescan"
            known = await rig.coverage(PAYMENTS)
            assert known.state is CoverageState.STALE
            assert known.last_good is not None
            assert known.last_good.status is ScanStatus.SUCCESS
            assert report.counts.queued == {reason: 1}

        run(main())

    def test_changed_code_is_queued_and_the_last_good_result_stays(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            await rig.knows(covered(there))
            (newer,) = rig.has(PAYMENTS, code_sha256=NEWER_CODE, last_modified=START - HOUR)
            await rig.sweep()
            known = await rig.coverage(PAYMENTS)
            assert (known.state, known.fingerprint) == (CoverageState.PENDING, newer.fingerprint)
            assert known.last_good is not None
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_a_function_that_was_called_gone_and_is_there_is_queued(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            # A deletion that was seen after the function was last modified: the older moment must stand all the same.
            await rig.knows(Coverage(function=PAYMENTS, state=CoverageState.GONE, at=START - HOUR, as_of=START - HOUR))
            await rig.sweep()
            known = await rig.coverage(PAYMENTS)
            assert (known.state, known.as_of) == (CoverageState.PENDING, START - timedelta(days=30))
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_the_next_sweep_leaves_alone_what_waits_and_sends_it_again_when_it_is_lost(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, ORDERS)
            await rig.sweep()
            second = await rig.sweep()
            assert (second.counts.waiting, second.counts.due) == (2, 0)
            await rig.queue.delete(await rig.queue.receive(10, wait=0))
            await asyncio.sleep(20 * 3600)
            third = await rig.sweep()
            assert third.counts.queued == {"lost": 2}
            assert rig.queued == texts(ORDERS, PAYMENTS)
            assert (await rig.coverage(ORDERS)).queued_at == rig.clock.now()

        run(main())

    def test_a_backlog_that_outlasts_the_retry_time_is_not_queued_again_by_each_sweep(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, ORDERS)
            await rig.sweep()
            for _ in range(12):
                await asyncio.sleep(24 * 3600)
                daily = await rig.sweep()
                assert (daily.counts.waiting, daily.counts.due) == (2, 0)
            assert rig.queued == texts(ORDERS, PAYMENTS)
            await asyncio.sleep(24 * 3600)
            assert (await rig.sweep()).counts.queued == {"lost": 2}, "SQS is about to forget them"

        run(main())

    def test_what_a_sweep_sends_itself_is_no_backlog_of_its_own(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            await rig.sweep()
            await rig.queue.delete(await rig.queue.receive(10, wait=0))
            await asyncio.sleep(20 * 3600)
            early = function("billing", account="210000000000")
            rig.has(early)
            both = await rig.sweep([early.account, PAYMENTS.account])
            assert both.counts.queued == {"missing": 1, "lost": 1}
            assert rig.calls.made["depth"] == 2, "once a sweep"

        run(main())

    def test_messages_in_hand_are_no_backlog(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, ORDERS)
            await rig.sweep()
            await asyncio.sleep(20 * 3600)
            assert len(await rig.queue.receive(10, wait=0)) == 2
            assert (await rig.sweep()).counts.queued == {"lost": 2}, "whoever has them would have spoken"

        run(main())

    def test_a_list_that_lags_does_not_take_a_newer_word_back(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            newer = replace(there, code_sha256=NEWER_CODE, last_modified=START - HOUR)
            await rig.knows(covered(newer, profile_id="7d1e0c44ab90"))
            await rig.sweep()
            known = await rig.coverage(PAYMENTS)
            assert (known.as_of, known.fingerprint) == (newer.last_modified, newer.fingerprint)

        run(main())


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
            assert (line["account"], line["reason"]) == (ACCOUNT, "no answer")
            assert report.is_complete
            assert len(rig.queued) == 3

        run(main())


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

    @pytest.mark.parametrize("error", [Unavailable("the endpoint has closed the connection"), TimeoutError()])
    def test_where_nobody_can_look_again_nothing_is_gone_until_the_next_sweep(self, error: Exception) -> None:
        async def main() -> None:
            rig = Rig()
            there = rig.has(PAYMENTS, ORDERS)
            await rig.knows(*map(covered, there))
            rig.estate.remove(ORDERS)

            def broken() -> None:
                for _ in range(4 if isinstance(error, Unavailable) else 1):
                    rig.estate.fail("functions", error)

            rig.calls.after["rows"] = broken
            with capture_logs() as lines:
                report = await rig.sweep()
            assert (report.counts.gone, report.problems) == (0, ())
            assert await rig.states([ORDERS]) == [CoverageState.COVERED]
            (told,) = [line for line in lines if line["event"] == "what is gone is left for the next sweep"]
            assert (told["account"], told["region"]) == (ACCOUNT, "eu-central-1")
            del rig.calls.after["rows"]
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


class TestRaces:
    def test_a_workers_result_between_look_up_and_note_stands(self) -> None:
        async def main() -> None:
            rig = Rig()
            (there,) = rig.has(PAYMENTS)
            rig.calls.before["send_all"] = lambda: rig.knows(covered(there))
            report = await rig.sweep()
            assert await rig.states([PAYMENTS]) == [CoverageState.COVERED]
            assert report.counts.queued == {"missing": 1}

        run(main())

    def test_the_message_is_there_before_the_note(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            seen: list[int] = []
            rig.calls.before["replace"] = lambda: seen.append(len(rig.queue.messages))
            await rig.sweep()
            assert seen == [1]

        run(main())

    def test_what_the_queue_does_not_take_is_not_noted_and_is_told(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, ORDERS)
            take = rig.queue.send_all

            async def without_orders(requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
                refused = [one for one in requests if "orders" in one[0]]
                await take([one for one in requests if one not in refused])
                return refused

            rig.queue.send_all = without_orders  # type: ignore[method-assign]  # SQS refuses an entry
            report = await rig.sweep()
            assert rig.queued == texts(PAYMENTS)
            assert await rig.ledger.coverage(ORDERS) is None
            assert [one.text for one in report.problems] == ["the queue did not take 1 of 2 requests"]
            assert report.counts.queued == {"missing": 1}
            assert (await rig.states([PAYMENTS])) == [CoverageState.PENDING]

        run(main())


class TestRefusals:
    @pytest.mark.parametrize("error", [Throttled("Rate exceeded"), Unavailable("no connection")])
    def test_a_list_that_breaks_off_begins_anew(self, error: Exception) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(*(function(f"function-{number:03}") for number in range(120)))
            broke_off: list[bool] = []

            def second_page() -> None:
                if rig.estate.calls["functions"] == 2 and not broke_off:
                    broke_off.append(True)
                    raise error

            rig.calls.before["functions"] = second_page
            report = await rig.sweep()
            assert report.is_complete
            assert report.counts.functions == 120
            assert len(rig.queued) == len(set(rig.queued)) == 120

        run(main())

    def test_after_some_tries_it_is_a_problem_of_the_place(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, function("reports", region="us-east-1"))
            for _ in range(4):
                rig.estate.fail("functions", Throttled("listing: Rate exceeded"), region="us-east-1")
            report = await rig.sweep()
            assert [(one.region, one.text) for one in report.problems] == [("us-east-1", "listing: Rate exceeded")]
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_a_place_that_closes_each_connection_in_silence_is_given_up_after_five_minutes(self) -> None:
        """Four reads of a minute each, which the AWS client makes, end before that with an error of their own."""

        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)

            async def silent() -> None:
                await asyncio.sleep(250)
                raise Unavailable("listing the functions: ReadTimeoutError: Read timeout on endpoint URL")

            rig.calls.before["functions"] = silent
            report = await rig.sweep()
            assert [one.text for one in report.problems] == ["no answer for 5 minutes"]
            assert report.duration < 310

        run(main())

    def test_a_list_that_breaks_off_has_the_whole_time_after_each_answer(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(*(function(f"function-{number:03}") for number in range(120)))

            async def slow() -> None:
                await asyncio.sleep(100)
                if rig.estate.calls["functions"] == 2:
                    raise Unavailable("the endpoint has closed the connection")

            rig.calls.before["functions"] = slow
            report = await rig.sweep()
            assert report.is_complete
            assert len(rig.queued) == 120
            assert report.duration > 450

        run(main())

    def test_an_account_that_refuses_is_told_with_its_reason(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.estate.deny(ACCOUNT)
            report = await rig.sweep()
            (problem,) = report.problems
            assert (problem.account, problem.region) == (ACCOUNT, "")
            assert "assuming the role scanhub-spoke" in problem.text
            assert report.saw_nothing
            (note,) = [one async for one in rig.register.accounts()]
            assert note.outcome is not None
            assert note.outcome.problem == problem.text

        run(main())

    @pytest.mark.parametrize("call", ["regions", "functions", "tagged"])
    def test_a_hub_without_credentials_ends_the_sweep(self, call: str) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            rig.estate.fail(call, Misconfigured("assuming a role: no AWS credentials were found"))  # type: ignore[arg-type]  # one of the calls
            with pytest.raises(Misconfigured, match="no AWS credentials"):
                await rig.sweep()
            # Given up: another process need not wait for the claim's end.
            assert (await rig.sweep()).is_complete
            assert rig.clock.now() < START + timedelta(minutes=4)

        run(main())

    @pytest.mark.parametrize("call", ["standings", "send_all", "replace", "rows", "claim_account", "complete_account"])
    def test_a_hub_that_refuses_its_own_tables_ends_the_sweep(self, call: str) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)

            def refuse() -> None:
                raise Misconfigured("AccessDeniedException")

            rig.calls.before[call] = refuse
            with pytest.raises(Misconfigured, match="AccessDenied"):
                await rig.sweep()

        run(main())

    @pytest.mark.parametrize(
        "call", ["standings", "send_all", "replace", "rows", "claim_account", "begin_sweep", "put"]
    )
    def test_a_hub_that_asks_for_patience_gets_it(self, call: str) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            left = [Throttled("Rate exceeded"), Unavailable("503")]

            def ask() -> None:
                if left:
                    raise left.pop()

            rig.calls.before[call] = ask
            assert (await rig.sweep()).is_complete
            assert rig.queued == texts(PAYMENTS)

        run(main())

    def test_a_mistake_of_our_own_costs_one_account(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS, function("reports", account="210000000002"))
            rig.estate.fail("functions", ZeroDivisionError(), account=ACCOUNT)
            with capture_logs() as logs:
                report = await rig.sweep((ACCOUNT, "210000000002"))
            assert [one["account"] for one in logs if one["event"] == "unexpected error"] == [ACCOUNT]
            assert [one.text for one in report.problems] == ["unexpected ZeroDivisionError; the log has more"]
            assert rig.queued == texts(function("reports", account="210000000002"))

        run(main())

    def test_a_region_that_was_named_wrongly_is_told(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(PAYMENTS)
            rig.estate.enable(ACCOUNT, "eu-central-1")
            scope = SweepScope(profile_id=PROFILE, regions=("eu-central-1", "me-south-1"))
            report = await rig.sweep(scope=scope)
            assert [one.region for one in report.problems] == ["me-south-1"]
            assert rig.queued == texts(PAYMENTS)

        run(main())


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
