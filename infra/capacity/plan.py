"""What an organization needs: its first sweep, a common day, the bill of a month, and the limits."""

import math
from dataclasses import dataclass

from infra.capacity import ceilings, overhead
from infra.capacity.bill import Lines, month, wave
from infra.capacity.durations import durations
from infra.capacity.limits import Limits, Use
from infra.capacity.model import run
from infra.capacity.record import Record
from infra.capacity.scenario import GRAIN, Scenario
from infra.capacity.workload import DAY, Demand, Setup

FIRST_DAYS = 2
"""Days of a first sweep that are simulated; what is left then goes on as in the last of them."""

COMMON_DAYS = 2
"""Days that are simulated of what comes after it."""

NEVER = math.inf

_ENFORCED = (Limits.SWEEP_PACE, Limits.LISTING, Limits.MAX_TASKS)
"""Which of our own limits may be what holds a sweep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From a change's arrival in the queue to its result; seconds.

    Attributes:
        median: Half of the changes took no longer.
        p95: 95 of a hundred.
        p99: 99 of a hundred.
        within_target: The share within `SCANHUB_CHANGE_TARGET`, 0 to 1.
        changes: How many there were.
    """

    median: float
    p95: float
    p99: float
    within_target: float
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A time in the life of the service.

    Attributes:
        record: Of the simulation.
        seconds: How long it takes; infinity if it does not end. Of the common days: how long they were simulated.
        is_projected: Whether that is longer than what was simulated.
        latency: Of the changes meanwhile.
        task_hours: In all.
        mean_tasks: Running or starting.
        peak_tasks: The same, at the most.
        waited_hours: The longest that something that was swept waits for its turn.
        uses: Of each limit.
    """

    record: Record
    seconds: float
    is_projected: bool
    latency: Latency
    task_hours: float
    mean_tasks: float
    peak_tasks: int
    waited_hours: float
    uses: tuple[Use, ...]

    def share(self, kind: Limits) -> float:
        """How much of a limit is used."""
        return next(use.share for use in self.uses if use.kind is kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The answer for one organization.

    Attributes:
        demand: The organization.
        setup: The service.
        first: Until every function has its first result, with changes going on.
        common: Days after that: changes, and what the daily sweep finds stale.
        due_a_sweep: Functions that such a sweep queues.
        bill: Of a month of common days.
        first_bill: What the first sweep costs besides.
        is_overloaded: Whether changes come faster than all tasks can scan them.
    """

    demand: Demand
    setup: Setup
    first: Phase
    common: Phase
    due_a_sweep: int
    bill: Lines
    first_bill: Lines
    is_overloaded: bool

    @property
    def binding(self) -> Use:
        """What holds the first sweep: of all that holds scans back, the one that is used most."""
        holds = [use for use in self.first.uses if use.kind in _ENFORCED or use.kind.limit.each_scan]
        if self.is_overloaded:
            return next(use for use in self.first.uses if use.kind is Limits.CHANGE_SLOTS)
        return max(holds, key=lambda use: use.share)

    @property
    def beyond(self) -> tuple[Use, ...]:
        """Limits of which the plan needs more than there is by default, the worst first."""
        worst = {
            use.kind: max(use, other, key=lambda one: one.share)
            for use, other in zip(self.first.uses, self.common.uses, strict=True)
        }
        return tuple(sorted((use for use in worst.values() if use.share > 1), key=lambda use: -use.share))

    @property
    def tasks_for_pace(self) -> int | None:
        """Tasks that keep up with the sweep's pace, with the changes of an average hour; None without a pace."""
        setup, demand = self.setup, self.demand
        if not setup.sweep_per_minute:
            return None
        scan = demand.mean_seconds + overhead.WALL_SECONDS_SCANNED
        share = demand.accounts * setup.sweep_slots_an_account
        each, beside = min(setup.sweep_slots, share), min(setup.sweep_slots_beside_changes, share)
        swept = ceilings.pace(demand, setup) * (scan + overhead.NOTICED_SECONDS / 2)
        # Each in a task of its own, at the most.
        changes = demand.changes_per_day / DAY * demand.new_code * scan
        return math.ceil((swept + changes * (each - beside)) / each)


def plan(demand: Demand, setup: Setup, *, seed: int = 0, grain: float = GRAIN) -> Side:
    """Simulate it; the same question and seed give the same answer. For `grain` see `infra.capacity.model`."""
    due = stale_a_sweep(demand, setup)
    first = first_sweep(demand, setup, seed=seed, grain=grain)
    common = _phase(_common(demand, setup, due, grain), demand, setup, seed)
    sweep_hours = demand.functions / ceilings.listing_rate(demand, setup) / 3600
    queue_hours = due / ceilings.pace(demand, setup) / 3600
    return Side(
        demand=demand,
        setup=setup,
        first=first,
        common=common,
        due_a_sweep=due,
        bill=month(demand, setup, common.mean_tasks, due=due, sweep_hours=sweep_hours + queue_hours),
        first_bill=wave(
            demand,
            setup,
            first.task_hours,
            scans=demand.functions,
            sweep_hours=max(sweep_hours, demand.functions / ceilings.pace(demand, setup) / 3600),
        ),
        is_overloaded=is_overloaded(demand, setup),
    )


