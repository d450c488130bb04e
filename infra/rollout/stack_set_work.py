"""A plan for one StackSet, carried out operation by operation. Whatever was done already is not planned again."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from infra import stack_sets
from infra.calls import AwsClient, calling
from infra.rollout.deployment import Deployment
from infra.rollout.operations import Operations, Result
from infra.rollout.parameters import Declared
from infra.rollout.site import Site
from infra.rollout.spokes_plan import SECRET_PARAMETER, SetPlan, Wanted
from infra.stack_sets import StackSet

MOST_NAMED = 100
"""Accounts that an operation names; beyond that it takes all of the units."""


@dataclass(frozen=True, kw_only=True)
class Waves:
    """How fast a rollout goes, and how far after failures.

    Attributes:
        max_concurrent: Percent of the accounts of a region that are worked at once.
        failure_tolerance: Percent of the accounts of a region that may fail before the operation stops there and goes
            to no further region. Rounded up, so that of a few accounts one may fail.
        parallel_regions: Whether an update goes to all regions at once; new regions are reached at once in any case.
    """

    max_concurrent: int = 25
    failure_tolerance: int = 10
    parallel_regions: bool = False

    def preferences(self, accounts: int, *, parallel: bool) -> dict[str, Any]:
        """`OperationPreferences` of CloudFormation's API."""
        return {
            "RegionConcurrencyType": "PARALLEL" if parallel else "SEQUENTIAL",
            "MaxConcurrentPercentage": self.max_concurrent,
            # AWS rounds a percentage down: of nine accounts a tolerance of 10 % would allow none to fail.
            "FailureToleranceCount": ceil(accounts * self.failure_tolerance / 100),
            # Strict tolerance would work no more accounts at once than may fail.
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
        }


class StackSetWork:
    """Carries plans out.

    Args:
        site: Where.
        deployment: How.
        waves: How fast.
        declared: The template's parameters.
        accounts: How many accounts there are.
    """

    def __init__(
        self, site: Site, deployment: Deployment, waves: Waves, declared: Mapping[str, Declared], accounts: int
    ) -> None:
        self._site = site
        self._deployment = deployment
        self._client: AwsClient = site.own("cloudformation")
        self._declared = declared
        self._waves = waves
        self._accounts = accounts
        self._creating = waves.preferences(accounts, parallel=True)

    def do(self, plan: SetPlan, existing: StackSet | None) -> tuple[Result, ...]:
        """All of one plan.

        Returns:
            Where something failed, within the tolerance.

        Raises:
            OperationFailed: More accounts failed than the tolerance allows.
            Misconfigured: AWS refuses it.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        if plan.is_empty:
            return ()
        operations = Operations(
            client=self._client,
            name=plan.wanted.name,
            call_as=self._site.call_as,
            operator=self._deployment.operator,
            sleep=self._deployment.sleep,
        )
        failed: list[Result] = []
        if existing is None:
            self._create(plan.wanted)
        # What shall go goes first: an update that fails there must not keep it.
        failed += self._remove(plan, operations)
        if existing is not None and plan.changes:
            failed += self._update(plan, existing, operations)
        failed += self._extend(plan, operations)
        failed += self._mend(plan, operations)
        # Of the same place, what was tried last counts.
        return tuple({(one.account, one.region): one for one in failed}.values())

    def _create(self, wanted: Wanted) -> None:
        with calling(f"creating the stack set {wanted.name}"):
            self._client.create_stack_set(
                StackSetName=wanted.name,
                PermissionModel="SERVICE_MANAGED",
                CallAs=self._site.call_as,
                **self._definition(wanted, {}),
            )
        self._deployment.operator.tell(f"stack set {wanted.name}: created")

    def _update(self, plan: SetPlan, existing: StackSet, operations: Operations) -> tuple[Result, ...]:
        preferences = self._waves.preferences(self._accounts, parallel=self._waves.parallel_regions)
        return operations.run(
            "updating all instances",
            "update_stack_set",
            **self._definition(plan.wanted, existing.parameters),
            OperationPreferences=preferences,
        )

    def _remove(self, plan: SetPlan, operations: Operations) -> tuple[Result, ...]:
        if not plan.removed_regions:
            return ()
        return operations.run(
            f"removing {', '.join(plan.removed_regions)}",
            "delete_stack_instances",
            DeploymentTargets={"OrganizationalUnitIds": list(plan.old_units)},
            Regions=list(plan.removed_regions),
            RetainStacks=False,
            OperationPreferences=self._creating,
        )

    def _extend(self, plan: SetPlan, operations: Operations) -> list[Result]:
        failed: list[Result] = []
        old = [region for region in plan.regions if region not in plan.new_regions]
        for units, regions in ((plan.units, plan.new_regions), (plan.new_units, old)):
            if units and regions:
                failed += operations.run(
                    f"deploying to {', '.join(regions)}",
                    "create_stack_instances",
                    DeploymentTargets={"OrganizationalUnitIds": list(units)},
                    Regions=list(regions),
                    OperationPreferences=self._creating,
                )

        return failed

    def _mend(self, plan: SetPlan, operations: Operations) -> list[Result]:
        """Accounts that were left out; and those that failed before, unless an update has just tried them again.

        In this order: an update names accounts and regions, and each of its pairs needs an instance.
        """
        failed: list[Result] = []
        if plan.uncovered:
            failed += operations.run(
                "deploying to accounts that were left out",
                "create_stack_instances",
                DeploymentTargets=_targets(plan, set(plan.uncovered)),
                Regions=[region for region in plan.regions if region not in plan.new_regions],
                OperationPreferences=self._creating,
            )
        if plan.retried and not plan.changes:
            failed += operations.run(
                "trying again what failed before",
                "update_stack_instances",
                DeploymentTargets=_targets(plan, {instance.account for instance in plan.retried}),
                Regions=sorted({instance.region for instance in plan.retried}),
                OperationPreferences=self._creating,
            )
        return failed

    def _definition(self, wanted: Wanted, before: Mapping[str, str]) -> dict[str, Any]:
        """What CreateStackSet and UpdateStackSet have in common. The external id goes nowhere but here."""
        given = {**wanted.parameters, SECRET_PARAMETER: wanted.secret.get_secret_value()}
        kept = [key for key in self._declared if key not in given and key in before]
        auto: dict[str, Any] = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
        if wanted.depends_on is not None:
            first = stack_sets.describe(self._client, wanted.depends_on, self._site.call_as)
            auto["DependsOn"] = [first.arn] if first is not None else []
        return {
            "Description": wanted.description,
            "TemplateBody": wanted.template,
            "Parameters": [
                *({"ParameterKey": key, "ParameterValue": value} for key, value in sorted(given.items())),
                *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
            ],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "AutoDeployment": auto,
            "ManagedExecution": {"Active": True},
        }


def _targets(plan: SetPlan, accounts: set[str]) -> dict[str, Any]:
    units = {"OrganizationalUnitIds": list(plan.units)}
    if len(accounts) > MOST_NAMED:
        return units
    return {**units, "Accounts": sorted(accounts), "AccountFilterType": "INTERSECTION"}
