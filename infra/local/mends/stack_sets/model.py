"""A StackSet, its instances and its operations."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends
from moto.core.utils import utcnow

from infra.local.mends.stacks.lifecycle import delete
from infra.local.mends.stacks.parameters import effective, shown
from infra.local.mends.stacks.template import Json


@dataclass(kw_only=True)
class Instance:
    """A stack of one account and region, or what is left of the attempt."""

    account: str
    region: str
    unit: str
    overrides: dict[str, str]
    stack_id: str = ""
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    operation: str = ""

    def fail(self, reason: str) -> None:
        """It could not be brought to what the StackSet says."""
        self.status, self.detailed, self.reason = "OUTDATED", "FAILED", reason

    def summary(self, stack_set_id: str) -> Json:
        """As ListStackInstances tells it."""
        return {
            "StackSetId": stack_set_id,
            "Region": self.region,
            "Account": self.account,
            "StackId": self.stack_id,
            "Status": self.status,
            "StatusReason": self.reason or None,
            "StackInstanceStatus": {"DetailedStatus": self.detailed},
            "OrganizationalUnitId": self.unit,
            "DriftStatus": "NOT_CHECKED",
            "LastOperationId": self.operation,
        }


@dataclass(kw_only=True)
class Operation:
    """What was done to some instances."""

    id: str
    action: str
    preferences: Json
    targets: Json
    retain: bool = False
    status: str = "RUNNING"
    reason: str = ""
    results: list[Json] = field(default_factory=list)
    created: datetime = field(default_factory=utcnow)
    ended: datetime | None = None

    def end(self, *, failed: str = "") -> None:
        """It is over."""
        self.status, self.reason, self.ended = "FAILED" if failed else "SUCCEEDED", failed, utcnow()

    def describe(self, stack_set_id: str) -> Json:
        """As DescribeStackSetOperation tells it."""
        return {
            "OperationId": self.id,
            "StackSetId": stack_set_id,
            "Action": self.action,
            "Status": self.status,
            "StatusReason": self.reason or None,
            "OperationPreferences": self.preferences,
            "DeploymentTargets": self.targets,
            "RetainStacks": self.retain,
            "CreationTimestamp": self.created,
            "EndTimestamp": self.ended,
            "StatusDetails": {"FailedStackInstancesCount": sum(one["Status"] == "FAILED" for one in self.results)},
        }


@dataclass(kw_only=True)
class StackSet:
    """A StackSet of the management account; moto's backend keeps it among its own."""

    id: str
    name: str
    account: str
    region: str
    template: str
    parameters: dict[str, str]
    description: str | None
    capabilities: list[str]
    tags: dict[str, str]
    auto_deployment: Json
    managed_execution: bool
    status: str = "ACTIVE"
    instances: list[Instance] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    targets: dict[str, set[str]] = field(default_factory=dict)
    """Unit -> regions: what accounts that join the unit get."""

    @property
    def parsed(self) -> Json:
        """The template, read."""
        return Stack.parse_template(self.template)

    def describe(self) -> Json:
        """As DescribeStackSet tells it."""
        return {
            **self.summary(),
            "StackSetARN": f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}",
            "TemplateBody": self.template,
            "Parameters": shown(self.parsed, self.parameters),
            "Capabilities": self.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "OrganizationalUnitIds": sorted(self.targets),
            "Regions": sorted({region for regions in self.targets.values() for region in regions}),
        }

    def summary(self) -> Json:
        """As ListStackSets tells it."""
        return {
            "StackSetName": self.name,
            "StackSetId": self.id,
            "Description": self.description,
            "Status": self.status,
            "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": self.auto_deployment,
            "ManagedExecution": {"Active": self.managed_execution},
            "DriftStatus": "NOT_CHECKED",
        }

    def instance(self, account: str, region: str) -> Instance | None:
        """The instance of this account and region, if there is one."""
        found = (one for one in self.instances if (one.account, one.region) == (account, region))
        return next(found, None)

    def parameters_of(self, instance: Instance) -> dict[str, str]:
        """What its stack gets."""
        return {**self.parameters, **instance.overrides}

    def bring_up(self, instance: Instance) -> None:
        """Create or update the stack of an instance, and note what came of it."""
        backend = cloudformation_backends[instance.account][instance.region]
        parameters = self.parameters_of(instance)
        stack = backend.stacks.get(instance.stack_id)
        try:
            if stack is not None and stack.status == "ROLLBACK_COMPLETE":
                # StackSets makes such a stack anew.
                delete(backend, stack.stack_id)
                stack = None
            if stack is None:
                name = f"StackSet-{self.name}-{uuid.uuid4()}"
                stack = backend.create_stack(name=name, template=self.template, parameters=parameters, tags=self.tags)
                instance.stack_id = stack.stack_id
            else:
                effective(self.parsed, parameters)
                stack.update(self.template, parameters=parameters, tags=self.tags)
        except Exception as error:  # noqa: BLE001  # whatever the service says is the instance's reason
            instance.fail(str(getattr(error, "message", error)))
            return
        if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            instance.status, instance.detailed, instance.reason = "CURRENT", "SUCCEEDED", ""
        else:
            instance.fail(first_reason(stack))

    def take_down(self, instance: Instance, *, retain: bool) -> bool:
        """Delete the stack of an instance, or let go of it; whether the instance is gone."""
        backend = cloudformation_backends[instance.account][instance.region]
        if not retain and instance.stack_id in backend.stacks:
            delete(backend, instance.stack_id)
            if instance.stack_id in backend.stacks:
                instance.fail(first_reason(backend.stacks[instance.stack_id]))
                instance.status = "INOPERABLE"
                return False
        self.instances.remove(instance)
        return True


def kept(backend: CloudFormationBackend) -> dict[str, StackSet]:
    """The StackSets of a backend: where moto keeps its own, so that they are forgotten with all else."""
    own: Any = backend.stacksets
    stack_sets: dict[str, StackSet] = own
    return stack_sets


def first_reason(stack: Stack) -> str:
    """Why a stack failed, as its events tell."""
    failed = (one for one in stack.events if one.resource_status.endswith("_FAILED") and one.resource_status_reason)
    first = next(failed, None)
    if first is None:
        return f"Stack {stack.stack_id} ended as {stack.status}"
    return (
        f"ResourceLogicalId:{first.logical_resource_id}, ResourceType:{first.resource_type}, "
        f"ResourceStatusReason:{first.resource_status_reason}."
    )


def in_regions(regions: Sequence[str], preferences: Mapping[str, Any]) -> list[str]:
    """The regions in the order of the preferences, then the others in the order of the call."""
    order = [region for region in preferences.get("RegionOrder", []) if region in regions]
    return order + [region for region in regions if region not in order]
