"""No account delays the others, and requests go at the pace set."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.hub.sweep.rig import (
    REGIONS,
    OnEachStep,
    Rig,
    Step,
    account,
    function,
)
from tests.virtual_time import run

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


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


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
