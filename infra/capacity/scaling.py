"""How many tasks are wanted, minute by minute: the two scaling policies of the hub's templates."""

import math
from dataclasses import dataclass, field

from infra.capacity.workload import Setup

MINUTE = 60.0
"""Seconds. CloudWatch's resolution of the metrics that scaling looks at."""

IN_COOLDOWN = 300.0
STEP_COOLDOWN = 300.0
STEP_PERIODS = 3
"""Seconds, and minutes, as the templates have them (a test holds them together)."""

OUT_PERIODS = 3
IN_PERIODS = 15
IN_SHARE = 0.9
"""The two alarms that a target tracking policy makes: three minutes above the target, 15 below nine tenths of it. Any
account shows them; AWS says that it may change them (Application Auto Scaling user guide, "Target tracking")."""

MOST_TAKEN_AWAY = 0.5
"""Of the tasks, at once. AWS's guide says no more than that scaling in is gradual; this is assumed."""

LAUNCHES_A_MINUTE = 500
"""Tasks that ECS starts for one service in a minute (Amazon ECS endpoints and quotas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What CloudWatch tells of one minute.

    Attributes:
        waiting: Visible messages in both queues.
        changes: Of them in the changes queue.
        oldest: Seconds since the oldest change there was sent; 0 without one.
        running: Tasks, on average.
    """

    waiting: float
    changes: float
    oldest: float
    running: float


@dataclass(slots=True)
class Scaling:
    """The wanted number of tasks.

    Attributes:
        setup: The templates' parameters.
        wanted: Tasks.
    """

    setup: Setup
    wanted: int = field(init=False)
    _above: int = field(default=0, init=False)
    _below: int = field(default=0, init=False)
    _old: int = field(default=0, init=False)
    _out_at: float = field(default=-math.inf, init=False)
    _in_at: float = field(default=-math.inf, init=False)
    _step_at: float = field(default=-math.inf, init=False)

    def __post_init__(self) -> None:
        self.wanted = self.setup.min_tasks

    def minute(self, now: float, figures: Figures) -> int:
        """One minute's figures are known at `now` (seconds): what is wanted from now on."""
        self._track(now, figures.waiting / (figures.running if figures.running > 0 else 1))
        self._step(now, figures.waiting, figures.oldest if figures.changes > 0 else 0.0)
        return self.wanted

    def _track(self, now: float, backlog: float) -> None:
        target = self.setup.backlog_per_task
        self._above = self._above + 1 if backlog > target else 0
        self._below = self._below + 1 if backlog < IN_SHARE * target else 0
        ratio = backlog / target
        if self._above >= OUT_PERIODS and now - self._out_at >= self.setup.out_cooldown:
            if (more := self._held(math.ceil(self.wanted * ratio))) > self.wanted:
                self.wanted, self._out_at = more, now
        elif self._below >= IN_PERIODS and now - max(self._in_at, self._out_at) >= IN_COOLDOWN:
            # Rounded up, but for an empty queue: the last task goes too, where none is to stay.
            left = self.wanted * max(ratio, MOST_TAKEN_AWAY)
            fewer = self._held(math.ceil(left) if backlog else math.floor(left))
            if fewer < self.wanted:
                self.wanted, self._in_at = fewer, now

    def _step(self, now: float, waiting: float, oldest: float) -> None:
        limit = self.setup.max_change_age
        wait = limit + 1.0 if self.wanted < 1 and waiting > 0 else oldest
        self._old = self._old + 1 if wait > limit else 0
        if self._old >= STEP_PERIODS and now - self._step_at >= STEP_COOLDOWN:
            more = self._held(self.wanted + (2 if wait - limit >= limit else 1))
            if more > self.wanted:
                self.wanted, self._step_at = more, now

    def _held(self, tasks: int) -> int:
        return max(self.setup.min_tasks, min(self.setup.max_tasks, tasks))
