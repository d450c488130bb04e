"""The run over all accounts: its cost, its result, its progress, and a dry run."""

import asyncio
import itertools
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from functools import partial

import pytest
from structlog.testing import capture_logs

from hub.service_notes import Pause
from hub.sweep.decision import Why
from hub.sweep.report import Planned
from hub.sweep.sweep import Sweep
from hub.sweeps import SweepScope
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

PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/ops/jo", reason="Qualys maintenance", at=START)


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


async def all_covered(rig: Rig, accounts: int, functions: int) -> None:
    for one, region, number in itertools.product(range(accounts), REGIONS, range(functions)):
        await rig.knows(covered(snapshot(function(f"function-{number:04}", account=account(one), region=region))))


def _raise(error: Exception) -> None:
    raise error


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
