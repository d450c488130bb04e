"""What the hub uses in a month: what stands there in any case, and what each change adds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from infra.costs.prices import Price

HOURS = 730
"""A month, as AWS's own price examples have it."""

GIB_INCLUDED = 20
"""Ephemeral storage that Fargate does not charge for."""

SCAN_WRITES = 24
"""Write units of a scan. Items of 2 KB: claim 2, SCANNING 2, commit 8 (a transaction counts twice), effects 2; for each
of the two states 4 more in the index `by-state`, whose key changes (out of one, into another), and 1 in `by-account`,
which keeps its key and has little of the item (docs/ledger.md)."""

SIGHTING_WRITES = 1
"""Write units of a change besides: when its account was last heard of. The most: it is one an hour."""

QUEUED_WRITES = 7
"""Write units of a function that a sweep queues: its state 2, `by-state` 4, `by-account` 1."""

SCAN_READS = 2
"""Read units of a scan: one consistent look-up of two items."""

LISTED_READS = 1.04
"""Read units of a listed function: its state, consistently, 1; its row of `by-account`, 0.3 KB, at half the price."""

ACCOUNT_WRITES = 3
"""Write units of an account that a sweep goes over: claim, once prolonged, done."""

WORKER_WRITES_AN_HOUR = 120
WORKER_READS_AN_HOUR = 240
"""Units of a worker: its note and its counts once a minute; whether the service is paused every 15 seconds."""

STORED_GB = 6e-6
"""Of a function in the table: state 2 KB, scan 1.7 KB, `by-state` 2 KB, `by-account` 0.3 KB."""

STORED_GB_RECOVERABLE = 3.7e-6
"""Of these the table's own, which point-in-time recovery keeps; an index is made anew."""

LISTED_GB = 1.5e-6
"""Of an answer of ListFunctions, for one function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A worker task: the defaults of hub.yaml."""

    cpus: float = 2
    memory_gib: float = 8
    disk_gib: float = 60
    slots: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """What the sweeps of a month do.

    Attributes:
        functions: That there are.
        listed: Functions listed, by all sweeps together.
        queued: Of them queued and scanned.
        accounts: Gone over, by all sweeps together.
        hours: Of the sweep's own task, of half a CPU and 1 GB.
    """

    functions: int = 0
    listed: float = 0
    queued: float = 0
    accounts: float = 0
    hours: float = 0

    @classmethod
    def daily(cls, *, functions: int, accounts: int, ttl_days: int = 30, minutes: float = 3) -> "Sweeping":
        """One sweep a day, which takes so many minutes, of functions whose results are fresh for so many days."""
        days = HOURS / 24
        return cls(
            functions=functions,
            listed=functions * days,
            queued=functions * days / ttl_days,
            accounts=accounts * days,
            hours=minutes / 60 * days,
        )


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
        scanned_share: Of the changes, those that are scanned; a result is there for the others.
        sweeping: What is swept besides.
        worked_hours: Hours of tasks where they are known (by a model); else they are taken from the scans.
    """

    changes: float
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
    scanned_share: float = 1.0
    sweeping: Sweeping = Sweeping()
    worked_hours: float | None = None

    @property
    def scans(self) -> float:
        """Scans, of changes and for the sweep."""
        return self.changes * self.scanned_share + self.sweeping.queued

    @property
    def task_hours(self) -> float:
        """Hours of tasks that run: for the scans, and for being there."""
        if self.worked_hours is not None:
            return self.worked_hours
        busy = self.scans * self.scan_seconds / self.task.slots / 3600
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
    parts = (_tasks, _network, _standing, _each_change, _each_scan, _sweep)
    return tuple(chain.from_iterable(part(workload) for part in parts))


def _tasks(workload: Workload) -> Iterator[Line]:
    hours, task = workload.task_hours, workload.task
    yield Line("Worker tasks", Price.VCPU, hours * task.cpus)
    yield Line("Worker tasks", Price.MEMORY, hours * task.memory_gib)
    yield Line("Worker tasks", Price.DISK, hours * max(0.0, task.disk_gib - GIB_INCLUDED))


def _network(workload: Workload) -> Iterator[Line]:
    if workload.network:
        yield Line("NAT gateway", Price.NAT, HOURS)
        yield Line("NAT gateway", Price.ADDRESS, HOURS)
        yield Line("NAT gateway", Price.NAT_DATA, workload.scans * workload.package_gb)


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
    yield Line("Ledger", Price.WRITE, hours * WORKER_WRITES_AN_HOUR)
    yield Line("Ledger", Price.READ, hours * WORKER_READS_AN_HOUR)


def _each_change(workload: Workload) -> Iterator[Line]:
    changes = workload.changes
    yield Line("Events", Price.EVENT, changes)
    yield Line("Events", Price.ARCHIVE, changes * 4e-6)
    # Sent, received, kept once, deleted; each alone, though most go in batches.
    yield Line("Queues", Price.QUEUE, changes * 4)
    yield Line("Ledger", Price.WRITE, changes * SIGHTING_WRITES)
    yield Line("Ledger", Price.READ, (changes - changes * workload.scanned_share) * SCAN_READS)


def _each_scan(workload: Workload) -> Iterator[Line]:
    scans, functions = workload.scans, workload.sweeping.functions or workload.changes
    yield Line("Ledger", Price.WRITE, scans * SCAN_WRITES)
    yield Line("Ledger", Price.READ, scans * SCAN_READS)
    yield Line("Ledger", Price.TABLE, functions * STORED_GB)
    yield Line("Ledger", Price.RECOVERY, functions * STORED_GB_RECOVERABLE)
    yield Line("Results", Price.PUT, scans * 9)
    yield Line("Results", Price.OBJECTS, scans * workload.result_gb * workload.months_kept)
    yield Line("Notifications", Price.TOPIC, scans)
    yield Line("Notifications", Price.KEY_USE, scans)
    # Five log lines and two of metrics, measured on the demo: 3 KB.
    yield Line("Logs", Price.LOGS, scans * 3e-6)


def _sweep(workload: Workload) -> Iterator[Line]:
    sweeping = workload.sweeping
    # Listing itself is free: Lambda, STS, EC2 and Organizations do not charge for calls.
    yield Line("Sweep", Price.VCPU, sweeping.hours * 0.5)
    yield Line("Sweep", Price.MEMORY, sweeping.hours)
    yield Line("Sweep", Price.READ, sweeping.listed * LISTED_READS)
    yield Line("Sweep", Price.WRITE, sweeping.queued * QUEUED_WRITES + sweeping.accounts * ACCOUNT_WRITES)
    # Sent by tens; received, kept once, deleted as a change.
    yield Line("Sweep", Price.QUEUE, sweeping.queued * 3.1)
    if workload.network:
        yield Line("Sweep", Price.NAT_DATA, sweeping.listed * LISTED_GB)
