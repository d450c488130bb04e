"""An event loop whose time jumps: what waits an hour is over at once, in the same order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

PATIENCE = 1000
"""Turns of the loop without a step of time, before it makes one by itself."""

TICK = 1e-9
"""Seconds of that step."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting until a timer is due, moves the time there."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self._turns += 1
        if self._turns >= PATIENCE:
            # On a real machine no two turns have the same time. Who waits for the rest of a rounding error would
            # otherwise wait for ever.
            self._turns, self.time = 0, self.time + TICK
        if not ready and timeout is None:
            raise RuntimeError("every task waits and no timer is set: under virtual time nothing will ever happen")
        if not ready and timeout is not None and timeout > 0:
            self._turns, self.time = 0, self.time + timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at zero. For code without real sockets, processes or threads."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Like `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
