"""Our CloudFormation templates as plain data."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).parents[2] / "infra"


class _Loader(yaml.SafeLoader):
    """Reads the short forms (`!Ref`, `!Sub`) as the long ones."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


@cache
def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(text(name), Loader=_Loader)  # noqa: S506  # a SafeLoader
    return read


def template(name: str) -> dict[str, Any]:
    """A template of `infra/`."""
    return deepcopy(_read(name))


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


def as_list(value: object) -> list[Any]:
    """IAM allows one value where a list may stand."""
    return value if isinstance(value, list) else [value]
