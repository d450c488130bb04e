"""Reads what the scanner left without holding up the event loop, and without filling the memory."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from spoke.errors import ResultUnwritable

IN_A_THREAD = 1024 * 1024
"""Bytes from which on files are read and hashed off the event loop; below, a thread would cost more than it saves."""

ONE_AT_A_TIME = 16 * 1024 * 1024
"""Bytes of a scan's documents from which on only one scan at a time is parsed: each takes a multiple in memory."""

Value = TypeVar("Value")


async def off_loop(weight: int, work: Callable[[], Value]) -> Value:
    """Do the work, in a thread if it is heavy.

    Args:
        weight: Bytes that it reads.
        work: Opens and reads files.

    Raises:
        ResultUnwritable: A file cannot be read.
    """
    try:
        return await asyncio.to_thread(work) if weight > IN_A_THREAD else work()
    except OSError as error:
        raise ResultUnwritable(f"the scanner's files cannot be read: {error}") from error


class Parsing:
    """Parses the documents of many scans; of very large ones, one scan's at a time."""

    def __init__(self) -> None:
        self._large = asyncio.Lock()

    async def do(self, weight: int, work: Callable[[], Value]) -> Value:
        """As `off_loop`; `weight` is the bytes of all documents of the scan."""
        if weight > ONE_AT_A_TIME:
            async with self._large:
                return await off_loop(weight, work)
        return await off_loop(weight, work)
