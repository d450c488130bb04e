"""AWS's list prices in us-east-1, without free tiers, discounts and taxes, as of November 2026."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Rate:
    """One price.

    Attributes:
        dollars: Of one unit.
        per: How many of them AWS states the price for.
        of: What they are.
        page: AWS's own price list, below `https://aws.amazon.com/`.
    """

    dollars: float
    per: float
    of: str
    page: str

    def cost(self, units: float) -> float:
        """Dollars for so many units."""
        return units / self.per * self.dollars

    @property
    def source(self) -> str:
        """The address of the page."""
        return f"https://aws.amazon.com/{self.page}"


class Price(Enum):
    """Every price that the table below stands on."""

    VCPU = Rate(0.04048, 1, "vCPU hours (Linux, x86)", "fargate/pricing/")
    MEMORY = Rate(0.004445, 1, "GB hours", "fargate/pricing/")
    DISK = Rate(0.000111, 1, "GB hours of ephemeral storage above 20 GB", "fargate/pricing/")
    EVENT = Rate(1.00, 1_000_000, "events delivered across accounts, of up to 64 KB", "eventbridge/pricing/")
    ARCHIVE = Rate(0.10, 1, "GB put into an archive", "eventbridge/pricing/")
    QUEUE = Rate(0.40, 1_000_000, "requests to a standard queue", "sqs/pricing/")
    WRITE = Rate(0.625, 1_000_000, "write request units (on-demand)", "dynamodb/pricing/on-demand/")
    READ = Rate(0.125, 1_000_000, "read request units (on-demand)", "dynamodb/pricing/on-demand/")
    TABLE = Rate(0.25, 1, "GB of a table a month", "dynamodb/pricing/on-demand/")
    RECOVERY = Rate(0.20, 1, "GB under point-in-time recovery a month", "dynamodb/pricing/on-demand/")
    PUT = Rate(0.005, 1_000, "PUT requests", "s3/pricing/")
    OBJECTS = Rate(0.023, 1, "GB of objects a month", "s3/pricing/")
    KEY = Rate(1.00, 1, "customer-managed keys a month", "kms/pricing/")
    KEY_USE = Rate(0.03, 10_000, "requests to KMS", "kms/pricing/")
    SECRET = Rate(0.40, 1, "secrets a month", "secrets-manager/pricing/")
    TOPIC = Rate(0.50, 1_000_000, "requests to a topic", "sns/pricing/")
    LOGS = Rate(0.50, 1, "GB of logs taken in", "cloudwatch/pricing/")
    METRIC = Rate(0.30, 1, "custom metrics a month", "cloudwatch/pricing/")
    ALARM = Rate(0.10, 1, "metrics in alarms a month", "cloudwatch/pricing/")
    DASHBOARD = Rate(3.00, 1, "dashboards a month", "cloudwatch/pricing/")
    NAT = Rate(0.045, 1, "hours of a NAT gateway", "vpc/pricing/")
    NAT_DATA = Rate(0.045, 1, "GB through a NAT gateway", "vpc/pricing/")
    ADDRESS = Rate(0.005, 1, "hours of a public IPv4 address", "vpc/pricing/")
    IMAGE = Rate(0.10, 1, "GB of images a month", "ecr/pricing/")

    @property
    def rate(self) -> Rate:
        """The price."""
        return self.value
