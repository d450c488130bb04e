"""The AWS organization, as one of its accounts sees it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.clients import Clients
from infra.words import one_line
from spoke.aws_errors import DENIED, error_code
from spoke.errors import Misconfigured

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of StackSets that deploy to organizational units (the AWS Organizations user guide)."""

ACTIVE = "ACTIVE"


@dataclass(frozen=True, kw_only=True)
class Organization:
    """What is the same for everything that is deployed.

    Attributes:
        id: Such as `o-a1b2c3d4e5`.
        management_account: Twelve digits.
        account: The caller's own.
        partition: `aws`, `aws-us-gov`, `aws-cn`, ...
        has_all_features: False where it serves consolidated billing alone; StackSets need all features.
        delegated_administrators: The accounts registered for StackSets; empty too where the caller may not ask.
    """

    id: str
    management_account: str
    account: str
    partition: str
    has_all_features: bool = True
    delegated_administrators: tuple[str, ...] = ()

    @property
    def is_management(self) -> bool:
        """Whether the caller acts in the management account."""
        return self.account == self.management_account

    @property
    def is_delegated_administrator(self) -> bool:
        """Whether the caller's account administers StackSets for the organization."""
        return self.account in self.delegated_administrators


@dataclass(frozen=True, kw_only=True, order=True)
class Account:
    """An account of the organization.

    Attributes:
        id: Twelve digits.
        name: As the organization calls it.
        state: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, ... (`State` of Organizations' API).
        ou: The organizational unit that it lies in; None where the whole organization was listed.
    """

    id: str
    name: str
    state: str = ACTIVE
    ou: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether stacks can be deployed to it."""
        return self.state == ACTIVE


def describe(clients: Clients) -> Organization:
    """The organization of the caller's account.

    Raises:
        Misconfigured: The account is in no organization, or may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling("asking AWS who we are"):
        identity = clients.client("sts").get_caller_identity()
    account = str(identity["Account"])
    client = clients.client("organizations")
    with calling("describing the organization"):
        try:
            organization = client.describe_organization()["Organization"]
        except ClientError as error:
            if error_code(error) == "AWSOrganizationsNotInUseException":
                raise Misconfigured(
                    f"the account {account} is in no AWS organization; create one with all features enabled, "
                    "or use the credentials of an account that is in one"
                ) from error
            raise
        administrators = _administrators(client)
    return Organization(
        id=organization["Id"],
        management_account=organization["MasterAccountId"],
        account=account,
        partition=str(identity["Arn"]).split(":")[1],
        has_all_features=organization.get("FeatureSet", "ALL") == "ALL",
        delegated_administrators=administrators,
    )


def _administrators(client: AwsClient) -> tuple[str, ...]:
    try:
        found = list(
            _pages(client, "list_delegated_administrators", "DelegatedAdministrators", ServicePrincipal=STACK_SETS)
        )
    except ClientError as error:
        # Only the management account and delegated administrators of any service may ask.
        if error_code(error) in DENIED:
            return ()
        raise
    return tuple(sorted(one["Id"] for one in found))


def root(clients: Clients) -> str:
    """The id of the organization's root, such as `r-ab12`.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling("looking up the organization's root"):
        roots = list(_pages(clients.client("organizations"), "list_roots", "Roots"))
    if not roots:
        raise Misconfigured("the organization shows no root: the caller may not see it")
    return str(roots[0]["Id"])


def all_accounts(clients: Clients, ous: Iterable[str] = ()) -> tuple[Account, ...]:
    """The accounts in whatever state, the management account included, in the order of their ids.

    Args:
        clients: Of the management account or of a delegated administrator; no other may ask.
        ous: Organizational units, walked down to their last unit. None of them, or the root among them, means the
            whole organization, without the unit of each (one call for 20 accounts, instead of two or more a unit).

    Raises:
        Misconfigured: The caller may not ask, or a unit does not exist.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    client = clients.client("organizations")
    with calling("listing the accounts of the organization"):
        wanted = tuple(ous)
        if wanted and not any(is_root(one) for one in wanted):
            found = {one.id: one for ou in wanted for one in _under(client, ou)}.values()
            return tuple(sorted(found, key=lambda one: one.id))
        listed = [_account(one) for one in _pages(client, "list_accounts", "Accounts")]
    return tuple(sorted(listed, key=lambda one: one.id))


def active_accounts(clients: Clients, ous: Iterable[str] = ()) -> tuple[Account, ...]:
    """As `all_accounts`, without those that are suspended, closed or not yet activated."""
    return tuple(account for account in all_accounts(clients, ous) if account.is_active)


def units_left(clients: Clients, units: Iterable[str]) -> tuple[str, ...]:
    """Those of the organizational units (or roots) that the organization still has: a StackSet names them longer.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    client = clients.client("organizations")
    return tuple(unit for unit in units if is_root(unit) or _is_there(client, unit))


def is_root(unit: str) -> bool:
    """Whether it is the organization's root, so that all accounts lie below it."""
    # "r-" and "ou-" begin the two kinds of ids (`ParentId` in Organizations' API reference).
    return unit.startswith("r-")


def _is_there(client: AwsClient, unit: str) -> bool:
    with calling(f"looking up the organizational unit {unit}"):
        try:
            client.describe_organizational_unit(OrganizationalUnitId=unit)
        except ClientError as error:
            if error_code(error) == "OrganizationalUnitNotFoundException":
                return False
            raise
    return True


def _under(client: AwsClient, parent: str) -> Iterator[Account]:
    try:
        accounts = [
            _account(one, parent) for one in _pages(client, "list_accounts_for_parent", "Accounts", ParentId=parent)
        ]
    except ClientError as error:
        # Nothing but the unit is handed in: what Organizations calls invalid is no id of a unit at all.
        if error_code(error) in {"ParentNotFoundException", "InvalidInputException"}:
            raise Misconfigured(f"the organization has no unit {parent}: list them in AWS Organizations") from error
        raise
    yield from accounts
    units = _pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
    for unit in list(units):
        yield from _under(client, unit["Id"])


def _account(answer: Mapping[str, Any], ou: str | None = None) -> Account:
    # `Status` is the older of two names for nearly the same; where both stand there, `State` is the finer one.
    state = answer.get("State") or answer.get("Status") or ACTIVE
    return Account(id=answer["Id"], name=one_line(answer.get("Name")), state=state, ou=ou)


def _pages(client: AwsClient, operation: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from cast("list[dict[str, Any]]", page.get(key, []))