def stale_a_sweep(demand: Demand, setup: Setup) -> int:
    """Functions whose result grows too old between two sweeps.

    As if changes, which renew a result too, always met the same few functions: the most that it can be.
    """
    return round(demand.functions / setup.ttl_days * setup.sweep_every / 24)


def is_overloaded(demand: Demand, setup: Setup) -> bool:
    """Whether a day brings more changes than all tasks scan in a day: then the queue grows without end."""
    each = min(setup.slots, demand.accounts * setup.account_slots)
    slots = min(setup.max_tasks * each, ceilings.scans_at_once(demand, setup))
    seconds = demand.mean_seconds + overhead.WALL_SECONDS_SCANNED
    return demand.changes_per_day / DAY * demand.new_code * seconds > slots


def first_sweep(demand: Demand, setup: Setup, *, seed: int = 0, grain: float = GRAIN) -> Phase:
    """Every function is queued, while changes go on: the first sweep, or a day on which all are to be scanned anew."""
    days, sweeps = FIRST_DAYS, (0.0,)
    scenario = _scenario(demand, setup, due=demand.functions, sweeps=sweeps, days=days, grain=grain, until_swept=True)
    return _phase(scenario, demand, setup, seed)


def _common(demand: Demand, setup: Setup, due: int, grain: float) -> Scenario:
    count = max(1, math.ceil(COMMON_DAYS * 24 / setup.sweep_every))
    sweeps = tuple(number * setup.sweep_every * 3600 for number in range(count))
    return _scenario(demand, setup, due=due, sweeps=sweeps, days=COMMON_DAYS, grain=grain)


def _scenario(
    demand: Demand,
    setup: Setup,
    *,
    due: int,
    sweeps: tuple[float, ...],
    days: float,
    grain: float,
    until_swept: bool = False,
) -> Scenario:
    return Scenario(
        setup=setup,
        functions=demand.functions,
        accounts=demand.accounts,
        changes_per_day=demand.changes_per_day,
        busy_hours=demand.busy_hours,
        new_code=demand.new_code,
        durations=durations(demand, overhead.WALL_SECONDS_SCANNED),
        mean_seconds=demand.mean_seconds + overhead.WALL_SECONDS_SCANNED,
        due=due,
        sweeps=sweeps,
        pace=ceilings.pace(demand, setup),
        most=ceilings.scans_at_once(demand, setup),
        seconds=days * DAY,
        until_swept=until_swept,
        grain=grain,
    )


def _phase(scenario: Scenario, demand: Demand, setup: Setup, seed: int) -> Phase:
    record = run(scenario, seed)
    seconds, is_projected = record.seconds, False
    if scenario.until_swept and record.ended_at is None:
        seconds, is_projected = record.seconds + _left(record, scenario, demand, setup), True
    waited = record.longest_swept
    if is_projected:
        waited = max(waited, seconds - scenario.due / scenario.pace)
    task_seconds = record.task_seconds
    if is_projected and math.isfinite(seconds):
        task_seconds += (seconds - record.seconds) * _last_tasks(record)
    elif is_projected:
        task_seconds = math.inf
    median, p95, p99 = record.latencies.quantiles(0.5, 0.95, 0.99)
    return Phase(
        record=record,
        seconds=seconds,
        is_projected=is_projected,
        latency=Latency(
            median=median,
            p95=p95,
            p99=p99,
            within_target=record.latencies.within(setup.change_target),
            changes=record.latencies.count,
        ),
        task_hours=task_seconds / 3600,
        mean_tasks=task_seconds / seconds if math.isfinite(seconds) else record.mean_tasks,
        peak_tasks=record.peak_tasks,
        waited_hours=waited / 3600,
        uses=tuple(ceilings.uses(record, demand, setup, waited_hours=waited / 3600)),
    )


def _left(record: Record, scenario: Scenario, demand: Demand, setup: Setup) -> float:
    """Seconds for what the sweep has not done yet, at the pace of the last whole day."""
    last = int(record.seconds // 3600)
    if is_overloaded(demand, setup):
        return NEVER
    done = sum(count for hour, count in record.swept_by_hour.items() if last - 24 <= hour < last)
    return (scenario.due - record.swept) / (done / DAY) if done else NEVER


def _last_tasks(record: Record) -> float:
    day = record.minutes[-24 * 60 :]
    return sum(one.tasks for one in day) / len(day)
