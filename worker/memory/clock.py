"""Clocks that do not tick by themselves."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move forward."""
        self._now += step


class LoopClock:
    """A clock that follows the running event loop's time: under a virtual-time loop it is virtual too.

    Args:
        start: What it says when the loop's time is zero.
        skew: By how much this clock is wrong.
    """

    def __init__(self, start: datetime = START, skew: timedelta = timedelta(0)) -> None:
        self._start = start + skew

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())
