"""Which accounts an operation is about."""

from collections.abc import Iterator, Sequence
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.utilities.utils import get_partition


def organization_of(management: str, region: str) -> OrganizationsBackend:
    """The organization of a management account."""
    return organizations_backends[management][get_partition(region)]


def accounts_of(organization: OrganizationsBackend, targets: dict[str, Any]) -> dict[str, str]:
    """The accounts that deployment targets name: account id -> the unit that it directly is in.

    Never the management account: service-managed StackSets do not deploy to it, whatever unit it is in.

    Raises:
        ValidationError: No unit is named, one does not exist, or the filter is wrong.
    """
    units: Sequence[str] = targets.get("OrganizationalUnitIds", [])
    named: Sequence[str] = targets.get("Accounts", [])
    chosen = targets.get("AccountFilterType", "INTERSECTION" if named and units else "NONE")
    if not units and not named:
        raise ValidationError(message="OrganizationalUnitIds are required")
    inside: dict[str, str] = {}
    for unit in units:
        if all(one.id != unit for one in organization.ou):
            raise ValidationError(message=f"OrganizationalUnit {unit} does not exist")
        below = set(_with_nested(organization, unit))
        inside |= {one.id: one.parent_id for one in _active(organization) if one.parent_id in below}
    everybody = {one.id: one.parent_id for one in _active(organization)}
    given = {account: everybody[account] for account in named if account in everybody}
    match chosen:
        case "NONE":
            found = inside
        case "INTERSECTION":
            found = {account: unit for account, unit in inside.items() if account in named} if units else given
        case "DIFFERENCE":
            found = {account: unit for account, unit in inside.items() if account not in named}
        case "UNION":
            found = inside | given
        case _:
            raise ValidationError(message=f"AccountFilterType {chosen} is not known")
    return found


def units_above(organization: OrganizationsBackend, account: str) -> Iterator[str]:
    """The units that an account is in: its own, the one around it, ..., the root."""
    parents = {one.id: one.parent_id for one in organization.ou}
    unit = next((one.parent_id for one in organization.accounts if one.id == account), None)
    while unit is not None:
        yield unit
        unit = parents.get(unit)


def _with_nested(organization: OrganizationsBackend, unit: str) -> Iterator[str]:
    yield unit
    for one in organization.ou:
        if one.parent_id == unit:
            yield from _with_nested(organization, one.id)


def _active(organization: OrganizationsBackend) -> list[Any]:
    return [one for one in organization.accounts if one.status == "ACTIVE" and one.id != organization.account_id]
