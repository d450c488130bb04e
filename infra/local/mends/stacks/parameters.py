"""A stack's parameters.

moto 5.2.5 takes any value, whatever the template allows; reads defaults as they stand, so that a list's default is a
text; and compares the values, not the names, with those that are not to be shown, so that they are shown.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap

from infra.local.mends.replacement import replaced

HIDDEN = "****"
"""What is shown of a parameter with `NoEcho`."""


@contextmanager
def mended() -> Iterator[None]:
    """Parameters are checked, typed and hidden as on AWS."""
    with ExitStack() as mends:
        mends.enter_context(replaced(ResourceMap, "load_parameters", _load))
        mends.enter_context(replaced(Stack, "parameter_list", property(_list)))
        yield


def effective(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The text of every parameter of the template: what was given, else its default.

    Raises:
        ValidationError: One is missing, unknown or not allowed.
    """
    slots = template.get("Parameters", {})
    if unknown := sorted(set(given) - set(slots)):
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: _as_text(slot["Default"]) for name, slot in slots.items() if "Default" in slot} | dict(given)
    if missing := [name for name in slots if name not in values]:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in values.items():
        _check(name, slots[name], value)
    return values


def shown(template: Mapping[str, Any], values: Mapping[str, str]) -> list[dict[str, str]]:
    """The parameters in the form of the API, secrets hidden."""
    slots = template.get("Parameters", {})
    return [
        {"ParameterKey": name, "ParameterValue": HIDDEN if _is_hidden(slots[name]) else value}
        for name, value in effective(template, values).items()
    ]


def _list(stack: Stack) -> list[dict[str, str]]:
    return shown(stack.template_dict, stack.parameters)


def _load(resources: ResourceMap) -> None:
    template = resources._template  # noqa: SLF001  # moto's own
    slots = template.get("Parameters", {})
    values = effective(template, resources.input_parameters) if template else {}
    resources.no_echo_parameter_keys = [name for name, slot in slots.items() if _is_hidden(slot)]
    resources.resolved_parameters = {name: _typed(slots[name]["Type"], value) for name, value in values.items()}
    resources._parsed_resources.update(resources.resolved_parameters)  # noqa: SLF001  # moto's own


def _typed(kind: str, value: str) -> object:
    if kind == "Number":
        return int(value) if re.fullmatch(r"[+-]?\d+", value) else float(value)
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in value.split(",")]
    return value


def _check(name: str, slot: Mapping[str, Any], value: str) -> None:
    kind = slot["Type"]
    if "AllowedValues" in slot and value not in map(_as_text, slot["AllowedValues"]):
        allowed = ", ".join(map(_as_text, slot["AllowedValues"]))
        raise ValidationError(message=f"Parameter '{name}' must be one of AllowedValues [{allowed}]")
    if not int(slot.get("MinLength", 0)) <= len(value) <= int(slot.get("MaxLength", 4096)):
        raise ValidationError(message=f"Parameter '{name}' has a length that is not allowed")
    if kind == "Number":
        _check_number(name, slot, value)
    if "AllowedPattern" in slot:
        parts = value.split(",") if kind == "CommaDelimitedList" else [value]
        if not all(re.fullmatch(slot["AllowedPattern"], part.strip()) for part in parts):
            fault = slot.get("ConstraintDescription", f"must match pattern {slot['AllowedPattern']}")
            raise ValidationError(message=f"Parameter {name} failed to satisfy constraint: {fault}")


def _check_number(name: str, slot: Mapping[str, Any], value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise ValidationError(message=f"Parameter '{name}' must be a number.") from None
    if "MinValue" in slot and number < float(slot["MinValue"]):
        raise ValidationError(message=f"Parameter '{name}' must be a number not less than {slot['MinValue']}")
    if "MaxValue" in slot and number > float(slot["MaxValue"]):
        raise ValidationError(message=f"Parameter '{name}' must be a number not greater than {slot['MaxValue']}")


def _is_hidden(slot: Mapping[str, Any]) -> bool:
    return str(slot.get("NoEcho", False)).lower() == "true"


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
