"""The run over all accounts: its cost, its fairness, its interruptions, and two processes at once."""

import asyncio
import itertools
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from hub.coverage import CoverageState
from hub.service_notes import Pause
from hub.sweep.claims import DURATION
from hub.sweep.decision import Why
from hub.sweep.report import Planned
from hub.sweep.sweep import Sweep
from hub.sweeps import AccountHeld, SweepScope
from spoke.errors import Misconfigured, Throttled
from spoke.snapshot import FunctionSnapshot
from tests.hub.sweep.rig import (
    PROFILE,
    REGIONS,
    SCOPE,
    OnEachStep,
    Onlooker,
    Rig,
    Step,
    account,
    covered,
    function,
    snapshot,
)
from tests.virtual_time import run
from worker.memory.clock import START

MANY_REGIONS = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]
"""Those that every account has enabled from the beginning."""

MINUTE = timedelta(minutes=1)
PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/ops/jo", reason="Qualys maintenance", at=START)


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


async def all_covered(rig: Rig, accounts: int, functions: int) -> None:
    for one, region, number in itertools.product(range(accounts), REGIONS, range(functions)):
        await rig.knows(covered(snapshot(function(f"function-{number:04}", account=account(one), region=region))))


def twice(rig: Rig) -> list[str]:
    return [arn for arn, times in Counter(rig.queued).items() if times > 1]


class TestCost:
    def test_an_unchanged_organization_costs_a_twentieth_of_a_call_a_function(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=100, functions=100)
            await all_covered(rig, 100, 100)
            rig.calls.made.clear()
            rig.calls.latency = 0.05
            began = asyncio.get_running_loop().time() + 60
            report = await rig.sweep(accounts)
            elapsed = asyncio.get_running_loop().time() - began
            assert report.counts.functions == report.counts.fresh == 30_000
            # What the estate needs besides: one role session an account.
            made = rig.calls.made.total() + len(accounts)
            assert made <= 0.05 * 30_000
            # Nearly: what belongs to the run and not to an account is not told.
            assert report.counts.calls == pytest.approx(rig.calls.made.total(), abs=20)
            assert rig.calls.made["standings"] == pytest.approx(300, rel=0.05)
            # One call after another would take this long.
            assert made * 0.05 >= 20 * elapsed

        run(main())

    def test_memory_does_not_grow_with_the_number_of_accounts(self) -> None:
        def peak(accounts: int) -> int:
            async def main() -> None:
                rig = Rig(sweep_places=2, exclude_functions="*")
                names = [account(number) for number in range(accounts)]
                for one in names:
                    rig.estate.generate(one, "eu-central-1", partial(thousand, one))
                report = await rig.sweep(names, dry_run=True)
                assert report.counts.excluded == accounts * 1000

            tracemalloc.start()
            run(main())
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        def thousand(one: str) -> Iterator[FunctionSnapshot]:
            return (snapshot(function(f"function-{number:04}", account=one)) for number in range(1000))

        peak(1)  # what is imported and compiled at the first time
        assert peak(16) < 1.3 * peak(4)

    def test_the_meter_of_the_clients_is_believed_where_there_is_one(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=2, functions=3)
            sweep = Sweep(rig.world(), calls=lambda: 1000 + rig.calls.made.total())
            report = await sweep.run(SCOPE, accounts)
            assert report.counts.calls == pytest.approx(rig.calls.made.total(), abs=3)

        run(main())


