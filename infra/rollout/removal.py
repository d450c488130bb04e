"""Takes everything away, in the order in which nothing needs what is gone. It may be run again after a failure."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra import organization as organizations
from infra import stack_sets, stacks
from infra.calls import AwsClient, calling
from infra.rollout import own_spoke
from infra.rollout.deployment import Deployment
from infra.rollout.kept import Kept
from infra.rollout.operations import Operations, failure
from infra.rollout.operator import confirm
from infra.rollout.own_spoke import OwnSpoke
from infra.rollout.site import (
    HUB_STACK,
    MONITORING_STACK,
    NETWORK_STACK,
    REGIONS_STACK_SET,
    STACK_SET,
    Site,
)
from infra.stack_sets import Instance, StackSet
from infra.stacks import Stack

_EVERYWHERE = {
    "RegionConcurrencyType": "PARALLEL",
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
}
"""One account that cannot be reached must not keep the others."""


@dataclass(frozen=True, kw_only=True)
class RemovalOptions:
    """What the operator may decide.

    Attributes:
        spokes_only: Whether the hub stays.
        delete_results: Whether results, ledger, logs and key are deleted too.
    """

    spokes_only: bool = False
    delete_results: bool = False


class Removal:
    """Removes spokes and hub.

    Args:
        site: Where.
        deployment: How.
        options: What the operator decided.
    """

    def __init__(self, site: Site, deployment: Deployment, options: RemovalOptions) -> None:
        self._site = site
        self._deployment = deployment
        self._operator = deployment.operator
        self._options = options

    def run(self) -> None:
        """Do it.

        Raises:
            Declined: The operator did not agree.
            OperationFailed, StackFailed: Something could not be deleted; the rest stands as it is.
            Misconfigured: The caller may not.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        sets = self._sets()
        own = [account for account in self._own_accounts() if own_spoke.find(self._site, account)]
        hub_stacks = [] if self._options.spokes_only else self._hub_stacks()
        hub = stacks.describe(self._site.hub("cloudformation"), HUB_STACK)
        kept = Kept.of(self._site, hub) if not self._options.spokes_only else None
        self._announce(sets, own, hub_stacks, kept)
        if self._deployment.dry_run:
            return
        confirm(self._operator, f"Remove scanhub from {self._site.hub_account}, {self._site.region} and its spokes?")
        delete_results = self._options.delete_results and kept is not None and not kept.is_empty
        if delete_results and kept is not None:
            kept.confirm(self._operator)
        for there in sets:
            self._remove_set(there)
        for account in own:
            OwnSpoke(self._site, self._deployment, account).remove()
        for stack in hub_stacks:
            self._remove_stack(stack)
        if kept is not None and delete_results:
            kept.delete(self._operator)
        elif kept is not None:
            self._operator.tell(f"kept: {'; '.join(kept.lines()) or 'nothing'}")

    def _sets(self) -> list[StackSet]:
        """The one that depends on the other first."""
        organization = self._site.organization
        if not (organization.is_management or organization.is_delegated_administrator):
            return []
        client = self._site.own("cloudformation")
        found = [stack_sets.describe(client, name, self._site.call_as) for name in (REGIONS_STACK_SET, STACK_SET)]
        return [one for one in found if one is not None]

    def _own_accounts(self) -> Sequence[str]:
        organization = self._site.organization
        management = (organization.account,) if organization.is_management else ()
        return tuple(dict.fromkeys((*management, self._site.hub_account)))

    def _hub_stacks(self) -> list[Stack]:
        client = self._site.hub("cloudformation")
        found = [stacks.describe(client, name) for name in (MONITORING_STACK, HUB_STACK, NETWORK_STACK)]
        return [stack for stack in found if stack is not None]

    def _announce(
        self, sets: Sequence[StackSet], own: Sequence[str], hub_stacks: Sequence[Stack], kept: Kept | None
    ) -> None:
        for there in sets:
            number = len(stack_sets.instances(self._site.own("cloudformation"), there.name, self._site.call_as))
            self._operator.tell(f"to be removed: the stack set {there.name} and its {number} stacks")
        for account in own:
            self._operator.tell(f"to be removed: the spoke stacks of {account}")
        for stack in hub_stacks:
            self._operator.tell(f"to be removed: the stack {stack.name}")
        if kept is not None and not kept.is_empty:
            what = "deleted with all they hold" if self._options.delete_results else "kept"
            self._operator.tell(f"to be {what}: {'; '.join(kept.lines())}")
        if not self._site.organization.is_management and sets:
            self._operator.tell(
                f"the management account {self._site.organization.management_account} may have spokes of its own; "
                f"with its credentials run scanhub rollout remove --spokes-only --hub-account {self._site.hub_account}"
            )

    def _remove_set(self, there: StackSet) -> None:
        client = self._site.own("cloudformation")
        operations = Operations(
            client=client,
            name=there.name,
            call_as=self._site.call_as,
            operator=self._operator,
            sleep=self._deployment.sleep,
        )
        operations.settle()
        instances = stack_sets.instances(client, there.name, self._site.call_as)
        if instances:
            self._remove_instances(operations, there, instances)
        with calling(f"deleting the stack set {there.name}"):
            client.delete_stack_set(StackSetName=there.name, CallAs=self._site.call_as)
        self._operator.tell(f"stack set {there.name}: deleted")

    def _remove_instances(self, operations: Operations, there: StackSet, instances: Sequence[Instance]) -> None:
        named = there.organizational_units or tuple(sorted({one.organizational_unit for one in instances} - {""}))
        targets = {"OrganizationalUnitIds": list(organizations.units_left(self._site.clients, named))}
        failed = operations.run(
            "deleting all instances",
            "delete_stack_instances",
            DeploymentTargets=targets,
            Regions=sorted({instance.region for instance in instances}),
            RetainStacks=False,
            OperationPreferences=_EVERYWHERE,
        )
        left = stack_sets.instances(operations.client, there.name, self._site.call_as)
        if not failed and not left:
            return
        # Nothing can be deleted in a suspended account, and its instances would keep the stack set for good.
        active = {one.id for one in organizations.active_accounts(self._site.clients)}
        if lasting := [result for result in failed if result.account in active]:
            raise failure(f"stack set {there.name}: not every instance could be deleted", lasting)
        suspended = [one for one in left if one.account not in active]
        if suspended:
            accounts = sorted({one.account for one in suspended})
            self._operator.warn(f"suspended, so that their stacks stay until they are closed: {', '.join(accounts)}")
            operations.run(
                "letting go of suspended accounts",
                "delete_stack_instances",
                DeploymentTargets={**targets, "Accounts": accounts, "AccountFilterType": "INTERSECTION"},
                Regions=sorted({one.region for one in suspended}),
                RetainStacks=True,
                OperationPreferences=_EVERYWHERE,
            )

    def _remove_stack(self, stack: Stack) -> None:
        client: AwsClient = self._site.hub("cloudformation")
        if stack.is_protected:
            with calling(f"lifting the protection of the stack {stack.name}"):
                client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
        self._operator.tell(f"deleting the stack {stack.name}")
        self._deployment.delete(client, stack)
