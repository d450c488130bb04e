"""The hub that is looked at: its stack's outputs, and clients of its account and region."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any, TypeVar

from infra import stacks
from infra.calls import AwsClient
from infra.clients import Clients
from infra.stacks import Stack
from spoke.errors import Gone

HUB_STACK = "scanhub-hub"
MONITORING_STACK = "scanhub-hub-monitoring"
RULE = "scanhub-changes"
LOG_GROUP = "/scanhub/worker"
CONTAINER = "worker"
KEY_ALIAS = "alias/scanhub"

T = TypeVar("T")

SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-us-gov": "amazonaws.com",
}
"""`AWS::URLSuffix` by partition (`dnsSuffix` in botocore's partitions.json)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """`arn:partition:service:region:account:resource` in its parts (IAM user guide, "Amazon Resource Names")."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> "Arn":
        """Raises ValueError if it has not six parts."""
        word, partition, service, region, account, resource = text.split(":", 5)
        if word != "arn":
            raise ValueError(f"not an ARN: {text}")
        return cls(partition=partition, service=service, region=region, account=account, resource=resource)


class Answers:
    """What was asked once, by its name; what was refused is asked again. For several threads."""

    def __init__(self) -> None:
        self._given: dict[str, Any] = {}
        self._one_at_a_time = RLock()

    def once(self, name: str, ask: Callable[[], T]) -> T:
        """The answer: the one that there is, or what `ask` gives."""
        with self._one_at_a_time:
            if name not in self._given:
                self._given[name] = ask()
            given: T = self._given[name]
            return given


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedHub:
    """What stands in the security account.

    Attributes:
        clients: Of the engineer.
        stack: Its stack.
        now: The time (aware, UTC).
        answers: What was asked once for several checks; of thousands of spokes that is most of what a look costs.
    """

    clients: Clients
    stack: Stack
    now: Callable[[], datetime]
    answers: Answers = field(default_factory=Answers, repr=False, compare=False)

    def client(self, service: str) -> AwsClient:
        """A client of the hub's account in its region."""
        return self.clients.client(service, region=self.region)

    def output(self, name: str) -> str:
        """An output of its stack.

        Raises:
            Gone: The stack has none of that name.
        """
        value = self.stack.outputs.get(name, "")
        if not value:
            raise Gone(f"the stack {self.stack.name} has no output {name}: another version's template made it")
        return value

    def has(self, name: str) -> bool:
        """Whether its stack has this output."""
        return bool(self.stack.outputs.get(name))

    @property
    def monitoring(self) -> Stack | None:
        """The stack beside it: scaling, alarms, dashboard.

        Raises:
            Misconfigured: The caller may not read stacks.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        return self.answers.once(
            MONITORING_STACK, lambda: stacks.describe(self.client("cloudformation"), MONITORING_STACK)
        )

    @property
    def _bus(self) -> Arn:
        return Arn.parse(self.output("BusArn"))

    @property
    def region(self) -> str:
        """Where it stands."""
        return self._bus.region

    @property
    def account(self) -> str:
        """Twelve digits."""
        return self._bus.account

    @property
    def partition(self) -> str:
        """Such as `aws-us-gov`."""
        return self._bus.partition

    @property
    def url_suffix(self) -> str:
        """What `AWS::URLSuffix` is there."""
        return SUFFIXES.get(self.partition, "amazonaws.com")

    @property
    def bus_name(self) -> str:
        """The bus that the spokes forward to."""
        return self._bus.resource.partition("/")[2]

    @property
    def rule_arn(self) -> str:
        """The rule that fills the changes queue."""
        return self.arn("events", f"rule/{self.bus_name}/{RULE}")

    @property
    def organization(self) -> str:
        """The id that it was deployed for."""
        return self.stack.parameters.get("OrganizationId", "")

    def arn(self, service: str, resource: str) -> str:
        """Of something in the hub's account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def queue_arn(self, output: str) -> str:
        """The ARN of the queue whose URL is this output."""
        return self.arn("sqs", self.output(output).rsplit("/", 1)[-1])


def _now() -> datetime:
    return datetime.now(UTC)


def find(clients: Clients, *, stack: str = HUB_STACK, now: Callable[[], datetime] = _now) -> DeployedHub | None:
    """The hub of the caller's account and region; None where no such stack is, or none that was ever complete.

    Raises:
        Misconfigured: The caller may not read stacks.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    described = stacks.describe(clients.client("cloudformation"), stack)
    if described is None or "BusArn" not in described.outputs:
        return None
    return DeployedHub(clients=clients, stack=described, now=now)
