"""Runs of the model in which nothing scales, for closed-form cases and for comparison with the worker."""

import math
import random
from typing import Any

from infra.capacity.durations import Draw, Lognormal
from infra.capacity.scenario import Scenario
from infra.capacity.workload import DAY, Setup


def fixed(tasks: int, *, slots: int = 4, **changes: Any) -> Setup:
    """A service of so many tasks, always."""
    return Setup(min_tasks=tasks, max_tasks=tasks, slots=slots, **changes)


def scenario(setup: Setup | None = None, **changes: Any) -> Scenario:
    """Without changes and without a sweep; every message is an event of its own."""
    values: dict[str, Any] = {
        "setup": setup or fixed(1),
        "functions": 1_000_000,
        "accounts": 100,
        "changes_per_day": 0.0,
        "busy_hours": 24.0,
        "durations": Lognormal(60.0, 0.0),
        "mean_seconds": 60.0,
        "grain": math.inf,
        "seconds": DAY,
    }
    return Scenario(**{**values, **changes})


def exponential(mean: float) -> Draw:
    """Draws of an M/M/c queue."""

    def draw(chance: random.Random) -> float:
        return chance.expovariate(1 / mean)

    return draw