class TestRun:
    def test_every_function_of_every_account_is_queued_once_and_the_run_is_finished(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=5, functions=12)
            report = await rig.sweep(accounts)
            assert len(rig.queued) == len(set(rig.queued)) == 180
            assert {message.group for message in rig.queue.messages} == set(accounts)
            assert report.counts.queued == {"missing": 180}
            assert report.counts.accounts == report.listed_accounts == 5
            (noted,) = [one async for one in rig.register.sweeps()]
            assert noted.finished_at is not None
            assert (noted.accounts, noted.counts) == (5, report.counts)
            assert report.run is not None
            stored = json.loads(rig.objects.stored[f"sweeps/{report.run.id}/summary.json"].data)
            assert report.summary_key == f"sweeps/{report.run.id}/summary.json"
            assert stored["counts"]["queued"]["missing"] == 180

        run(main())

    def test_nobody_to_sweep_is_a_sweep_too(self) -> None:
        async def main() -> None:
            rig = Rig()
            report = await rig.sweep(())
            assert report.is_complete
            assert not report.saw_nothing
            assert report.summary_key

        run(main())

    def test_only_the_regions_named_are_gone_over(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_regions="us-east-1")
            accounts = fill(rig, accounts=1, functions=2)
            await rig.sweep(accounts)
            assert {body["region"] for body in rig.bodies} == {"us-east-1"}
            assert rig.estate.calls["regions"] == 0
            await rig.sweep(accounts, scope=SweepScope(profile_id=PROFILE, regions=("eu-central-1",)))
            assert {body["region"] for body in rig.bodies} == {"us-east-1", "eu-central-1"}

        run(main())

    def test_accounts_are_taken_in_another_order_by_each_process(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=1)
            accounts = fill(rig, accounts=4, regions=REGIONS[:1], functions=1)
            await Sweep(rig.world(), shuffle=lambda order: order.reverse()).run(SCOPE, accounts)
            assert rig.bodies[0]["account"] == accounts[-1]

        run(main())

    def test_a_store_that_refuses_the_summary_leaves_the_run_unfinished(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=2, functions=1)

            def refuse() -> None:
                raise Misconfigured("storing s3://scanhub-results: AccessDenied")

            rig.calls.before["put"] = refuse
            with pytest.raises(Misconfigured, match="scanhub-results"):
                await rig.sweep(accounts)
            del rig.calls.before["put"]
            made = rig.estate.calls["functions"]
            report = await rig.sweep(accounts)
            assert rig.estate.calls["functions"] == made
            assert report.counts.queued == {"missing": 6}
            assert report.summary_key in rig.objects.stored

        run(main())


class TestDryRun:
    def test_it_says_what_would_be_queued_and_leaves_no_trace(self) -> None:
        async def main() -> None:
            rig = Rig(exclude_functions="function-0001")
            accounts = fill(rig, accounts=2, regions=("eu-central-1",), functions=3)
            old = snapshot(function("function-0000", account=accounts[0]))
            await rig.knows(
                covered(old, profile_id="7d1e0c44ab90"), covered(snapshot(function("away", account=accounts[0])))
            )
            await rig.register.pause(PAUSE)
            before = dict(rig.ledger.items), dict(rig.register.items)
            report = await rig.sweep(accounts, dry_run=True)
            assert (rig.ledger.items, rig.register.items) == before
            assert rig.queue.messages == ()
            assert rig.objects.stored == {}
            assert report.dry_run
            assert report.run is None
            assert sorted(report.planned, key=lambda one: one.function) == [
                Planned(function("function-0000", account=accounts[0]), Why.PROFILE),
                Planned(function("function-0002", account=accounts[0]), Why.MISSING),
                Planned(function("function-0000", account=accounts[1]), Why.MISSING),
                Planned(function("function-0002", account=accounts[1]), Why.MISSING),
            ]
            assert report.counts.queued == {"missing": 3, "profile": 1}
            assert (report.counts.excluded, report.counts.gone) == (2, 1)

        run(main())


