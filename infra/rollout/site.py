"""Where a rollout takes place: the organization, the hub's account and region, and clients for them."""

from dataclasses import dataclass, field

from infra import organization as organizations
from infra.calls import AwsClient
from infra.clients import Clients
from infra.organization import STACK_SETS, Organization
from infra.stack_sets import CallAs, call_as
from spoke.errors import Misconfigured

HUB_STACK = "scanhub-hub"
NETWORK_STACK = "scanhub-hub-network"
MONITORING_STACK = "scanhub-hub-monitoring"
SPOKE_STACK = "scanhub-spoke"
STACK_SET = "scanhub-spoke"
"""The StackSet of the primary region: the only one whose stacks make roles."""

REGIONS_STACK_SET = "scanhub-spoke-regions"
"""The StackSet of all other regions, of the same template."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """All that is looked up once, so that nobody has to be asked for it.

    Attributes:
        clients: As the operator's credentials allow.
        organization: As the operator's account sees it.
        hub_account: Twelve digits.
        region: The hub's; the StackSet is managed there too.
    """

    clients: Clients = field(repr=False)
    organization: Organization
    hub_account: str
    region: str

    @property
    def call_as(self) -> CallAs:
        """On whose behalf StackSets are asked."""
        return call_as(self.organization)

    @property
    def spoke_account(self) -> str | None:
        """The management account, where we act in it: it has stacks of its own. None elsewhere."""
        return self.organization.account if self.organization.is_management else None

    def hub(self, service: str, region: str | None = None) -> AwsClient:
        """A client in the hub's account."""
        return self.inside(self.hub_account, service, region)

    def own(self, service: str, region: str | None = None) -> AwsClient:
        """A client with the operator's own credentials: for StackSets and the organization."""
        return self.clients.client(service, region=region or self.region)

    def inside(self, account: str, service: str, region: str | None = None) -> AwsClient:
        """A client in any account."""
        own = account == self.organization.account
        return self.clients.client(service, account=None if own else account, region=region or self.region)


def find(clients: Clients, *, region: str, hub_account: str | None = None) -> Site:
    """Look the site up.

    Args:
        clients: With the operator's credentials.
        region: The hub's.
        hub_account: Where the hub is or shall be; None: the caller's own account or, from the management account, the
            one delegated administrator for StackSets.

    Raises:
        Misconfigured: There is no organization, or the hub's account cannot be told.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    organization = organizations.describe(clients)
    return Site(
        clients=clients,
        organization=organization,
        hub_account=hub_account or _hub_account(organization),
        region=region,
    )


def _hub_account(organization: Organization) -> str:
    if not organization.is_management:
        return organization.account
    administrators = organization.delegated_administrators
    if len(administrators) == 1:
        return administrators[0]
    if administrators:
        raise Misconfigured(
            f"several accounts administer StackSets ({', '.join(administrators)}): name the hub's by --hub-account"
        )
    raise Misconfigured(
        "these are the management account's credentials: name the security account by --hub-account ID, or register "
        f"it: aws organizations register-delegated-administrator --account-id ID --service-principal {STACK_SETS}"
    )
