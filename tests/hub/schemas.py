"""The published schemas, as the tests hold what is written to them."""

import json
from importlib.resources import files
from typing import Any


def published(name: str) -> dict[str, Any]:
    """`finding`, `package`, `manifest` or `sweep`, as package data."""
    loaded: dict[str, Any] = json.loads(files("hub.schemas").joinpath(f"{name}.schema.json").read_text("utf-8"))
    return loaded


def closed(name: str) -> dict[str, Any]:
    """The same, but without room for fields that it does not know."""
    schema = published(name)
    waiting: list[Any] = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "additionalProperties" in value:
                value["additionalProperties"] = False
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return schema
