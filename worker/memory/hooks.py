"""Where a test or the simulator steps into an in-memory port: to let others in between, or to let a call fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol


class OnCall(Protocol):
    """Awaited around each operation of an in-memory port."""

    async def __call__(self, operation: str, *, after: bool) -> None:
        """Raise, or wait.

        Args:
            operation: The name of the port's method.
            after: False before the effect; True when it has taken place: what is raised then is a lost answer.
        """
        ...


@asynccontextmanager
async def operation(name: str, on_call: OnCall | None) -> AsyncIterator[None]:
    """Around the effect of one operation, which itself must not await: so it is atomic, as one call to AWS is."""
    await asyncio.sleep(0)
    if on_call is not None:
        await on_call(name, after=False)
    yield
    if on_call is not None:
        await on_call(name, after=True)
