"""One call at a time for each key, however many wait for its outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Callers with the same key share one call: they all get its result, or all its error."""

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[Value]] = {}

    async def join(self, key: Key, start: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The outcome of the call under way for `key`, or of `start()` if there is none.

        A caller that is cancelled leaves the call running for the others.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(start())
            task.add_done_callback(partial(self._landed, key))
        return await asyncio.shield(task)

    async def cancel(self) -> None:
        """End every call under way; those who wait are cancelled with it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Key, task: asyncio.Task[Value]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Every waiter may have been cancelled; asyncio would then complain of an error that nobody fetched.
            task.exception()
