"""A template's resources: which of them a stack has, and in which order they come."""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError

Json = dict[str, Any]

NO_VALUE: Final = object()
"""What `!Ref AWS::NoValue` stands for: nothing, in a list too."""

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9:]+)(?:\.[^}]*)?\}")


def active(template: Mapping[str, Any], conditions: Mapping[str, bool]) -> dict[str, Json]:
    """The resources whose condition holds, with every `Fn::If` decided."""
    return {
        name: decided(resource, conditions)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or conditions[resource["Condition"]]
    }


def decided(value: Any, conditions: Mapping[str, bool]) -> Any:  # noqa: ANN401  # JSON in, JSON out
    """The value with every `Fn::If` decided; `AWS::NoValue` takes its key or its place in a list away."""
    if isinstance(value, list):
        return [one for one in (decided(each, conditions) for each in value) if one is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, then, otherwise = value["Fn::If"]
        if condition not in conditions:
            raise ValidationError(message=f"Template error: unresolved condition dependency {condition} in Fn::If")
        return decided(then if conditions[condition] else otherwise, conditions)
    if value == {"Ref": "AWS::NoValue"}:
        return NO_VALUE
    items = ((key, decided(each, conditions)) for key, each in value.items())
    return {key: each for key, each in items if each is not NO_VALUE}


def in_order(resources: Mapping[str, Json], known: Mapping[str, Any]) -> list[str]:
    """The names of the resources, each after those that it refers to or depends on.

    Args:
        resources: Of the template, conditions decided.
        known: What else may be referred to: parameters, mappings, pseudo parameters.

    Raises:
        ValidationError: Something refers to what is not there, or to itself in the end.
    """
    graph: dict[str, list[str]] = {}
    for name, resource in resources.items():
        graph[name] = []
        for other in references(resource):
            if other in resources:
                graph[name].append(other)
            elif other not in known:
                raise ValidationError(
                    message=f"Template format error: Unresolved resource dependencies [{other}] in the Resources "
                    "block of the template"
                )
        depends_on = resource.get("DependsOn", [])
        # A resource that a condition leaves out may be depended on.
        names = [depends_on] if isinstance(depends_on, str) else depends_on
        graph[name] += [other for other in names if other in resources]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = ", ".join(sorted(set(error.args[1])))
        raise ValidationError(message=f"Circular dependency between resources: [{cycle}]") from error


def references(value: object) -> Iterator[str]:
    """The names that `Ref`, `Fn::GetAtt` and `Fn::Sub` speak of, in the order of the text."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "Ref" and isinstance(each, str):
                yield each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.partition(".")[0]
            elif key == "Fn::Sub":
                yield from _substituted(each)
            else:
                yield from references(each)


def _substituted(argument: object) -> Iterator[str]:
    text, own = argument if isinstance(argument, list) else (argument, {})
    yield from (name for name in _SUBSTITUTED.findall(text) if name not in own)
    yield from references(own)
