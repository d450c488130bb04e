"""How fast a sweep puts requests into the queue."""

import asyncio

from aiolimiter import AsyncLimiter

AT_ONCE = 10
"""Requests of one call (SQS quotas)."""

SECONDS_AHEAD = 10
"""What may go at once after a pause, in seconds of the rate: so the rate is steady and not a burst a minute."""


class Pace:
    """One rate for all that this process sends, first come first served.

    Args:
        per_minute: Requests; 0 is without a limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._limiter: AsyncLimiter | None = None
        self._turn = asyncio.Lock()
        if per_minute:
            burst = max(AT_ONCE, per_minute * SECONDS_AHEAD / 60)
            self._limiter = AsyncLimiter(burst, burst * 60 / per_minute)

    async def wait(self, requests: int) -> None:
        """Wait until so many (1-10) may be sent."""
        if self._limiter is None:
            return
        # The limiter would let small requests overtake: a place with one function to queue those with thousands.
        async with self._turn:
            await self._limiter.acquire(requests)
