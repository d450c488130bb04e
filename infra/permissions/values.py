"""CloudFormation's values as a reader of a document understands them: `!Sub`'s own notation, choices spelled out."""

import json
from collections.abc import Iterator
from typing import Any

from infra.permissions.templates import as_list

_NOTHING = {"Ref": "AWS::NoValue"}
Guards = tuple[str, ...]
"""Conditions of the template that all must hold: `EnablesTagging`, or `not EnablesTagging`."""


def choices(value: object, guards: Guards = ()) -> Iterator[tuple[Any, Guards]]:
    """What a value may be, with the conditions of the template under which it is; lists are taken apart.

    `!If [EnablesTagging, {...}, !Ref AWS::NoValue]` is one choice, guarded by `EnablesTagging`.
    """
    for one in as_list(value):
        if isinstance(one, dict) and set(one) == {"Fn::If"}:
            condition, then, otherwise = one["Fn::If"]
            yield from choices(then, (*guards, condition))
            yield from choices(otherwise, (*guards, f"not {condition}"))
        elif one != _NOTHING:
            yield one, guards


def text(value: object) -> str:
    """One value in the notation of `Fn::Sub`: `${Ledger.Arn}`, `${AWS::AccountId}`.

    Raises:
        ValueError: A function of CloudFormation that the document cannot show.
    """
    match value:
        case bool() | int():
            return json.dumps(value)
        case str(literal) | {"Fn::Sub": str(literal)}:
            return literal
        case {"Ref": str(name)} | {"Fn::GetAtt": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Join": [str(glue), list(parts)]}:
            return glue.join(text(part) for part in parts)
    raise ValueError(f"the document has no words for {json.dumps(value)}")
