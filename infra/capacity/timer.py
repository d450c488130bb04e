"""What happens in the model a while later."""

from collections.abc import Callable, Generator
from typing import Any

import simpy

Process = Generator[simpy.Event, Any, None]


def after(env: simpy.Environment, seconds: float, act: Callable[[], None]) -> None:
    """Act in so many seconds. Lighter than a process, and a run has hundreds of thousands of these."""
    timeout = env.timeout(seconds)
    if timeout.callbacks is None:
        raise AssertionError("a new event has callbacks")
    timeout.callbacks.append(lambda _: act())
