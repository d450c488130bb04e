"""What an operation does to the instances, in which order, and when it gives up."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import Any

from infra.local.mends.stack_sets.model import Instance, Operation, StackSet, in_regions
from infra.local.mends.stacks.template import Json

Places = Sequence[Instance]


def begun(
    stack_set: StackSet, action: str, preferences: Json, targets: Json, *, id_: str | None = None, retain: bool = False
) -> Operation:
    """A new operation of the StackSet."""
    operation = Operation(
        id=id_ or str(uuid.uuid4()), action=action, preferences=preferences, targets=targets, retain=retain
    )
    stack_set.operations.insert(0, operation)
    return operation


def deploy(stack_set: StackSet, operation: Operation, instances: Places) -> None:
    """Bring the stacks of these instances up."""

    def bring_up(instance: Instance) -> bool:
        stack_set.bring_up(instance)
        return instance.status == "CURRENT"

    _perform(operation, instances, bring_up)


def withdraw(stack_set: StackSet, operation: Operation, instances: Places) -> None:
    """Delete the stacks of these instances, or let go of them."""

    def take_down(instance: Instance) -> bool:
        return stack_set.take_down(instance, retain=operation.retain)

    _perform(operation, instances, take_down)


def _perform(operation: Operation, instances: Places, act: Callable[[Instance], bool]) -> None:
    """Region by region; one with more failures than are tolerated ends the operation, and the rest is not tried."""
    gave_up = False
    regions = list(dict.fromkeys(instance.region for instance in instances))
    for region in in_regions(regions, operation.preferences):
        here = [instance for instance in instances if instance.region == region]
        failures = 0
        for instance in here:
            instance.operation = operation.id
            if gave_up:
                instance.detailed = "CANCELLED"
                instance.reason = "Cancelled since failure tolerance has exceeded"
                operation.results.append(_result(instance, "CANCELLED"))
                continue
            done = act(instance)
            failures += not done
            operation.results.append(_result(instance, "SUCCEEDED" if done else "FAILED"))
            gave_up = failures > _tolerated(operation.preferences, len(here))
    operation.end(failed="The failure tolerance was exceeded" if gave_up else "")


def _tolerated(preferences: Mapping[str, Any], number: int) -> int:
    if "FailureTolerancePercentage" in preferences:
        return floor(number * int(preferences["FailureTolerancePercentage"]) / 100)
    return int(preferences.get("FailureToleranceCount", 0))


def _result(instance: Instance, status: str) -> Json:
    return {
        "Account": instance.account,
        "Region": instance.region,
        "Status": status,
        "StatusReason": instance.reason or None,
        "OrganizationalUnitId": instance.unit,
        "AccountGateResult": {"Status": "SKIPPED", "StatusReason": "There is no account gate"},
    }
