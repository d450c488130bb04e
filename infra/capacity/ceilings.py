"""How much of each limit a run of the model uses, and how many scans at once the limits allow."""

import math
from collections.abc import Iterator

from infra.capacity import overhead
from infra.capacity.limits import Limits, Use
from infra.capacity.record import Record
from infra.capacity.workload import Demand, Setup
from infra.costs.usage import QUEUED_WRITES, SCAN_WRITES

PAGE = 50
"""Functions in a page of ListFunctions."""

SESSION_SECONDS = 3300.0
"""For which a worker uses the session of an account (`spoke.roles`: an hour, less five minutes)."""


def spread(demand: Demand, setup: Setup) -> int:
    """Accounts and regions over which scans are spread at one time: those that a sweep lists at once."""
    return max(1, min(demand.places, setup.sweep_places))


def available(kind: Limits, demand: Demand, setup: Setup) -> float:
    """What there is of it, by the set-up or for all accounts and regions that are busy at one time."""
    match kind:
        case Limits.MAX_TASKS:
            return setup.max_tasks
        case Limits.SWEEP_PACE:
            return setup.sweep_per_minute or math.inf
        case Limits.LISTING:
            return listing_rate(demand, setup)
        case Limits.CHANGE_SLOTS:
            each = min(setup.slots, demand.accounts * setup.account_slots)
            # Half of the slots may be the sweep's.
            return setup.max_tasks * max(1, each - setup.sweep_slots_beside_changes)
    return kind.limit.value * (spread(demand, setup) if kind.limit.each_place else 1)


def listing_rate(demand: Demand, setup: Setup) -> float:
    """Functions a second that a sweep can list."""
    in_place = max(1.0, demand.functions / demand.places)
    calls = math.ceil(in_place / PAGE)
    # A new place costs two calls besides, a session and the accounts' regions; pages come one after the other.
    seconds = calls * max(1 / setup.sweep_calls, overhead.LIST_SECONDS) + 2 * overhead.LIST_SECONDS
    by_calls = spread(demand, setup) * in_place / seconds
    return min(by_calls, 1000 / overhead.CPU_MS_LISTED)


def pace(demand: Demand, setup: Setup) -> float:
    """Functions a second that a sweep queues.

    Without a pace of its own it writes as fast as the table takes it; half of that is taken to be left to the scans.
    """
    rate = min(listing_rate(demand, setup), Limits.TABLE.limit.value / 2 / QUEUED_WRITES)
    return min(rate, setup.sweep_per_minute / 60) if setup.sweep_per_minute else rate


def scans_a_second(demand: Demand, setup: Setup) -> float:
    """What AWS's limits allow, however many tasks there are."""
    rates = [available(kind, demand, setup) / kind.limit.each_scan for kind in Limits if kind.limit.each_scan]
    if demand.mean_gb:
        rates.append(Limits.NAT.limit.value / (demand.mean_gb * 8))
    return min(rates)


def scans_at_once(demand: Demand, setup: Setup) -> int:
    """The same as scans in progress (Little's law)."""
    return max(1, int(scans_a_second(demand, setup) * (demand.mean_seconds + overhead.WALL_SECONDS_SCANNED)))


def uses(record: Record, demand: Demand, setup: Setup, *, waited_hours: float) -> Iterator[Use]:
    """How much of each limit was used: of tasks and pace on average, of rates in the busiest five minutes.

    Args:
        record: Of a run.
        demand: Of the organization.
        setup: Of the service.
        waited_hours: The longest that something the sweep has queued waits in all, also after the run.
    """
    started = record.busiest(lambda one: one.started)
    tasks = max(1, record.peak_tasks)
    sessions = min(started, tasks * demand.accounts / SESSION_SECONDS)
    sweeps = min(setup.sweep_calls, pace(demand, setup) / PAGE) if record.swept else 0.0
    used = {
        Limits.MAX_TASKS: record.mean_tasks,
        Limits.SWEEP_PACE: record.swept / record.seconds * 60,
        Limits.LISTING: record.busiest(lambda one: one.listed),
        Limits.RETENTION: waited_hours,
        Limits.IN_FLIGHT: max((one.held for one in record.minutes), default=0),
        Limits.CHANGE_SLOTS: demand.busy_rate * demand.new_code * (demand.mean_seconds + overhead.WALL_SECONDS_SCANNED),
        Limits.WORKER_CPU: started * overhead.CPU_MS_SCANNED / 1000 / tasks,
        Limits.VCPU: record.peak_tasks * setup.task_cpus,
        Limits.LAUNCHES: record.busiest(lambda one: one.launched, minutes=1) * 60,
        Limits.SERVICE_TASKS: record.peak_tasks,
        Limits.INVOCATIONS: 2 * record.busiest(lambda one: one.arrived),
        Limits.TABLE: record.busiest(lambda one: one.started * SCAN_WRITES + one.listed * QUEUED_WRITES),
        Limits.NAT: started * demand.mean_gb * 8,
        Limits.STS: started + sessions,
    }
    for kind in Limits:
        amount = used.get(kind, started * kind.limit.each_scan)
        if kind is Limits.CONTROL_PLANE:
            amount += sweeps
        yield Use(kind, amount, available(kind, demand, setup))
