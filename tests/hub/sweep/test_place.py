"""One account and region: what is queued, what refuses, and what happens in between."""

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
from tests.hub.sweep.rig import ACCOUNT, PROFILE, Rig, covered, function
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