class TestFairness:
    def test_an_account_that_hangs_delays_no_other_and_is_given_up(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=4)
            accounts = fill(rig, accounts=20, functions=5)
            done_at: dict[str, float] = {}

            async def hang(step: Step) -> None:
                await asyncio.sleep(0.05)
                if step.account == accounts[0] and step.operation == "functions":
                    await asyncio.sleep(86_400)

            rig.estate.on_call = OnEachStep(hang)

            def note() -> None:
                done_at[f"{len(done_at)}"] = asyncio.get_running_loop().time() - 60

            rig.calls.after["complete_account"] = note
            report = await rig.sweep(accounts)
            times = sorted(done_at.values())
            assert times[-2] < 10
            assert 300 <= times[-1] < 400
            assert {one.text for one in report.problems} == {"no answer for 5 minutes"}
            assert [one.account for one in report.problems] == [accounts[0]] * 3
            assert len(rig.queued) == 19 * 15

        run(main())

    def test_many_accounts_that_hang_do_not_hold_the_slots(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=4)
            accounts = fill(rig, accounts=20, functions=5)
            hanging = set(accounts[:6])

            async def hang(step: Step) -> None:
                await asyncio.sleep(0.05)
                if step.account in hanging:
                    await asyncio.sleep(86_400)

            rig.estate.on_call = OnEachStep(hang)
            done_at: list[float] = []
            rig.calls.after["complete_account"] = lambda: done_at.append(asyncio.get_running_loop().time() - 60)
            report = await rig.sweep(accounts)
            assert sorted(done_at)[13] < 60
            assert {one.account for one in report.problems} == hanging
            assert all(not one.region for one in report.problems)

        run(main())

    @pytest.mark.parametrize("call", ["regions", "functions", "versions"])
    def test_who_answers_late_is_not_given_up_for_the_slots_that_others_have(self, call: str) -> None:
        """The only slot is with a place that sends for half an hour, since the pace is slow."""

        async def main() -> None:
            rig = Rig(sweep_places=1, sweep_per_minute=1, sweep_versions=True)
            late, busy = account(0), account(1)
            rig.has(function("orders", account=late))
            rig.has(*(function(f"function-{number}", account=busy) for number in range(40)))

            async def slow(step: Step) -> None:
                if step.account == late and step.operation == call and not step.after:
                    await asyncio.sleep(20)

            rig.estate.on_call = OnEachStep(slow)
            report = await rig.sweep([late, busy])
            assert report.problems == ()
            assert len(rig.queued) == 41
            assert report.duration > 1800

        run(main())

    def test_an_account_with_many_regions_leaves_room_for_others(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=8)
            many = MANY_REGIONS
            fill(rig, accounts=1, regions=many, functions=1)
            rig.has(function("orders", account=account(1)))
            assert len(many) == 17
            at_once: Counter[str] = Counter()
            peak: Counter[str] = Counter()

            async def slow(step: Step) -> None:
                if step.operation != "functions":
                    return
                at_once[step.account] += -1 if step.after else 1
                peak[step.account] = max(peak[step.account], at_once[step.account])
                peak["all"] = max(peak["all"], at_once.total())
                if not step.after:
                    await asyncio.sleep(2)

            rig.estate.on_call = OnEachStep(slow)
            await rig.sweep([account(0), account(1)])
            assert peak[account(0)] == 2
            assert peak["all"] == 3

        run(main())

    def test_no_more_places_than_set_are_listed_at_once(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=5)
            accounts = fill(rig, accounts=12, functions=1)
            at_once = peak = 0

            async def slow(step: Step) -> None:
                nonlocal at_once, peak
                at_once += -1 if step.after else 1
                peak = max(peak, at_once)
                if not step.after:
                    await asyncio.sleep(1)

            rig.estate.on_call = OnEachStep(slow)
            await rig.sweep(accounts)
            assert peak == 5

        run(main())


class TestPace:
    def test_what_is_queued_is_spread_over_time(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_per_minute=60)
            accounts = fill(rig, accounts=4, functions=25)
            report = await rig.sweep(accounts)
            sent = sorted(message.sent_at for message in rig.queue.messages)
            assert len(sent) == 300
            for first, later in zip(sent, sent[70:], strict=False):
                assert later - first >= MINUTE - timedelta(seconds=1)
            assert timedelta(minutes=4.5) < sent[-1] - sent[0] < timedelta(minutes=5.5)
            # Longer than a claim: it was renewed meanwhile.
            assert rig.calls.made["renew_account"] > 0
            assert report.is_complete

        run(main())


