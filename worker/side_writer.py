"""Writes what journeys leave to be written, beside them."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from worker.last_words import last_words


class SideWriter:
    """Writes one thing after the other, so that it takes no connection from the journeys but one.

    Args:
        next_write: The next write that waits, or None where there is none. It lets no error out.
    """

    def __init__(self, next_write: Callable[[], Awaitable[None] | None]) -> None:
        self._next_write = next_write
        self._writing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Something waits. Returns at once."""
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def settled(self) -> None:
        """Wait until all that waits is written, but not for long; then give it up."""
        if self._writing is not None:
            await last_words([self._writing])

    async def _write(self) -> None:
        # It goes on for others than the journey that began it.
        structlog.contextvars.clear_contextvars()
        try:
            while (write := self._next_write()) is not None:
                await write
        finally:
            self._writing = None
