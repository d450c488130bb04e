"""Waits that end at once when a worker stops, is paused, or may not scan."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Interruption:
    """The one thing that a worker's loop waits for at a time, and how that is broken off.

    Args:
        stopping: Once set, nothing is waited for any more.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._waiting: asyncio.Future[Any] | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing is waited for any more."""
        return self._stopping.is_set()

    async def of(self, work: Awaitable[Result]) -> Result | None:
        """The result, or None if the work was interrupted: by a stop, a pause, or because Qualys takes no scans."""
        task = self._waiting = asyncio.ensure_future(work)
        if self.is_final:
            task.cancel()
        try:
            await asyncio.wait({task})
        finally:
            self._waiting = None
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def now(self) -> None:
        """Break off what is waited for, if anything is."""
        # At once, not by a flag that is read later: a long poll in flight would take messages that nobody handles.
        if self._waiting is not None:
            self._waiting.cancel()
