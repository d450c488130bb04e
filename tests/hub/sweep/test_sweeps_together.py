"""Two processes that sweep at once."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta

from hub.sweep.claims import DURATION
from hub.sweeps import AccountHeld
from spoke.errors import Throttled
from tests.hub.sweep.rig import (
    REGIONS,
    SCOPE,
    Rig,
    account,
    function,
)
from tests.virtual_time import run
from worker.memory.clock import START

MINUTE = timedelta(minutes=1)


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


def _raise(error: Exception) -> None:
    raise error


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
