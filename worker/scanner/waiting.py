"""Waiting for what must come to its end, cancelled or not."""

import asyncio
from typing import TypeVar

Result = TypeVar("Result")


async def completed(work: asyncio.Future[Result]) -> Result:
    """Wait for a thread's work to its very end. A cancellation that comes meanwhile is raised afterwards.

    It takes a future of an executor, not a coroutine: when the loop is closed down every task is cancelled, also one
    that cleans up, but a thread's work is not.

    Raises:
        asyncio.CancelledError: The waiting task was cancelled; the work is done all the same, its error is dropped.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            # Neither cancels the work when the waiting is cancelled, nor raises what the work raised.
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not work.cancelled():
            work.exception()
        raise cancelled
    return work.result()
