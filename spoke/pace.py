"""How fast a member account is asked: a token bucket for each account and region."""

from collections import OrderedDict

from aiolimiter import AsyncLimiter

MAX_BUCKETS = 1000
"""Kept at once, unless more are in use: one that is full again says no more than a new one."""


class Pace:
    """So many calls a second in each place, of which as many may come at once.

    Args:
        calls_per_second: Above 0.
        limit: Buckets kept, besides those in use.
    """

    def __init__(self, calls_per_second: float, *, limit: int = MAX_BUCKETS) -> None:
        self._burst = max(1.0, calls_per_second)
        self._period = self._burst / calls_per_second
        self._limit = limit
        self._buckets: OrderedDict[tuple[str, str], AsyncLimiter] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    async def turn(self, account: str, region: str) -> None:
        """Wait until one more call may be made there."""
        place = (account, region)
        bucket = self._buckets.get(place)
        if bucket is None:
            self._make_room()
            bucket = self._buckets[place] = AsyncLimiter(self._burst, self._period)
        self._buckets.move_to_end(place)
        await bucket.acquire()

    def _make_room(self) -> None:
        """Drop the longest unused ones beyond the limit, as far as no call counts in them any more."""
        while len(self._buckets) >= self._limit:
            place, bucket = next(iter(self._buckets.items()))
            if not bucket.has_capacity(self._burst):
                return
            del self._buckets[place]
