"""How messages come into the two queues: changes by chance, a sweep's functions at its pace."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from infra.capacity.line import Line, Parcel
from infra.capacity.record import Record
from infra.capacity.scenario import Scenario
from infra.capacity.timer import Process
from infra.capacity.workload import DAY


@dataclass(kw_only=True)
class Arrivals:
    """Puts messages into the queues.

    Attributes:
        scenario: What comes.
        env: In whose time.
        chance: Draws the moments.
        changes: The one queue.
        sweep: The other.
        record: Told of what has come.
        dispatch: Called whenever something has.
    """

    scenario: Scenario
    env: simpy.Environment
    chance: random.Random
    changes: Line
    sweep: Line
    record: Record
    dispatch: Callable[[], None]

    def begin(self) -> None:
        """From now on, to the end of the run."""
        scenario, env = self.scenario, self.env
        if scenario.arrivals:
            env.process(self._changes_come_at(scenario.arrivals))
        elif scenario.changes_per_day > 0:
            env.process(self._changes_come())
        if scenario.due:
            for begin in scenario.sweeps:
                env.process(self._sweep_queues(begin))

    def _changes_come(self) -> Process:
        # Poisson in the busy hours, laid end to end; then each is put into its day.
        scenario = self.scenario
        busy, together = scenario.busy_hours * 3600, self._at_once
        gap, clock = busy * together / scenario.changes_per_day, 0.0
        while True:
            clock += self.chance.expovariate(1 / gap)
            at = clock // busy * DAY + clock % busy
            yield self.env.timeout(max(0.0, at - self.env.now))
            key = self.chance.randrange(max(1, scenario.functions // together))
            self.changes.put(Parcel(self.env.now, together, key))
            self.record.minute.arrived += together
            self.dispatch()

    def _changes_come_at(self, moments: tuple[float, ...]) -> Process:
        for number, at in enumerate(moments):
            yield self.env.timeout(at - self.env.now)
            self.changes.put(Parcel(at, 1, number))
            self.record.minute.arrived += 1
            self.dispatch()

    def _sweep_queues(self, begin: float) -> Process:
        scenario, left = self.scenario, self.scenario.due
        yield self.env.timeout(begin)
        # SQS takes ten in a call; a large sweep is put in by the half minute.
        step = max(10, math.ceil(scenario.pace * 30)) if math.isfinite(scenario.pace) else left
        while left:
            count = min(step, left)
            left -= count
            self.sweep.put(Parcel(self.env.now, count, 0))
            self.record.minute.listed += count
            self.dispatch()
            yield self.env.timeout(count / scenario.pace)

    @property
    def _at_once(self) -> int:
        """Changes that come together."""
        scenario = self.scenario
        return max(1, math.ceil(scenario.changes_per_day * scenario.seconds / DAY / scenario.grain))
