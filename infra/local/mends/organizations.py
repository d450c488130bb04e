"""Organizations as its members see it.

moto 5.2.5 lets a member account see an organization without accounts, units and administrators, since it keeps all of
that with the management account; it knows no invitation, by which an existing account joins (CreateAccount alone, with
an id of its own choice); and it registers no delegated administrator for StackSets. Here reads of the management
account and of a delegated administrator get the answer, and other members are refused, as AWS does
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html).
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.core.utils import unix_time
from moto.organizations.exceptions import AWSOrganizationsNotInUseException
from moto.organizations.exceptions import OrganizationsClientError as Refusal
from moto.organizations.models import (
    FakeAccount,
    FakeDelegatedAdministrator,
    OrganizationsBackend,
    organizations_backends,
)
from moto.organizations.responses import OrganizationsResponse
from moto.organizations.utils import DEFAULT_RCP_POLICY_ID, DEFAULT_SCP_POLICY_ID

from infra.local.mends.replacement import added, replaced

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of service-managed StackSets."""

_HANDSHAKES = "handshakes"
_FOR_ANY_MEMBER = frozenset({"DescribeOrganization"})
_READS = ("Describe", "List")


@contextmanager
def mended() -> Iterator[None]:
    """Members see what they may, and accounts can be invited."""
    services = [*FakeDelegatedAdministrator.SUPPORTED_SERVICES, STACK_SETS]
    with ExitStack() as mends:
        # moto's reset leaves it as it is.
        organizations_backends.master_accounts.clear()
        mends.callback(organizations_backends.master_accounts.clear)
        mends.enter_context(replaced(FakeDelegatedAdministrator, "SUPPORTED_SERVICES", services))
        mends.enter_context(replaced(OrganizationsResponse, "organizations_backend", property(_backend)))
        mends.enter_context(added(OrganizationsResponse, "invite_account_to_organization", _invite))
        mends.enter_context(added(OrganizationsResponse, "accept_handshake", _accept))
        mends.enter_context(added(OrganizationsBackend, "accept_invitation", _admit))
        yield


def management_account(account: str, partition: str) -> str | None:
    """The management account of the organization that the account belongs to, if it does."""
    if account in organizations_backends and organizations_backends[account][partition].org is not None:
        return account
    owner = organizations_backends.master_accounts.get(account)
    return None if owner is None else owner[0]


def is_delegated(account: str, partition: str, service: str | None = None) -> bool:
    """Whether the account is a delegated administrator, of this service or (None) of any."""
    management = management_account(account, partition)
    if management is None:
        return False
    admins = organizations_backends[management][partition].admins
    return any(admin.account.id == account and (service is None or service in admin.services) for admin in admins)


def _backend(response: OrganizationsResponse) -> OrganizationsBackend:
    account, partition, action = response.current_account, response.partition, response._get_action()  # noqa: SLF001  # moto's own name for it
    management = management_account(account, partition)
    if management in {None, account} or action in _FOR_ANY_MEMBER:
        return organizations_backends[account][partition]
    if action.startswith(_READS) and is_delegated(account, partition):
        return organizations_backends[str(management)][partition]
    raise Refusal("AccessDeniedException", "You don't have permissions to access this resource.")


def _invite(response: OrganizationsResponse) -> str:
    account, partition = response.current_account, response.partition
    organization = organizations_backends[account][partition].org
    if organization is None:
        raise AWSOrganizationsNotInUseException
    target = response.request_params["Target"]
    if target["Type"] != "ACCOUNT":
        raise Refusal("InvalidInputException", "The embedded cloud invites accounts by their id only.")
    if management_account(target["Id"], partition) is not None:
        raise Refusal("DuplicateAccountException", "The account is already a member of an organization.")
    handshake: dict[str, Any] = {
        "Id": f"h-{secrets.token_hex(8)}",
        "Parties": [{"Id": organization.id.removeprefix("o-"), "Type": "ORGANIZATION"}, target],
        "State": "OPEN",
        "RequestedTimestamp": unix_time(),
        "Action": "INVITE",
    }
    _handshakes(organizations_backends[account][partition])[handshake["Id"]] = handshake
    return json.dumps({"Handshake": handshake})


def _accept(response: OrganizationsResponse) -> str:
    invited, partition = response.current_account, response.partition
    handshake_id = response.request_params["HandshakeId"]
    for management in list(organizations_backends):
        backend = organizations_backends[management][partition]
        handshake = _handshakes(backend).get(handshake_id)
        if handshake is None or handshake["Parties"][1]["Id"] != invited:
            continue
        backend.accept_invitation(AccountId=invited)  # type: ignore[attr-defined]  # added by this mend
        handshake["State"] = "ACCEPTED"
        return json.dumps({"Handshake": handshake})
    raise Refusal("HandshakeNotFoundException", "We can't find a handshake with the HandshakeId that you specified.")


def _admit(backend: OrganizationsBackend, *, AccountId: str) -> None:  # noqa: N803  # as the API names it
    """As CreateAccount does, but with the id that the account has."""
    organization: Any = backend.org
    member = FakeAccount(organization, AccountName=AccountId, Email=f"{AccountId}@example.com")
    member.id, member.joined_method = AccountId, "INVITED"
    backend.accounts.append(member)
    organizations_backends.master_accounts[AccountId] = (backend.account_id, backend.partition)
    for policy in (DEFAULT_SCP_POLICY_ID, DEFAULT_RCP_POLICY_ID):
        backend.attach_policy(PolicyId=policy, TargetId=AccountId)


def _handshakes(backend: OrganizationsBackend) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = vars(backend).setdefault(_HANDSHAKES, {})
    return kept
