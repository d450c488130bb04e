"""Single requests, gathered for a moment and answered by one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Batcher(Generic[Key, Answer]):
    """Turns many awaited `ask` calls into few calls of a batch API.

    Args:
        call: Takes distinct keys, gives an answer for those that have one.
        size: Keys a call at the most.
        linger: Seconds that the first key waits for company.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]],
        *,
        size: int,
        linger: float,
    ) -> None:
        self._call = call
        self._size = size
        self._linger = linger
        self._waiting: dict[Key, asyncio.Future[Answer | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def ask(self, key: Key) -> Answer | None:
        """The answer for one key, or None where the call gave none.

        Raises:
            Exception: What the call raised, for every key of its batch.
        """
        loop = asyncio.get_running_loop()
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = loop.create_future()
            if len(self._waiting) >= self._size:
                self._flush()
            elif self._timer is None:
                self._timer = loop.call_later(self._linger, self._flush)
        # Shielded: one asker that gives up must not take the answer from the others.
        return await asyncio.shield(future)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, {}
        task = asyncio.get_running_loop().create_task(self._answer(batch))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, batch: dict[Key, asyncio.Future[Answer | None]]) -> None:
        try:
            answers = await self._call(list(batch))
        except BaseException as error:
            for future in batch.values():
                if isinstance(error, asyncio.CancelledError):
                    future.cancel()
                elif not future.done():
                    future.set_exception(error)
                    future.exception()  # marks it as seen: its asker may have given up
            if not isinstance(error, Exception):
                raise
        else:
            for key, future in batch.items():
                if not future.done():
                    future.set_result(answers.get(key))
