"""A lease, kept while a scan runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from hub.scans import Lease
from spoke.errors import LeaseLost, Retry
from worker.ports import Clock, Ledger

log = structlog.get_logger()

RENEWALS_A_LEASE = 3
"""Renewed at a third of its length: two renewals may fail before it ends."""

LAST_SIXTH = 6
"""A lease that was not renewed is given up a sixth of its length before it ends: to end a scan takes a while too."""


@asynccontextmanager
async def kept(lease: Lease, ledger: Ledger, clock: Clock, duration: timedelta) -> AsyncIterator[None]:
    """Renew the lease until the context is left.

    Raises:
        LeaseLost: Another worker has it, or it could not be renewed in time; what ran inside was cancelled.
    """
    if _left(lease, clock, duration) <= 0:
        # Its claim was answered so late that nothing is left of it.
        raise LeaseLost("the lease ended before the scan began")
    try:
        async with asyncio.TaskGroup() as group:
            renewal = group.create_task(_renew(lease, ledger, clock, duration))
            yield
            renewal.cancel()
    except ExceptionGroup as errors:
        # The group wraps what was raised inside; there is one cause, and the caller splits errors by their type.
        raise _first(errors) from None


async def _renew(lease: Lease, ledger: Ledger, clock: Clock, duration: timedelta) -> None:
    while True:
        # Counted from the lease's own end: its answer may have been on its way for long.
        renew_at = lease.expires_at - duration * (1 - 1 / RENEWALS_A_LEASE)
        await asyncio.sleep((renew_at - clock.now()).total_seconds())
        while True:
            left = _left(lease, clock, duration)
            try:
                # A call that hangs must not outlive the lease.
                async with asyncio.timeout(max(0.0, left)):
                    lease = await ledger.renew(lease, now=clock.now(), duration=duration)
                break
            except TimeoutError as error:
                raise LeaseLost("the lease ended: it could not be renewed in time") from error
            except Retry as error:
                log.warning("lease not renewed", reason=error.text)
                if left <= 0:
                    raise LeaseLost("the lease ended: it could not be renewed in time") from error
                await asyncio.sleep(min(left, duration.total_seconds() / (4 * RENEWALS_A_LEASE)))


def _left(lease: Lease, clock: Clock, duration: timedelta) -> float:
    """Seconds until the lease must be given up."""
    return (lease.expires_at - clock.now() - duration / LAST_SIXTH).total_seconds()


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")


async def released(lease: Lease, ledger: Ledger) -> None:
    """Give the lease up, as well as it goes: if it cannot be done, the lease ends by itself."""
    try:
        await ledger.release(lease)
    except Retry as error:
        log.warning("lease not released", reason=error.text)
