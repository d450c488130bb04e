"""Our CloudFormation templates as plain data."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parents[1]


class _Loader(yaml.SafeLoader):
    """Reads the short forms (`!Ref`, `!Sub`) as the long ones."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = node.value
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def names() -> tuple[str, ...]:
    """The file names of the templates in `infra/`, sorted."""
    return tuple(sorted(path.name for path in INFRA.glob("*.yaml")))


@cache
def read(name: str) -> Mapping[str, Any]:
    """A template of `infra/`: `Parameters`, `Conditions`, `Resources`, `Outputs`. Read once: nobody may change it."""
    template: Mapping[str, Any] = yaml.load((INFRA / name).read_text("utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    return template


def as_list(value: object) -> list[Any]:
    """IAM allows one value where a list may stand."""
    return value if isinstance(value, list) else [value]
