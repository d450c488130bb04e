"""What one run of the model is of."""

import math
from dataclasses import dataclass

from infra.capacity.durations import Draw
from infra.capacity.workload import DAY, Setup

GRAIN = 30_000
"""Scans a day up to which each is an event, and changes in a run."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens in one run.

    Attributes:
        setup: Of the service.
        functions: That there are, of which a change is of any.
        accounts: That they belong to.
        changes_per_day: Change events.
        busy_hours: In the first of each day, in which they come.
        new_code: The share of them that needs a scan.
        durations: Draws the seconds of a scan, what the worker adds included.
        mean_seconds: Of these, on average.
        due: Functions that a sweep queues.
        sweeps: When each sweep begins, seconds; each queues `due`.
        pace: Functions that a sweep queues in a second, by setting and by how fast it lists.
        most: Scans at once that AWS's limits allow.
        seconds: How long the run is at the most.
        until_swept: Whether it ends when the first sweep's functions are done.
        grain: See `GRAIN`; infinity makes every message an event.
        tasks: That run at the beginning; by default the fewest.
        arrivals: Moments at which a change comes, each of another function, instead of random ones.
    """

    setup: Setup
    functions: int
    accounts: int
    changes_per_day: float
    busy_hours: float
    durations: Draw
    mean_seconds: float
    new_code: float = 1.0
    due: int = 0
    sweeps: tuple[float, ...] = (0.0,)
    pace: float = math.inf
    most: int | None = None
    seconds: float = DAY
    until_swept: bool = False
    grain: float = GRAIN
    tasks: int | None = None
    arrivals: tuple[float, ...] = ()
