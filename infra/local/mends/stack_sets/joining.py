"""Automatic deployment: an account that comes into a targeted unit gets its stacks, one that leaves loses them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.organizations.models import OrganizationsBackend

from infra.local.mends.replacement import replaced
from infra.local.mends.stack_sets.model import Instance, StackSet, kept
from infra.local.mends.stack_sets.operations import begun, deploy, withdraw
from infra.local.mends.stack_sets.targets import units_above

_CHANGES = (
    "accept_invitation",
    "create_account",
    "move_account",
    "remove_account_from_organization",
)
"""What brings an account into a unit or out of it."""


@contextmanager
def mended() -> Iterator[None]:
    """StackSets follow the organization."""
    with ExitStack() as mends:
        for name in _CHANGES:
            mends.enter_context(replaced(OrganizationsBackend, name, _followed(getattr(OrganizationsBackend, name))))
        yield


def _followed(original: Callable[..., Any]) -> Callable[..., Any]:
    def changed(organization: OrganizationsBackend, **arguments: Any) -> Any:  # noqa: ANN401  # passes through
        answer = original(organization, **arguments)
        account = arguments.get("AccountId") or answer["CreateAccountStatus"]["AccountId"]
        for regional in list(cloudformation_backends[organization.account_id].values()):
            for stack_set in kept(regional).values():
                follow(stack_set, organization, account)
        return answer

    return changed


def follow(stack_set: StackSet, organization: OrganizationsBackend, account: str) -> None:
    """Give an account the stacks of the units that it is in, and take away those of units that it has left."""
    if stack_set.status != "ACTIVE" or not stack_set.auto_deployment.get("Enabled"):
        return
    units = list(units_above(organization, account))
    wanted = {region for unit in units for region in stack_set.targets.get(unit, ())}
    there = {one.region: one for one in stack_set.instances if one.account == account}
    for instance in there.values():
        instance.unit = units[0] if units else instance.unit
    here = {"Accounts": [account]}
    if missing := sorted(wanted - there.keys()):
        new = [Instance(account=account, region=region, unit=units[0], overrides={}) for region in missing]
        stack_set.instances += new
        deploy(stack_set, begun(stack_set, "CREATE", {}, here), new)
    if left := [one for region, one in there.items() if region not in wanted]:
        retain = bool(stack_set.auto_deployment.get("RetainStacksOnAccountRemoval"))
        withdraw(stack_set, begun(stack_set, "DELETE", {}, here, retain=retain), left)