class TestInterrupted:
    def test_cancelled_it_gives_up_its_claims_and_the_next_process_goes_on_at_once(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05, sweep_places=4)
            accounts = fill(rig, accounts=30, functions=10)
            first = asyncio.create_task(rig.sweep(accounts))
            await asyncio.sleep(62.5)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            before = len(rig.queued)
            assert 0 < before < 900
            done_before = rig.calls.made["complete_account"]
            report = await rig.sweep(accounts)
            assert len(set(rig.queued)) == 900
            assert twice(rig) == []
            assert report.counts.accounts == 30
            # What was in hand when it ended is listed once more, and found waiting.
            assert report.counts.due + report.counts.waiting == report.counts.functions == 900
            assert done_before > 0
            assert rig.calls.made["complete_account"] == 30
            assert report.started_at < rig.clock.now() - MINUTE
            runs = [one async for one in rig.register.sweeps()]
            assert len(runs) == 1

        run(main())

    def test_killed_between_send_and_note_at_most_one_batch_a_place_is_doubled(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=3, regions=("eu-central-1",), functions=40)
            batches = 0

            async def die() -> None:
                nonlocal batches
                batches += 1
                if batches > 6:
                    await asyncio.sleep(10**9)

            rig.calls.after["send_all"] = die
            rig.calls.before["release_account"] = lambda: asyncio.sleep(10**9)
            first = asyncio.create_task(rig.sweep(accounts))
            await asyncio.sleep(90)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            sent = len(rig.queued)
            assert sent == 90
            del rig.calls.after["send_all"], rig.calls.before["release_account"]
            report = await rig.sweep(accounts)
            assert len(set(rig.queued)) == 120
            assert len(twice(rig)) == 30
            assert len(rig.queued) == 150
            assert report.counts.accounts == 3
            # Nobody gave the claims up: they had to end.
            assert rig.clock.now() - START > DURATION

        run(main())

    def test_ended_while_it_notes_it_finishes_the_batch(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=1, regions=("eu-central-1",), functions=10)
            rig.calls.before["replace"] = lambda: asyncio.sleep(1)
            first = asyncio.create_task(rig.sweep(accounts))
            await asyncio.sleep(60.5)
            assert len(rig.queued) == 10
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            states = await rig.states([function(f"function-{n:04}", account=accounts[0]) for n in range(10)])
            assert states == [CoverageState.PENDING] * 10

        run(main())

    def test_after_a_day_it_begins_anew(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05)
            accounts = fill(rig, accounts=10, functions=2)
            first = asyncio.create_task(rig.sweep(accounts))
            await asyncio.sleep(61)
            first.cancel()
            await asyncio.wait({first})
            await asyncio.sleep(25 * 3600)
            report = await rig.sweep(accounts)
            assert report.started_at > START + timedelta(hours=25)
            assert len([one async for one in rig.register.sweeps()]) == 2

        run(main())

    def test_the_log_tells_a_run_that_is_gone_on_with_from_a_new_one(self) -> None:
        async def main() -> None:
            rig = Rig()
            rig.has(function("payments"))
            rig.calls.before["finish_sweep"] = lambda: asyncio.sleep(86_400)
            with capture_logs() as lines:
                await asyncio.sleep(0.000_789)  # real clocks have microseconds, the register has not
                for _ in range(2):
                    ended = asyncio.create_task(rig.sweep())
                    await asyncio.sleep(120)
                    ended.cancel()
                    await asyncio.wait({ended})
            assert [line["resumed"] for line in lines if line["event"] == "sweep begins"] == [False, True]

        run(main())

    def test_a_sweep_of_another_scope_is_another_run(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05)
            accounts = fill(rig, accounts=4, functions=2)
            first = asyncio.create_task(rig.sweep(accounts))
            await asyncio.sleep(60.4)
            first.cancel()
            await asyncio.wait({first})
            report = await rig.sweep(accounts, scope=replace(SCOPE, accounts=tuple(accounts)))
            assert report.is_complete
            assert report.started_at > START + MINUTE

        run(main())


