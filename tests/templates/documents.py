"""A template as cfn-guard's rules expect it: the long forms, and each parameter as its default.

The rules were written for what the CDK writes. cfn-guard reads `!GetAtt Key.Arn` as one string where they look for a
list, and knows no parameters: `RetentionInDays: !Ref LogRetentionDays` would be a finding whatever the default is.
"""

import re
from typing import Any

from tests.infra.template import template

_UNDER_ATTRIBUTE = re.compile(r"\$\{(?P<resource>\w+)\.(?P<attribute>\w+)\}(?P<rest>[^$]+)")


def document(name: str) -> dict[str, Any]:
    """A template of `infra/`, as plain JSON data."""
    read = template(name)
    parameters = read.get("Parameters", {}).items()
    defaults = {key: one["Default"] for key, one in parameters if one.get("Default", "") != ""}
    return {**read, "Resources": _long(read["Resources"], defaults)}


def _long(value: Any, defaults: dict[str, Any]) -> Any:  # noqa: ANN401  # plain data of any shape
    if isinstance(value, list):
        return [_long(item, defaults) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name} if name in defaults:
            return defaults[name]
        case {"Fn::GetAtt": str() as dotted}:
            return {"Fn::GetAtt": dotted.split(".", 1)}
        case {"Fn::Sub": str() as text} if under := _UNDER_ATTRIBUTE.fullmatch(text):
            attribute = {"Fn::GetAtt": [under["resource"], under["attribute"]]}
            return {"Fn::Join": ["", [attribute, under["rest"]]]}
    return {key: _long(item, defaults) for key, item in value.items()}
