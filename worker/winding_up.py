"""How a worker ends: what has not begun is given back, what scans may finish within the drain time."""

import asyncio
from collections.abc import Mapping

import structlog

from worker.trip import Trip

log = structlog.get_logger()

LAST_CALLS = 20.0
"""Seconds after the drain time for scans to be ended and for the last calls about their messages."""


async def wind_up(running: Mapping[asyncio.Task[None], Trip], *, drain_timeout: float, hurried: asyncio.Event) -> None:
    """Give back what has not begun; let scans end within the drain time, then end them and give back.

    Args:
        running: What is in hand; a live view, empty in the end. Who cancels such a task has its message given back.
        drain_timeout: Seconds.
        hurried: Once set, no scan is waited for any more.
    """
    # A task that is cancelled before its first step never runs, and would never give its message back.
    await asyncio.sleep(0)
    for task, trip in running.items():
        # One that has ended already is about to be deleted, parked or given back: let it.
        if not trip.has_begun and trip.ending is None:
            task.cancel()
    if running:
        log.info("draining", running=len(running), seconds=drain_timeout)
        await _drained(list(running), drain_timeout=drain_timeout, hurried=hurried)
    for task, trip in running.items():
        if trip.ending is None:
            task.cancel()
    if running:
        # What has ended is deleted, parked or given back also when there was no time to drain at all.
        await asyncio.wait(list(running), timeout=LAST_CALLS)
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(list(running))


async def _drained(running: list[asyncio.Task[None]], *, drain_timeout: float, hurried: asyncio.Event) -> None:
    """All have ended, or the drain time is over, or somebody is in a hurry."""
    hurry = asyncio.ensure_future(hurried.wait())
    ended = asyncio.ensure_future(asyncio.wait(running))
    await asyncio.wait({hurry, ended}, timeout=drain_timeout, return_when=asyncio.FIRST_COMPLETED)
    for waiter in (hurry, ended):
        waiter.cancel()
