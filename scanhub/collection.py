"""How often this process looks for unreachable cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (10_000, 10, 10)
"""Python's own are (700, 10, 10) (its manual, `gc.set_threshold`)."""


@contextmanager
def collected_seldom() -> Iterator[None]:
    """For work that makes and drops objects by the thousand, few of them in cycles: a sweep.

    Most of what such a process has was there before, botocore's models above all: looked through at every turn, it took
    a quarter of a sweep's time. So what is there is left out from now on, and the rest is looked through more seldom.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
