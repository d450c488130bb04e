"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE = 60.0
"""Seconds for what takes one or two on a machine with nothing else to do."""

LOOK = 0.1
"""Seconds between two looks: nothing tells a process what is in another's files."""


def until(condition: Callable[[], Answer], what: str, *, within: float = PATIENCE) -> Answer:
    """The first answer of the condition that counts as true.

    Raises:
        AssertionError: There was none within so many seconds.
    """
    deadline = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(LOOK)
    return answer