class TestPaused:
    def test_while_paused_it_does_not_begin(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=2, functions=2)
            await rig.register.pause(PAUSE)
            report = await rig.sweep(accounts)
            assert report.stopped == f"the service was paused by {PAUSE.by}: Qualys maintenance"
            assert not report.is_complete
            assert rig.estate.calls.total() == 0
            assert [one async for one in rig.register.sweeps()] == []

        run(main())

    def test_paused_meanwhile_it_ends_and_is_gone_on_with_later(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_per_minute=60)
            accounts = fill(rig, accounts=4, functions=25)

            async def pause() -> None:
                await asyncio.sleep(90)
                await rig.register.pause(replace(PAUSE, reason=""))

            report, _ = await asyncio.gather(rig.sweep(accounts), pause())
            assert report.stopped == f"the service was paused by {PAUSE.by}"
            assert rig.clock.now() < START + timedelta(seconds=110)
            assert 0 < len(rig.queued) < 300
            assert report.summary_key == ""
            (run_,) = [one async for one in rig.register.sweeps()]
            assert run_.finished_at is None
            await rig.register.resume()
            second = await rig.sweep(accounts)
            assert second.run is not None
            assert second.run.id == run_.id
            assert len(rig.queued) == len(set(rig.queued)) == 300

        run(main())


class TestTwoAtOnce:
    def test_they_divide_the_accounts_and_both_tell_the_whole(self) -> None:
        async def main() -> None:
            rig = Rig(latency=0.05, sweep_places=4)
            accounts = fill(rig, accounts=40, functions=4)
            one, other = await asyncio.gather(rig.sweep(accounts), rig.sweep(accounts))
            assert len(rig.queued) == len(set(rig.queued)) == 480
            assert one.run is not None
            assert other.run is not None
            assert one.run.id == other.run.id
            assert one.counts.queued == other.counts.queued == {"missing": 480}
            assert one.counts.accounts == other.counts.accounts == 40
            assert rig.calls.made["complete_account"] == 40
            assert rig.estate.calls["functions"] == 120
            assert len([run async for run in rig.register.sweeps()]) == 1

        run(main())

    def test_who_loses_its_claim_leaves_the_account_to_the_other(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=1, regions=("eu-central-1",), functions=10)
            stalled = asyncio.Event()

            async def stall() -> None:
                if not stalled.is_set():
                    stalled.set()
                    await asyncio.sleep(900)

            rig.calls.before["standings"] = stall
            # The renewals of the first process do not arrive.
            rig.calls.before["renew_account"] = lambda: _raise(Throttled("Rate exceeded")) if rig.queued == [] else None
            first = asyncio.create_task(rig.sweep(accounts))
            await stalled.wait()
            await asyncio.sleep(DURATION.total_seconds() - 45)
            second = await rig.sweep(accounts)
            report = await first
            assert len(rig.queued) == len(set(rig.queued)) == 10
            assert second.counts.queued == report.counts.queued == {"missing": 10}

        run(main())

    def test_a_claim_that_is_never_given_back_is_waited_for(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=2, functions=1)
            run_ = await rig.register.begin_sweep(SCOPE, now=rig.clock.now(), adopt_within=MINUTE)
            claim = await rig.register.claim_account(run_, accounts[0], now=rig.clock.now(), duration=DURATION)
            assert not isinstance(claim, AccountHeld)
            report = await rig.sweep(accounts)
            assert report.counts.accounts == 2
            assert rig.clock.now() - START >= DURATION
            assert rig.calls.made["claim_account"] < 60

        run(main())


def _raise(error: Exception) -> None:
    raise error


