"""What the hub uses in a month: what stands there in any case, and what each change adds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from infra.costs.prices import Price

HOURS = 730
"""A month, as AWS's own price examples have it."""

GIB_INCLUDED = 20
"""Ephemeral storage that Fargate does not charge for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A worker task: the defaults of hub.yaml."""

    cpus: float = 2
    memory_gib: float = 8
    disk_gib: float = 60
    slots: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month.

    Attributes:
        changes: Change events; each one is scanned, which is the most that it can cost.
        scan_seconds: From taking a message to its result.
        package_gb: What a scan reads of a function and sends to Qualys, all of it through the NAT gateway. Packages in
            the hub's own region come past it, by the endpoint for S3.
        result_gb: What a result leaves in the bucket.
        months_kept: How many months of results the bucket holds.
        always_on: Whether one task runs all the time (`MinTasks` 1); else one starts for what there is to do (0).
        awake_seconds: How long a started task stays after its last scan, with its start; only without `always_on`.
        arrivals: How many separate times there is something to do; only without `always_on`.
        task: The size of a task.
        metrics: Custom metrics that the worker writes.
        alarms: Metrics that are looked at by alarms.
        network: Whether the VPC of hub-network.yaml is used, with its NAT gateway.
    """

    changes: int
    metrics: int
    alarms: int
    scan_seconds: float = 60
    package_gb: float = 0.02
    result_gb: float = 0.0005
    months_kept: int = 12
    always_on: bool = True
    awake_seconds: float = 1200
    arrivals: int = 0
    task: Task = Task()
    network: bool = True

    @property
    def task_hours(self) -> float:
        """Hours of tasks that run: for the scans, and for being there."""
        busy = self.changes * self.scan_seconds / self.task.slots / 3600
        if self.always_on:
            return max(float(HOURS), busy)
        return min(float(HOURS), busy + self.arrivals * self.awake_seconds / 3600) if busy < HOURS else busy


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill: so many units of a price."""

    item: str
    price: Price
    units: float

    @property
    def dollars(self) -> float:
        """What it comes to."""
        return self.price.rate.cost(self.units)


def bill(workload: Workload) -> tuple[Line, ...]:
    """Every line of a month."""
    return tuple(chain(_tasks(workload), _network(workload), _standing(workload), _each_change(workload)))


def _tasks(workload: Workload) -> Iterator[Line]:
    hours, task = workload.task_hours, workload.task
    yield Line("Worker tasks", Price.VCPU, hours * task.cpus)
    yield Line("Worker tasks", Price.MEMORY, hours * task.memory_gib)
    yield Line("Worker tasks", Price.DISK, hours * max(0.0, task.disk_gib - GIB_INCLUDED))


def _network(workload: Workload) -> Iterator[Line]:
    if workload.network:
        yield Line("NAT gateway", Price.NAT, HOURS)
        yield Line("NAT gateway", Price.ADDRESS, HOURS)
        yield Line("NAT gateway", Price.NAT_DATA, workload.changes * workload.package_gb)


def _standing(workload: Workload) -> Iterator[Line]:
    # The load's line is written once a minute, 700 bytes; two queues are polled for 20 s at a time.
    hours = workload.task_hours
    yield Line("Metrics, alarms, dashboard", Price.METRIC, workload.metrics)
    yield Line("Metrics, alarms, dashboard", Price.ALARM, workload.alarms)
    yield Line("Metrics, alarms, dashboard", Price.DASHBOARD, 1)
    yield Line("Logs", Price.LOGS, hours * 60 * 700e-9)
    yield Line("Key, secrets, image", Price.KEY, 1)
    yield Line("Key, secrets, image", Price.SECRET, 2)
    yield Line("Key, secrets, image", Price.IMAGE, 0.5)
    # SQS keeps a data key for five minutes, for each of who sends and who receives, in five queues.
    yield Line("Key, secrets, image", Price.KEY_USE, hours * 12 * 5 * 2)
    yield Line("Queues", Price.QUEUE, hours * 3600 / 20 * 2)


def _each_change(workload: Workload) -> Iterator[Line]:
    changes = workload.changes
    yield Line("Events", Price.EVENT, changes)
    yield Line("Events", Price.ARCHIVE, changes * 4e-6)
    # Sent, received, kept once, deleted; each alone, though most go in batches.
    yield Line("Queues", Price.QUEUE, changes * 4)
    # Items of 2 KB: claim 2, SCANNING 2 and 4 for the index, commit 8 (a transaction counts twice) and 4, effects 2.
    yield Line("Ledger", Price.WRITE, changes * 22)
    yield Line("Ledger", Price.READ, changes * 2)
    yield Line("Ledger", Price.TABLE, changes * 4e-6)
    yield Line("Ledger", Price.RECOVERY, changes * 2e-6)
    yield Line("Results", Price.PUT, changes * 9)
    yield Line("Results", Price.OBJECTS, changes * workload.result_gb * workload.months_kept)
    yield Line("Notifications", Price.TOPIC, changes)
    yield Line("Notifications", Price.KEY_USE, changes)
    # Five log lines and two of metrics, measured on the demo: 3 KB.
    yield Line("Logs", Price.LOGS, changes * 3e-6)
