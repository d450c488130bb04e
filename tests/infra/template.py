"""Our CloudFormation templates as plain data."""

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


def template(name: str) -> dict[str, Any]:
    """A template of `infra/`."""
    read: dict[str, Any] = yaml.load((INFRA / name).read_text("utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    return read


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


def as_list(value: object) -> list[Any]:
    """IAM allows one value where a list may stand."""
    return value if isinstance(value, list) else [value]
