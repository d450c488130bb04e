"""A sweep that ends before its time, by a signal, a fault or a pause, and how it is gone on with."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.coverage import CoverageState
from hub.service_notes import Pause
from hub.sweep.claims import DURATION
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


PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/ops/jo", reason="Qualys maintenance", at=START)


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


def twice(rig: Rig) -> list[str]:
    return [arn for arn, times in Counter(rig.queued).items() if times > 1]


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
