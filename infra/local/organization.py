"""A real AWS Organization on the embedded cloud: a management account, the hub and the spokes in organizational units.

The accounts exist already and are invited, so that their ids are the known ones; CreateAccount would choose others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.local.accounts import Accounts, spoke_accounts
from spoke.aws_errors import error_code

MANAGEMENT_ACCOUNT = "111111111111"
"""Holds the organization and nothing else; StackSets never deploy to it."""

HUB_UNIT = "security"
UNITS = ("workloads", "workloads/production", "sandbox")
"""Of the spokes: one of the units lies in another."""

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of service-managed StackSets."""


@dataclass(frozen=True, kw_only=True)
class LocalOrganization:
    """An organization that was set up.

    Attributes:
        id: `o-...`.
        root: `r-...`.
        management_account: Twelve digits.
        hub_account: A member, and a delegated administrator of StackSets if that was asked for.
        units: The ids (`ou-...`) of the units by their paths; `/` parts a unit from the one that it lies in.
        members: Account id -> path of its unit (empty: the root); the management account is not among them.
    """

    id: str
    root: str
    management_account: str
    hub_account: str
    units: Mapping[str, str]
    members: Mapping[str, str]


def in_units(spokes: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """These account ids by the paths of their units, dealt out in turn: the same spoke is always in the same unit."""
    return {unit: spokes[index :: len(UNITS)] for index, unit in enumerate(UNITS)}


SPOKES: Mapping[str, Sequence[str]] = MappingProxyType(dict(in_units(spoke_accounts(3))))
"""Which spokes are in which unit, unless told otherwise: one in a nested unit, one in a unit of its own."""


def set_up(
    accounts: Accounts,
    *,
    spokes: Mapping[str, Sequence[str]] = SPOKES,
    trusted_access: bool = True,
    delegated_administrator: bool = True,
) -> LocalOrganization:
    """Create the organization, its units, and let the hub and the spokes join; or what of it is not there yet.

    Whoever is a member already stays in the unit where they are.

    Args:
        accounts: Of the embedded cloud; their hub becomes a member.
        spokes: Account ids by the path of their unit (`workloads/production`).
        trusted_access: Whether StackSets may deploy in the organization.
        delegated_administrator: Whether the hub may administer service-managed StackSets.

    Raises:
        Misconfigured: The cloud has no organizations whose accounts can be invited, or an account is in another one.
        Unavailable: It has none, and says so as if it were ill.
    """
    client = accounts.client("organizations", account=MANAGEMENT_ACCOUNT)
    with calling("setting up the local organization"):
        organization = _found(client) or client.create_organization(FeatureSet="ALL")["Organization"]
        root = client.list_roots()["Roots"][0]["Id"]
        placed = {HUB_UNIT: (accounts.hub,), **spokes}
        units = dict(_units(client, root))
        for path in placed:
            _create_unit(client, root, path, units)
        there = _members(client, root, units)
        for path, members in placed.items():
            for account in members:
                if account not in there:
                    _invite(accounts, root, account, units[path])
        if trusted_access:
            stacks = accounts.client("cloudformation", account=MANAGEMENT_ACCOUNT)
            stacks.activate_organizations_access()
        if delegated_administrator and not _is_administrator(client, accounts.hub):
            client.register_delegated_administrator(AccountId=accounts.hub, ServicePrincipal=STACK_SETS)
        joined = _members(client, root, units)
    return LocalOrganization(
        id=organization["Id"],
        root=root,
        management_account=MANAGEMENT_ACCOUNT,
        hub_account=accounts.hub,
        units=MappingProxyType(units),
        members=MappingProxyType(joined),
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


def _found(organizations: AwsClient) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = organizations.describe_organization()["Organization"]
    except ClientError as error:
        if error_code(error) == "AWSOrganizationsNotInUseException":
            return None
        raise
    return found


def _units(organizations: AwsClient, parent: str, outer: str = "") -> Iterator[tuple[str, str]]:
    """Paths and ids of all units below."""
    for unit in _all(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        path = f"{outer}{unit['Name']}"
        yield path, unit["Id"]
        yield from _units(organizations, unit["Id"], f"{path}/")


def _members(organizations: AwsClient, root: str, units: Mapping[str, str]) -> dict[str, str]:
    """Account id -> path of its unit."""
    return {
        account["Id"]: path
        for path, unit in {"": root, **units}.items()
        for account in _all(organizations, "list_accounts_for_parent", "Accounts", ParentId=unit)
        if account["Id"] != MANAGEMENT_ACCOUNT
    }


def _is_administrator(organizations: AwsClient, account: str) -> bool:
    found = _all(organizations, "list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=STACK_SETS)
    return any(one["Id"] == account for one in found)


def _all(organizations: AwsClient, operation: str, key: str, **arguments: str) -> Sequence[Mapping[str, Any]]:
    pages = organizations.get_paginator(operation).paginate(**arguments).build_full_result()
    found: Sequence[Mapping[str, Any]] = pages.get(key, ())
    return found


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
