"""Trying again, waiting together, and finishing what must not be broken off: the same for every step of a sweep."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from spoke.errors import Retry, Throttled, Unavailable

Result = TypeVar("Result")

AT_ONCE = 10
"""Writes to the ledger at once, of one place."""

LAST_WORDS = 10.0
"""Seconds that are left for what was begun when the sweep is ended; ECS gives a task 120."""


async def with_spoke(call: Callable[[], Awaitable[Result]]) -> Result:
    """Four tries within about a minute, after the AWS client's own; then it is this account's problem.

    Raises:
        ScanhubError: What the last try raised, and at once what no try can mend.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Retry),
        stop=stop_after_attempt(4),
        wait=wait_random_exponential(multiplier=5, max=30),
        reraise=True,
    )
    return await _tried(retrying, call)


async def with_hub(call: Callable[[], Awaitable[Result]]) -> Result:
    """Eight tries within some minutes: without the ledger or the queue the whole sweep cannot go on.

    Raises:
        ScanhubError: What the last try raised, and at once what no try can mend.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type((Throttled, Unavailable)),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=1, max=60),
        reraise=True,
    )
    return await _tried(retrying, call)


async def _tried(retrying: AsyncRetrying, call: Callable[[], Awaitable[Result]]) -> Result:
    async def attempt() -> Result:
        # tenacity awaits only what it knows to be a coroutine function: not a lambda that returns a coroutine.
        return await call()

    return await retrying(attempt)


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> Sequence[Result]:
    """Run all at once; the first failure ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def in_tens(work: Sequence[Callable[[], Awaitable[Result]]]) -> Sequence[Result]:
    """Calls to the hub, some at once, each with patience."""
    results: list[Result] = []
    for start in range(0, len(work), AT_ONCE):
        results += await together(with_hub(call) for call in work[start : start + AT_ONCE])
    return results


async def unbroken(work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for it; if that is cancelled, let the work come to its end first, for a few seconds."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=LAST_WORDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
