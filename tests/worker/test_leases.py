import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from hub.scans import Lease, ScanKey
from spoke.arn import FunctionArn
from spoke.errors import LeaseLost, Unavailable
from tests.virtual_time import run
from worker.leases import kept, released
from worker.memory.clock import START, LoopClock
from worker.ports import Ledger

DURATION = timedelta(seconds=180)
KEY = ScanKey(FunctionArn("aws", "eu-central-1", "210000000001", "payments"), "f" * 64, "abcdef012345")
LEASE = Lease(KEY, "message-1", "owner-1", START + DURATION)


class Renewals:
    """The part of a ledger that keeps leases."""

    def __init__(self) -> None:
        self.renewed: list[float] = []
        self.error: Exception | None = None
        self.released: list[Lease] = []

    async def renew(self, lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
        if self.error is not None:
            raise self.error
        self.renewed.append(asyncio.get_running_loop().time())
        return replace(lease, expires_at=now + duration)

    async def release(self, lease: Lease) -> None:
        if self.error is not None:
            raise self.error
        self.released.append(lease)

    @property
    def port(self) -> Ledger:
        return cast("Ledger", self)


def test_a_long_scan_keeps_its_lease() -> None:
    async def main() -> None:
        ledger = Renewals()
        async with kept(LEASE, ledger.port, LoopClock(), DURATION):
            await asyncio.sleep(600)
        assert ledger.renewed == [60.0 * n for n in range(1, 10)] or ledger.renewed == [60.0 * n for n in range(1, 11)]
        await asyncio.sleep(600)
        assert len(ledger.renewed) <= 10, "nothing is renewed after the scan"

    run(main())


def test_a_lost_lease_ends_the_scan_at_once() -> None:
    async def main() -> None:
        ledger = Renewals()
        ledger.error = LeaseLost("taken over")
        ended_at = 0.0

        async def scan() -> None:
            nonlocal ended_at
            async with kept(LEASE, ledger.port, LoopClock(), DURATION):
                try:
                    await asyncio.sleep(3600)
                finally:
                    ended_at = asyncio.get_running_loop().time()

        with pytest.raises(LeaseLost, match="taken over"):
            await scan()
        assert ended_at == 60

    run(main())


def test_a_lease_that_cannot_be_renewed_is_lost_a_sixth_before_it_ends() -> None:
    async def main() -> None:
        ledger = Renewals()
        ledger.error = Unavailable("no answer")
        with pytest.raises(LeaseLost, match="could not be renewed"):
            async with kept(LEASE, ledger.port, LoopClock(), DURATION):
                await asyncio.sleep(3600)
        assert asyncio.get_running_loop().time() == 150

    run(main())


def test_what_fails_inside_comes_out_as_it_was() -> None:
    async def main() -> None:
        with pytest.raises(KeyError, match="inside"):
            async with kept(LEASE, Renewals().port, LoopClock(), DURATION):
                raise KeyError("inside")

    run(main())


def test_a_cancelled_scan_stays_cancelled() -> None:
    async def main() -> None:
        async def scan() -> None:
            async with kept(LEASE, Renewals().port, LoopClock(), DURATION):
                await asyncio.sleep(3600)

        task = asyncio.ensure_future(scan())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_release_that_fails_is_left_to_the_leases_end() -> None:
    async def main() -> None:
        ledger = Renewals()
        ledger.error = Unavailable("no answer")
        await released(LEASE, ledger.port)
        ledger.error = None
        await released(LEASE, ledger.port)
        assert ledger.released == [LEASE]

    run(main())


def test_a_renewal_that_hangs_does_not_outlive_the_lease() -> None:
    async def main() -> None:
        ledger = Renewals()

        async def hang(lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
            await asyncio.sleep(240)
            raise Unavailable(f"{lease.owner} {now} {duration}")

        ledger.renew = hang  # type: ignore[method-assign]  # the endpoint does not answer
        with pytest.raises(LeaseLost, match="could not be renewed"):
            async with kept(LEASE, ledger.port, LoopClock(), DURATION):
                await asyncio.sleep(3600)
        assert asyncio.get_running_loop().time() == 150

    run(main())


def test_a_renewal_that_failed_once_is_tried_again_in_time() -> None:
    async def main() -> None:
        ledger = Renewals()
        ledger.error = Unavailable("no answer")

        async def scan() -> None:
            async with kept(LEASE, ledger.port, LoopClock(), DURATION):
                await asyncio.sleep(100)
                ledger.error = None
                await asyncio.sleep(600)

        await scan()
        assert ledger.renewed[0] < 150

    run(main())


def test_a_claim_that_is_answered_too_late_begins_no_scan() -> None:
    async def main() -> None:
        ledger = Renewals()
        await asyncio.sleep(151)
        with pytest.raises(LeaseLost, match="before the scan began"):
            async with kept(LEASE, ledger.port, LoopClock(), DURATION):
                raise AssertionError("somebody else may be scanning by now")

    run(main())


def test_a_claim_that_is_answered_late_is_renewed_in_time() -> None:
    async def main() -> None:
        ledger = Renewals()
        await asyncio.sleep(100)
        async with kept(LEASE, ledger.port, LoopClock(), DURATION):
            await asyncio.sleep(100)
        assert ledger.renewed == [100, 160]

    run(main())


def test_a_renewal_that_is_answered_late_is_followed_by_the_next_in_time() -> None:
    async def main() -> None:
        ledger = Renewals()
        renew = ledger.renew

        async def slow(lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
            await asyncio.sleep(65)
            return await renew(lease, now=now, duration=duration)

        ledger.renew = slow  # type: ignore[method-assign]  # the answers take their time
        async with kept(LEASE, ledger.port, LoopClock(), DURATION):
            await asyncio.sleep(600)
        assert ledger.renewed == [125, 190, 255, 320, 385, 450, 515, 580]

    run(main())