class TestClosedAccounts:
    async def known(self, rig: Rig) -> list[str]:
        accounts = fill(rig, accounts=2, regions=("eu-central-1",), functions=2)
        closed = function("payments", account=account(77))
        await rig.knows(covered(snapshot(closed)))
        await rig.register.know_account(closed.account, now=rig.clock.now())
        return accounts

    @pytest.mark.parametrize(
        ("scope", "is_organization", "state"),
        [
            (SCOPE, True, CoverageState.GONE),
            (SCOPE, False, CoverageState.COVERED),
            (replace(SCOPE, regions=("eu-central-1",)), True, CoverageState.COVERED),
            (replace(SCOPE, ous=("ou-ab12-34567890",)), True, CoverageState.COVERED),
        ],
        ids=["the organization", "a file", "some regions", "a unit"],
    )
    def test_functions_of_an_account_that_was_closed_are_gone_only_by_the_organizations_word(
        self, scope: SweepScope, is_organization: bool, state: CoverageState
    ) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = await self.known(rig)
            report = await rig.sweep(accounts, scope=scope, is_organization=is_organization)
            known = await rig.coverage(function("payments", account=account(77)))
            assert known.state is state
            assert report.counts.gone == (state is CoverageState.GONE)
            assert len(report.accounts) == 2

        run(main())

    def test_an_organization_without_accounts_is_not_believed(self) -> None:
        async def main() -> None:
            rig = Rig()
            await self.known(rig)
            report = await rig.sweep((), is_organization=True)
            assert report.counts.gone == 0
            known = await rig.coverage(function("payments", account=account(77)))
            assert known.state is CoverageState.COVERED

        run(main())

    def test_in_a_dry_run_they_are_counted_only(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = await self.known(rig)
            report = await rig.sweep(accounts, is_organization=True, dry_run=True)
            assert report.counts.gone == 1
            assert (await rig.coverage(function("payments", account=account(77)))).state is CoverageState.COVERED

        run(main())


class TestProgress:
    def test_it_is_told_every_second_noted_every_ten_and_logged_every_thirty(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_per_minute=60)
            accounts = fill(rig, accounts=4, functions=25)
            onlooker = Onlooker()
            with capture_logs() as logs:
                report = await rig.sweep(accounts, onlooker=onlooker)
            seconds = report.duration
            assert len(onlooker.looks) == pytest.approx(seconds, abs=2)
            assert rig.calls.made["note_sweep"] == pytest.approx(seconds / 10, abs=1)
            lines = [line for line in logs if line["event"] == "sweep goes on"]
            assert len(lines) == pytest.approx(seconds / 30, abs=1)
            halfway = onlooker.looks[len(onlooker.looks) // 2]
            assert 0 < halfway.counts.due < 300
            assert halfway.functions_per_second > 0
            last = onlooker.looks[-1]
            assert (last.done, last.accounts, last.seconds_left) == (4, 4, 0)
            assert last.counts.due == 300
            assert lines[0]["queued"] > 0

        run(main())

    def test_a_note_that_fails_does_not_stop_the_sweep(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_per_minute=60)
            accounts = fill(rig, accounts=1, functions=25)
            rig.calls.before["note_sweep"] = lambda: _raise(Throttled("Rate exceeded"))
            assert (await rig.sweep(accounts)).is_complete

        run(main())

    def test_the_time_left_follows_the_accounts(self) -> None:
        async def main() -> None:
            rig = Rig(sweep_places=1)
            accounts = fill(rig, accounts=40, regions=("eu-central-1",), functions=1)

            async def slow(step: Step) -> None:
                if not step.after and step.operation == "functions":
                    await asyncio.sleep(3)

            rig.estate.on_call = OnEachStep(slow)
            onlooker = Onlooker()
            await rig.sweep(accounts, onlooker=onlooker)
            look = onlooker.looks[60]
            assert look.seconds_left == pytest.approx(120 - look.elapsed, abs=10)
            assert onlooker.looks[0].seconds_left is None

        run(main())


class TestReport:
    def test_problems_are_told_by_account_and_region(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = fill(rig, accounts=3, functions=1)
            rig.estate.deny(accounts[2])
            rig.estate.deny(accounts[0], "us-east-1")
            report = await rig.sweep(list(reversed(accounts)))
            assert [(one.account, one.region) for one in report.problems] == [
                (accounts[0], "us-east-1"),
                (accounts[2], ""),
            ]
            assert report.counts.failed == 2
            assert not report.is_complete
            assert not report.saw_nothing
            again = await rig.sweep(list(reversed(accounts)))
            assert again.counts.waiting == 5

        run(main())
