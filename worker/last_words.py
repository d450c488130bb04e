"""What a worker that stops still has to write, and how long it waits for that."""

import asyncio
from collections.abc import Collection

LAST_WORDS = 2.0
"""Seconds that a worker which stops gives to what is being written."""


async def last_words(writing: Collection[asyncio.Task[None]], *, seconds: float = LAST_WORDS) -> None:
    """Wait until all of it is written, but not for long; then give up what is not."""
    if writing:
        _, late = await asyncio.wait(writing, timeout=seconds)
        for task in late:
            task.cancel()
