"""A template's functions, conditions and rules.

moto 5.2.5 knows no `Fn::Cidr` and no rules (assertions on parameters), takes `Fn::GetAZs` without a region for
us-east-1 and with a `Ref` for nothing, leaves an empty place in a list for `AWS::NoValue`, and takes the number 0 for
another value than the text `0` in `Fn::Equals` and `Fn::FindInMap`. It keeps no trace of what a resource's properties
were, by which an update could tell whether they have changed: here they are kept, as they were handed to the service.
"""

import copy
import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.parsing import ResourceMap
from moto.ec2.models import ec2_backends

from infra.local.mends.replacement import replaced
from infra.local.mends.stacks.template import Json, decided

_KEPT = "properties_as_applied"


def applied(resources: ResourceMap) -> dict[str, Json]:
    """The resources that exist: logical id -> properties, as they were handed to the service."""
    kept: dict[str, Json] = vars(resources).setdefault(_KEPT, {})
    return kept


def resolved(resource: Json, resources: ResourceMap) -> Json:
    """The properties of one resource, with every function worked out."""
    properties: Json = parsing.clean_json(decided(resource, _conditions(resources)), resources).get("Properties", {})
    return properties


@contextmanager
def mended() -> Iterator[None]:
    """Functions and conditions give what they give on AWS."""
    original_clean = parsing.clean_json
    original_parse = parsing.parse_resource_and_generate_name

    def clean_json(value: Any, resources: ResourceMap) -> Any:  # noqa: ANN401  # JSON in, JSON out
        if isinstance(value, dict) and "Fn::GetAZs" in value:
            return _zones(clean_json(value["Fn::GetAZs"], resources), resources)
        if isinstance(value, dict) and "Fn::Cidr" in value:
            return _blocks(*clean_json(value["Fn::Cidr"], resources))
        if isinstance(value, dict) and "Fn::FindInMap" in value:
            return _looked_up(clean_json(value["Fn::FindInMap"], resources), resources)
        return original_clean(value, resources)

    def parse(logical_id: str, resource: Json, resources: ResourceMap) -> Any:  # noqa: ANN401  # moto's own tuple
        parsed = original_parse(logical_id, decided(resource, _conditions(resources)), resources)
        if parsed is not None:
            # A copy: some of moto's models change what they are handed.
            applied(resources)[logical_id] = copy.deepcopy(parsed[1].get("Properties", {}))
        return parsed

    with ExitStack() as mends:
        mends.enter_context(replaced(parsing, "clean_json", clean_json))
        mends.enter_context(replaced(parsing, "parse_resource_and_generate_name", parse))
        mends.enter_context(replaced(parsing, "parse_condition", _holds))
        yield


def _conditions(resources: ResourceMap) -> dict[str, bool]:
    return resources.lazy_condition_map


def _holds(condition: Any, resources: ResourceMap, conditions: dict[str, bool]) -> bool:  # noqa: ANN401  # JSON
    if isinstance(condition, bool):
        return condition
    ((operator, operands),) = condition.items()
    if operator in {"Condition", "Fn::Condition"}:
        return bool(conditions[operands])
    if operator == "Fn::Equals":
        left, right = (_text(parsing.clean_json(each, resources)) for each in operands)
        return left == right
    if operator == "Fn::Contains":
        many, one = (parsing.clean_json(each, resources) for each in operands)
        return _text(one) in map(_text, many)
    each = [_holds(operand, resources, conditions) for operand in operands]
    return {"Fn::And": all(each), "Fn::Or": any(each), "Fn::Not": not each[0]}[operator]


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, list) else str(value)


def asserted(template: Json, resources: ResourceMap) -> None:
    """Raise ValidationError where an assertion of the template's rules does not hold; moto passes them over."""
    for name, rule in template.get("Rules", {}).items():
        if not _holds(rule.get("RuleCondition", True), resources, {}):
            continue
        for one in rule["Assertions"]:
            if not _holds(one["Assert"], resources, {}):
                said = one.get("AssertDescription", f"Assertion of the rule {name}")
                raise ValidationError(message=f"Template error: Rule {name} failed: {said}")


def _looked_up(path: list[Any], resources: ResourceMap) -> Any:  # noqa: ANN401  # JSON
    found: Any = resources._template.get("Mappings", {})  # noqa: SLF001  # moto's own
    for key in path:
        if str(key) not in found:
            names = ", ".join(map(str, path))
            raise ValidationError(message=f"Template error: Unable to get mapping for {names}")
        found = found[str(key)]
    return found


def _zones(region: str, resources: ResourceMap) -> list[str]:
    backend = ec2_backends[resources._account_id][region or resources._region_name]  # noqa: SLF001  # moto's own
    return sorted(zone.name for zone in backend.describe_availability_zones())


def _blocks(whole: str, count: int | str, bits: int | str = 8) -> list[str]:
    subnets = ipaddress.ip_network(whole).subnets(new_prefix=32 - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]
