"""The discrete-event model: changes and a sweep, two queues, tasks that come and go.

What is exact and what is summed up: while a day has no more than `GRAIN` scans, each message is an event of its own.
Above that, messages that begin in the same moment are taken together, as many as it needs to stay near that number:
they hold as many slots as they are and take equally long. Slots, rates and order stay what they are; only the moments
at which slots come free are coarser (at 60 seconds a scan, by a twentieth of all slots at once).
"""

import math
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from infra.capacity import overhead
from infra.capacity.durations import Draw
from infra.capacity.fleet import Fleet
from infra.capacity.line import Line, Parcel
from infra.capacity.record import Minute, Record
from infra.capacity.scaling import LAUNCHES_A_MINUTE, MINUTE, Figures, Scaling
from infra.capacity.workload import DAY, Setup

GRAIN = 30_000
"""Scans a day up to which each is an event, and changes in a run."""

Process = Generator[simpy.Event, Any, None]


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


def run(scenario: Scenario, seed: int) -> Record:
    """Simulate it; the same scenario and seed give the same record."""
    return _Run(scenario, seed).result()


@dataclass
class _Run:
    scenario: Scenario
    seed: int
    env: simpy.Environment = field(default_factory=simpy.Environment, init=False)
    record: Record = field(default_factory=Record, init=False)

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.chance = random.Random(self.seed)  # noqa: S311  # a simulation, no secret
        self.scaling = Scaling(scenario.setup)
        tasks = scenario.setup.min_tasks if scenario.tasks is None else scenario.tasks
        self.scaling.wanted = tasks
        self.fleet = Fleet(setup=scenario.setup, accounts=scenario.accounts, most=scenario.most, tasks=tasks)
        self.starting = 0
        self.counted_at = self.running_seconds = 0.0
        self.changes, self.sweep = Line(), Line()
        self.begun: dict[int, tuple[float, float]] = {}
        self.minute = Minute()
        self.in_hand: dict[int, Parcel] = {}
        self.changes_at_once = max(1, math.ceil(scenario.changes_per_day * scenario.seconds / DAY / scenario.grain))
        self.done = self.env.event()
        self.due_left = scenario.due * len(scenario.sweeps)

    def result(self) -> Record:
        """Run to the end."""
        scenario, env = self.scenario, self.env
        if scenario.arrivals:
            env.process(self._changes_come_at(scenario.arrivals))
        elif scenario.changes_per_day > 0:
            env.process(self._changes_come())
        if scenario.due:
            for begin in scenario.sweeps:
                env.process(self._sweep_queues(begin))
        env.process(self._minutes_pass())
        end = env.timeout(scenario.seconds)
        env.run(until=env.any_of([end, self.done]) if scenario.until_swept else end)
        self._count_tasks()
        self.record.seconds = env.now
        if len(self.record.minutes) * MINUTE < env.now:
            self._close_minute()
        for parcel in (*self.in_hand.values(), *self.changes.drain()):
            self.record.latencies.add(env.now - parcel.at, parcel.count)
        return self.record

    def _changes_come(self) -> Process:
        # Poisson in the busy hours, laid end to end; then each is put into its day.
        scenario = self.scenario
        busy, together = scenario.busy_hours * 3600, self.changes_at_once
        gap, clock = busy * together / scenario.changes_per_day, 0.0
        while True:
            clock += self.chance.expovariate(1 / gap)
            at = clock // busy * DAY + clock % busy
            yield self.env.timeout(max(0.0, at - self.env.now))
            key = self.chance.randrange(max(1, scenario.functions // together))
            self.changes.put(Parcel(self.env.now, together, key))
            self.minute.arrived += together
            self._dispatch()

    def _changes_come_at(self, moments: tuple[float, ...]) -> Process:
        for number, at in enumerate(moments):
            yield self.env.timeout(at - self.env.now)
            self.changes.put(Parcel(at, 1, number))
            self.minute.arrived += 1
            self._dispatch()

    def _sweep_queues(self, begin: float) -> Process:
        scenario, left = self.scenario, self.scenario.due
        yield self.env.timeout(begin)
        # SQS takes ten in a call; a large sweep is put in by the half minute.
        step = max(10, math.ceil(scenario.pace * 30)) if math.isfinite(scenario.pace) else left
        while left:
            count = min(step, left)
            left -= count
            self.sweep.put(Parcel(self.env.now, count, 0))
            self.minute.listed += count
            self._dispatch()
            yield self.env.timeout(count / scenario.pace)

    def _minutes_pass(self) -> Process:
        known: Figures | None = None
        while True:
            before = self.running_seconds
            yield self.env.timeout(MINUTE)
            self._count_tasks()
            self._close_minute()
            # CloudWatch has a minute's figures when the next one is over.
            if known is not None:
                self.scaling.minute(self.env.now, known)
                self._scale()
            known = Figures(
                waiting=self.changes.waiting + self.sweep.waiting,
                changes=self.changes.waiting,
                oldest=self.changes.age(self.env.now),
                running=(self.running_seconds - before) / MINUTE,
            )

    def _close_minute(self) -> None:
        minute = self.minute
        minute.tasks = self.fleet.tasks + self.starting
        minute.visible = self.changes.waiting + self.sweep.waiting
        minute.held = self.fleet.changes + self.fleet.swept
        self.record.minutes.append(minute)
        self.minute = Minute()

    def _scale(self) -> None:
        there = self.fleet.tasks + self.starting
        if (more := min(self.scaling.wanted - there, LAUNCHES_A_MINUTE)) > 0:
            self._count_tasks()
            self.starting += more
            self.minute.launched += more
            self._after(overhead.start_seconds(self.scenario.setup.worker_image_mb), lambda: self._started(more))
        elif (less := min(there - self.scaling.wanted, self.fleet.idle_tasks())) > 0:
            self._count_tasks()
            self.fleet.tasks -= less

    def _started(self, count: int) -> None:
        self._count_tasks()
        self.starting -= count
        self.fleet.tasks += count
        self._dispatch()

    def _count_tasks(self) -> None:
        passed = self.env.now - self.counted_at
        self.running_seconds += self.fleet.tasks * passed
        self.record.task_seconds += (self.fleet.tasks + self.starting) * passed
        self.counted_at = self.env.now

    def _dispatch(self) -> None:
        fleet = self.fleet
        while self.changes.waiting:
            if self.sweep.waiting and fleet.owes_the_sweep and fleet.free:
                self._start_swept(1)
            elif not self._start_change():
                break
        while self.sweep.waiting and (room := fleet.sweep_room):
            grain = self._grain(fleet.sweep_slots)
            # Not in ever smaller pieces: half of the usual has to be free.
            if room < min((grain + 1) // 2, self.sweep.waiting):
                break
            self._start_swept(min(room, grain))

    def _start_change(self) -> bool:
        fleet, grain = self.fleet, self._grain(self.fleet.slots)
        if not fleet.free or fleet.free < min((grain + 1) // 2, self.changes.waiting):
            return False
        parcel = self.changes.take(min(fleet.free, grain))
        fleet.give_to_change(parcel.count, sweep_waits=self.sweep.waiting > 0)
        begun, of = self.begun.get(parcel.key, (-1.0, -1.0))
        # The rest of a parcel that was begun before is of other functions.
        joins = begun >= parcel.at and of != parcel.at
        if joins or self.chance.random() >= self.scenario.new_code:
            self.record.covered_changes += parcel.count
            seconds = overhead.WALL_SECONDS_COVERED
        else:
            # A scan reads the newest code: whatever came before it began is done by it.
            self.begun[parcel.key] = self.env.now, parcel.at
            self.record.scanned_changes += parcel.count
            self.minute.started += parcel.count
            seconds = self.scenario.durations(self.chance)
        self.in_hand[id(parcel)] = parcel
        self._after(seconds, lambda: self._change_done(parcel))
        return True

    def _change_done(self, parcel: Parcel) -> None:
        del self.in_hand[id(parcel)]
        self.fleet.changes -= parcel.count
        self.record.latencies.add(self.env.now - parcel.at, parcel.count)
        self._dispatch()

    def _start_swept(self, limit: int) -> None:
        parcel = self.sweep.take(limit)
        self.record.longest_swept = max(self.record.longest_swept, self.env.now - parcel.at)
        self.fleet.give_to_sweep(parcel.count)
        # As many as are to be expected, rounded by chance; for a single one that is whether it is.
        fresh = int(parcel.count * self._changed_share() + self.chance.random())
        self.record.fresh_swept += fresh
        self.record.scanned_swept += parcel.count - fresh
        self.minute.started += parcel.count - fresh
        # Those that are fresh give their slots back at once; a slot is the sweep's again when a worker looks at it.
        if fresh:
            self._after(overhead.WALL_SECONDS_COVERED, lambda: self._swept_done(fresh))
        if parcel.count > fresh:
            self._after(self.scenario.durations(self.chance), lambda: self._swept_done(parcel.count - fresh))

    def _changed_share(self) -> float:
        """The share of all functions that changes have had scanned since the beginning."""
        return -math.expm1(-self.record.scanned_changes / self.scenario.functions)

    def _swept_done(self, count: int) -> None:
        self.fleet.swept -= count
        self.due_left -= count
        hour = int(self.env.now // 3600)
        self.record.swept_by_hour[hour] = self.record.swept_by_hour.get(hour, 0) + count
        if not self.due_left:
            self.record.ended_at = self.env.now
            if not self.done.triggered:
                self.done.succeed()
        if self.sweep.waiting:
            self.fleet.unseen += count
            pause = self.chance.uniform(0.0, overhead.NOTICED_SECONDS)
            self._after(pause, lambda: self._noticed(count))
        self._dispatch()

    def _noticed(self, count: int) -> None:
        self.fleet.unseen -= count
        self._dispatch()

    def _grain(self, slots: int) -> int:
        """Messages that begin together, so that a day of all these slots has no more than about `grain` of them."""
        return max(1, round(slots * DAY / self.scenario.mean_seconds / self.scenario.grain))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        timeout = self.env.timeout(seconds)
        if timeout.callbacks is None:
            raise AssertionError("a new event has callbacks")
        timeout.callbacks.append(lambda _: act())
