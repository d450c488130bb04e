"""What all workers share: queues in which nothing stays in order, and a table whose writes are seen."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from hub.ledger_schema import Key
from hub.message import Message, Source
from worker.memory.clock import LoopClock
from worker.memory.queue import MemoryQueue


class Bell:
    """Rings when something has entered or re-entered a queue. What waits for it need not ask again and again."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}  # in order, which a set has not

    def ring(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def heard_within(self, seconds: float) -> None:
        """Wait for it, but not longer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def late() -> None:
            if not future.done():
                future.set_result(None)

        timer = loop.call_later(seconds, late)
        self._waiting[future] = None
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.pop(future, None)


class RestlessQueue(MemoryQueue):
    """SQS at its worst: any order, messages that come again though they are held or deleted.

    Args:
        source: Which queue.
        clock: The true one.
        visibility: Of a receive.
        rng: Decides the order.
        bell: Rung when something may be received.
    """

    def __init__(self, *, source: Source, clock: LoopClock, visibility: timedelta, rng: Random, bell: Bell) -> None:
        super().__init__(source=source, clock=clock, visibility=visibility)
        self._rng = rng
        self._bell = bell

    @property
    def seconds_until_next(self) -> float:
        """Until something becomes visible by itself; not more than zero if something is."""
        return self._until_next()

    def _take(self, limit: int) -> list[Message]:
        if len(self._stored) > 1:
            shuffled = list(self._stored.items())
            self._rng.shuffle(shuffled)
            self._stored.clear()
            self._stored.update(shuffled)
        return super()._take(limit)

    def _wake(self) -> None:
        super()._wake()
        self._bell.ring()


Items = dict[Key, dict[str, Any]]
SeenItem = Callable[[str, str, dict[str, Any], dict[str, Any]], None]


class WatchedItems(Items):
    """The table's items; whoever listens is told of each write: keys, the item before and after."""

    def __init__(self, seen: SeenItem) -> None:
        super().__init__()
        self._seen = seen

    def __setitem__(self, key: Key, item: dict[str, Any]) -> None:
        before = self.get(key, {})
        super().__setitem__(key, item)
        self._seen(key.pk, key.sk, before, item)
