"""What holds the service: AWS's quotas and its own parameters, each with its source and how it is raised.

Quotas are the documented defaults of an account; AWS raises many of them by use or on request (Service Quotas).
"""

from dataclasses import dataclass
from enum import Enum

from infra.costs.usage import SCAN_WRITES

DOCS = "https://docs.aws.amazon.com/"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        name: For people.
        value: How much there is of it; 0 where it depends on the set-up.
        unit: Of the value.
        source: A page below `DOCS`, or a document of ours.
        raised: What to do about it, beginning with a verb.
        each_scan: Units that one scan uses, where the value is a rate a second; such a limit holds scans back.
        each_place: Whether there is so much for each account and region, not once for the hub.
    """

    name: str
    value: float
    unit: str
    source: str
    raised: str
    each_scan: float = 0.0
    each_place: bool = False

    @property
    def address(self) -> str:
        """Where it is written."""
        return self.source if self.source.endswith(".md") else DOCS + self.source


_LAMBDA = "lambda/latest/dg/gettingstarted-limits.html"
_ECS = "general/latest/gr/ecs-service.html"
_SQS = "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"

DEPLOYMENTS = 5.0
"""Calls a second of Lambda's fifteen that are left to the account's own deployments."""


class Limits(Enum):
    """Every limit that a plan is held against."""

    MAX_TASKS = Limit(
        "tasks, on average (`MaxTasks`)",
        0,
        "tasks",
        "operate.md",
        "raise `MaxTasks` (`scanhub rollout hub --parameter MaxTasks=...`)",
    )
    SWEEP_PACE = Limit(
        "pace of the sweep, on average (`SCANHUB_SWEEP_PER_MINUTE`)",
        0,
        "functions a minute",
        "settings.md",
        "raise `SCANHUB_SWEEP_PER_MINUTE`",
    )
    LISTING = Limit(
        "listing by the sweep (`SCANHUB_SWEEP_PLACES`)",
        0,
        "functions a second",
        "settings.md",
        "raise `SCANHUB_SWEEP_PLACES`",
    )
    RETENTION = Limit(
        "wait in a queue (SQS retention)",
        14 * 24,
        "hours",
        _SQS,
        "raise `MaxTasks`, or lower `SCANHUB_SWEEP_PER_MINUTE` to what the tasks scan: SQS forgets what waits longer",
    )
    IN_FLIGHT = Limit("messages in hand (SQS, standard queue)", 120_000, "messages", _SQS, "ask AWS Support for more")
    CHANGE_SLOTS = Limit(
        "slots for changes", 0, "slots", "operate.md", "raise `MaxTasks` or `MaxConcurrentScans` with `TaskCpu`"
    )
    WORKER_CPU = Limit(
        "a worker's event loop", 1, "CPU", "performance.md", "raise `MaxTasks` and lower `MaxConcurrentScans`"
    )
    VCPU = Limit(
        "Fargate On-Demand vCPU resource count",
        6,
        "vCPU",
        _ECS,
        "raise the quota L-3032A538 `Fargate On-Demand vCPU resource count` of the hub's account and region",
    )
    LAUNCHES = Limit(
        "tasks started for a service (Fargate)", 500, "tasks a minute", _ECS, "ask AWS Support for a higher launch rate"
    )
    SERVICE_TASKS = Limit(
        "Tasks per service",
        5_000,
        "tasks",
        _ECS,
        "raise the quota `Tasks per service`, or use larger tasks (`TaskCpu`)",
    )
    GET_FUNCTION = Limit(
        "Lambda, GetFunction in an account and region",
        100,
        "calls a second",
        _LAMBDA,
        "cannot be raised: lower `SCANHUB_SWEEP_PER_MINUTE`, so that fewer are scanned at once",
        # Before the scan and after it by the worker, once by the scanner.
        each_scan=3,
        each_place=True,
    )
    CONTROL_PLANE = Limit(
        "Lambda, other calls in an account and region",
        15 - DEPLOYMENTS,
        "calls a second",
        _LAMBDA,
        "cannot be raised: set `EnableTagging=false`, or lower `SCANHUB_SWEEP_PER_MINUTE`",
        # TagResource.
        each_scan=1,
        each_place=True,
    )
    STS = Limit(
        "STS requests of the hub's account",
        600,
        "calls a second",
        "IAM/latest/UserGuide/reference_iam-quotas.html",
        "ask AWS Support for more, or set up a second hub",
        # A session for the scan; those of the worker last an hour.
        each_scan=1,
    )
    INVOCATIONS = Limit(
        "EventBridge, Invocations throttle limit",
        4_500,
        "a second (eu-central-1; 18,750 in us-east-1)",
        "eventbridge/latest/userguide/eb-quota.html",
        "raise the quota `Invocations throttle limit in transactions per second` of the hub's region",
    )
    TABLE = Limit(
        "DynamoDB, write units of a new on-demand table",
        4_000,
        "write units a second",
        "amazondynamodb/latest/developerguide/warm-throughput-scenarios.html",
        "raise the table's warm throughput (`aws dynamodb update-table --warm-throughput`)",
        each_scan=SCAN_WRITES,
    )
    STATE_INDEX = Limit(
        "DynamoDB, one state in the index `by-state`",
        1_000,
        "write units a second",
        "amazondynamodb/latest/developerguide/bp-partition-key-design.html",
        "cannot be raised: a key's share of a table is fixed; lower `SCANHUB_SWEEP_PER_MINUTE`",
        # Each state that a scan passes through is entered and left again: an item of 2 KB each time.
        each_scan=4,
    )
    NAT = Limit(
        "bandwidth of a NAT gateway",
        100,
        "Gbit a second",
        "vpc/latest/userguide/nat-gateway-basics.html",
        "use subnets with a NAT gateway each (`SubnetIds`)",
    )

    @property
    def limit(self) -> Limit:
        """The limit."""
        return self.value


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used.

    Attributes:
        kind: Which limit.
        used: In its unit.
        available: The limit's value, where it depends on the set-up too.
    """

    kind: Limits
    used: float
    available: float

    @property
    def share(self) -> float:
        """0 to 1; above 1 the plan needs more than there is by default."""
        return self.used / self.available if self.available else 0.0
