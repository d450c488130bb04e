"""Our CloudFormation templates as plain data."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from infra.permissions.templates import INFRA, as_list, read

__all__ = ["INFRA", "actions", "as_list", "of_type", "pattern", "placed", "roles", "statements", "template", "text"]


def template(name: str) -> dict[str, Any]:
    """A template of `infra/`, to be changed at will."""
    return deepcopy(dict(read(name)))


def roles(name: str) -> dict[str, dict[str, Any]]:
    """The roles of a template: logical name -> properties."""
    resources = template(name)["Resources"].items()
    return {key: one["Properties"] for key, one in resources if one["Type"] == "AWS::IAM::Role"}


def statements(name: str, role: str) -> list[dict[str, Any]]:
    """All statements of a role's permissions, those of policies attached to it included."""
    resources = template(name)["Resources"]
    policies = [policy["PolicyDocument"] for policy in resources[role]["Properties"]["Policies"]]
    attached = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::Policy"]
    policies += [policy["PolicyDocument"] for policy in attached if {"Ref": role} in policy["Roles"]]
    return [statement for policy in policies for statement in policy["Statement"]]


def of_type(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type: logical name -> properties."""
    resources = template(name)["Resources"].items()
    return {key: one["Properties"] for key, one in resources if one["Type"] == kind}


def pattern(name: str) -> dict[str, Any]:
    """The event pattern of a template's one rule."""
    (rule,) = of_type(name, "AWS::Events::Rule").values()
    event_pattern: dict[str, Any] = rule["EventPattern"]
    return event_pattern


def actions(name: str, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each action that a role is allowed, with the statement that allows it."""
    for statement in statements(name, role):
        for action in as_list(statement["Action"]):
            yield action, statement


def placed(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type as they stand there: logical name -> condition, policies, properties."""
    return {key: one for key, one in template(name)["Resources"].items() if one["Type"] == kind}


def text(name: str) -> str:
    """A template as it is written."""
    return (INFRA / name).read_text("utf-8")
