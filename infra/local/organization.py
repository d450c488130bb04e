"""A real AWS Organization on the embedded cloud: a management account, the hub and the spokes in organizational units.

The accounts exist already and are invited, so that their ids are the known ones; CreateAccount would choose others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from infra.calls import AwsClient, calling
from infra.local.accounts import Accounts, spoke_accounts

MANAGEMENT_ACCOUNT = "111111111111"
"""Holds the organization and nothing else; StackSets never deploy to it."""

HUB_UNIT = "security"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of service-managed StackSets."""

_SPOKES = spoke_accounts(3)
SPOKES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"workloads": _SPOKES[:1], "workloads/production": _SPOKES[1:2], "sandbox": _SPOKES[2:]}
)
"""Which spokes are in which unit, unless told otherwise: one in a nested unit, one in a unit of its own."""


@dataclass(frozen=True, kw_only=True)
class LocalOrganization:
    """An organization that was set up.

    Attributes:
        id: `o-...`.
        root: `r-...`.
        management_account: Twelve digits.
        hub_account: A member, and a delegated administrator of StackSets if that was asked for.
        units: The ids (`ou-...`) of the units by their paths; `/` parts a unit from the one that it lies in.
        members: Account id -> path of its unit; the management account stays in the root and is not among them.
    """

    id: str
    root: str
    management_account: str
    hub_account: str
    units: Mapping[str, str]
    members: Mapping[str, str]


def set_up(
    accounts: Accounts,
    *,
    spokes: Mapping[str, Sequence[str]] = SPOKES,
    trusted_access: bool = True,
    delegated_administrator: bool = True,
) -> LocalOrganization:
    """Create the organization, its units, and let the hub and the spokes join.

    Args:
        accounts: Of the embedded cloud; their hub becomes a member.
        spokes: Account ids by the path of their unit (`workloads/production`).
        trusted_access: Whether StackSets may deploy in the organization.
        delegated_administrator: Whether the hub may administer service-managed StackSets.

    Raises:
        Misconfigured: There is an organization already, or the cloud is not the embedded one.
    """
    organizations = accounts.client("organizations", account=MANAGEMENT_ACCOUNT)
    with calling("setting up the local organization"):
        created = organizations.create_organization(FeatureSet="ALL")["Organization"]
        root = organizations.list_roots()["Roots"][0]["Id"]
        placed = {HUB_UNIT: (accounts.hub,), **spokes}
        units: dict[str, str] = {}
        for path in placed:
            _create_unit(organizations, root, path, units)
        for path, members in placed.items():
            for account in members:
                _invite(accounts, root, account, units[path])
        if trusted_access:
            stacks = accounts.client("cloudformation", account=MANAGEMENT_ACCOUNT)
            stacks.activate_organizations_access()
        if delegated_administrator:
            organizations.register_delegated_administrator(AccountId=accounts.hub, ServicePrincipal=STACK_SETS)
    return LocalOrganization(
        id=created["Id"],
        root=root,
        management_account=MANAGEMENT_ACCOUNT,
        hub_account=accounts.hub,
        units=MappingProxyType(units),
        members=MappingProxyType({account: path for path, members in placed.items() for account in members}),
    )


def join(accounts: Accounts, organization: LocalOrganization, account: str, unit: str) -> None:
    """Let one more account join, and move it to a unit.

    Args:
        accounts: Of the embedded cloud.
        organization: That was set up.
        account: Twelve digits.
        unit: A path in `organization.units`.

    Raises:
        Misconfigured: It is a member already.
    """
    with calling(f"letting the account {account} join the local organization"):
        _invite(accounts, organization.root, account, organization.units[unit])


def _create_unit(organizations: AwsClient, root: str, path: str, units: dict[str, str]) -> str:
    """The id of the unit; it and those that it lies in are created where they are missing."""
    if path not in units:
        outer, _, name = path.rpartition("/")
        parent = _create_unit(organizations, root, outer, units) if outer else root
        unit = organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]
        units[path] = unit["Id"]
    return units[path]


def _invite(accounts: Accounts, root: str, account: str, unit: str) -> None:
    management = accounts.client("organizations", account=MANAGEMENT_ACCOUNT)
    handshake = management.invite_account_to_organization(Target={"Id": account, "Type": "ACCOUNT"})["Handshake"]
    accounts.client("organizations", account=account).accept_handshake(HandshakeId=handshake["Id"])
    management.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
