"""Hooks of the ports in memory: what goes wrong, takes long or happens in the very moment of a call."""

import asyncio
from collections.abc import Callable

from worker.memory.hooks import OnCall


def failing(name: str, error: Exception, *, after: bool = False) -> OnCall:
    """A hook by which one operation of a port fails: before its effect, or after it as a lost answer."""
    when = after

    async def on_call(operation: str, *, after: bool) -> None:
        if (operation, after) == (name, when):
            raise error

    return on_call


def slow(name: str, seconds: float, *, after: bool = False) -> OnCall:
    """A hook by which one operation of a port takes its time: before its effect, or after it."""
    when = after

    async def on_call(operation: str, *, after: bool) -> None:
        if (operation, after) == (name, when):
            await asyncio.sleep(seconds)

    return on_call


def once_answered(name: str, act: Callable[[], object]) -> OnCall:
    """A hook that acts when an operation's answer is there, before the loop has taken it."""

    async def on_call(operation: str, *, after: bool) -> None:
        if (operation, after) == (name, True):
            asyncio.get_running_loop().call_soon(act)

    return on_call
