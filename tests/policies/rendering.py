"""A template as CloudFormation would deploy it: parameters given, conditions decided, functions resolved.

Only what our templates use is known here; anything else raises, so that a policy is never evaluated half resolved.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from ipaddress import ip_network
from itertools import islice
from typing import Any

from tests.infra.template import template
from tests.policies.evaluator import Policy
from tests.policies.physical import Named, Physical, Stack, physical

Node = Any
"""A piece of a template: what YAML makes of it."""

_NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(?P<literal>!)?(?P<name>[\w:.]+)\}")


@dataclass(frozen=True)
class Rendered:
    """One template, deployed in thought."""

    source: Mapping[str, Any]
    stack: Stack
    given: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Every parameter's value; a list where its type is one."""
        declared: Mapping[str, Mapping[str, Any]] = self.source["Parameters"]
        unknown = set(self.given) - set(declared)
        if unknown:
            raise KeyError(f"no such parameter: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {}
        for name, parameter in declared.items():
            value = str(self.given[name] if name in self.given else parameter["Default"])
            pattern = parameter.get("AllowedPattern")
            if pattern is not None and re.search(pattern, value) is None:
                raise ValueError(f"{name} may not be {value!r}")
            if value not in map(str, parameter.get("AllowedValues", [value])):
                raise ValueError(f"{name} may not be {value!r}")
            is_list = parameter["Type"] == "CommaDelimitedList" or parameter["Type"].startswith("List<")
            values[name] = [part.strip() for part in value.split(",")] if is_list else value
        return values

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """What is created: logical name -> resource, everything in it resolved."""
        created = {}
        for name, resource in self.source["Resources"].items():
            if "Condition" not in resource or self.holds(resource["Condition"]):
                created[name] = {
                    "Type": resource["Type"],
                    "Properties": self.resolved(resource.get("Properties", {})),
                }
        return created

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """Name -> value."""
        return {
            name: self.resolved(output["Value"])
            for name, output in self.source.get("Outputs", {}).items()
            if "Condition" not in output or self.holds(output["Condition"])
        }

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template does."""
        return bool(self.resolved(self.source["Conditions"][condition]))

    def ref(self, name: str) -> Node:
        """What `!Ref` gives."""
        if name in self.parameters:
            return self.parameters[name]
        if name.startswith("AWS::"):
            return _NO_VALUE if name == "AWS::NoValue" else self.stack.pseudo(name)
        return self._physical(name)[0]

    def arn(self, name: str) -> str:
        """What `!GetAtt <name>.Arn` gives."""
        return str(self._physical(name)[1]["Arn"])

    def trust(self, role: str) -> Policy:
        """Who may assume a role."""
        document: Policy = self.resources[role]["Properties"]["AssumeRolePolicyDocument"]
        return document

    def identity(self, role: str) -> tuple[Policy, ...]:
        """All that a role may do: its own policies and those attached to it from elsewhere in the template."""
        properties = self.resources[role]["Properties"]
        policies = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for resource in self.resources.values():
            attached = resource["Properties"]
            if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
                if self.ref(role) in attached.get("Roles", []):
                    policies.append(attached["PolicyDocument"])
            elif resource["Type"] == "AWS::IAM::RolePolicy" and attached["RoleName"] == self.ref(role):
                policies.append(attached["PolicyDocument"])
        if properties.get("ManagedPolicyArns"):
            raise ValueError(f"{role} has AWS's own policies, whose text is not here")
        return tuple(policies)

    def policy(self, resource: str) -> Policy:
        """The policy of a key, a bus, a queue, a bucket, a topic: of a resource by its own logical name."""
        found: list[Policy] = []
        reference = self.ref(resource)
        for one in self.resources.values():
            properties = one["Properties"]
            match one["Type"]:
                case "AWS::SQS::QueuePolicy" if reference in properties["Queues"]:
                    found.append(properties["PolicyDocument"])
                case "AWS::SNS::TopicPolicy" if reference in properties["Topics"]:
                    found.append(properties["PolicyDocument"])
                case "AWS::S3::BucketPolicy" if reference == properties["Bucket"]:
                    found.append(properties["PolicyDocument"])
                case "AWS::SecretsManager::ResourcePolicy" if reference == properties["SecretId"]:
                    found.append(properties["ResourcePolicy"])
                case "AWS::Events::EventBusPolicy" if reference == properties["EventBusName"]:
                    statement = {"Sid": properties["StatementId"], **properties["Statement"]}
                    found.append({"Version": "2012-10-17", "Statement": [statement]})
        own = self.resources[resource]["Properties"]
        found += [own[name] for name in ("KeyPolicy", "RepositoryPolicyText", "ResourcePolicy") if name in own]
        if not found:
            raise KeyError(f"{resource} has no policy")
        return {
            "Version": "2012-10-17",
            "Statement": [statement for document in found for statement in document["Statement"]],
        }

    def resolved(self, value: Node) -> Node:
        """The same with every intrinsic function replaced by what it gives."""
        if isinstance(value, list):
            return [one for one in map(self.resolved, value) if one is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in {"Ref", "Condition"} and isinstance(argument, str):
                return self.ref(argument) if name == "Ref" else self.holds(argument)
            if name.startswith("Fn::"):
                return self._functions[name](argument)
        entries = {key: self.resolved(one) for key, one in value.items()}
        return {key: one for key, one in entries.items() if one is not _NO_VALUE}

    @cached_property
    def _functions(self) -> dict[str, Callable[[Node], Node]]:
        def both(argument: Node) -> tuple[Node, Node]:
            first, second = argument
            return self.resolved(first), self.resolved(second)

        def choose(argument: Node) -> Node:
            condition, met, otherwise = argument
            return self.resolved(met if self.holds(condition) else otherwise)

        def attribute(argument: Node) -> Node:
            name, _, key = (argument if isinstance(argument, str) else ".".join(argument)).partition(".")
            return self._physical(name)[1][key]

        def joined(argument: Node) -> str:
            separator, parts = both(argument)
            return str(separator).join(map(str, parts))

        def equal(argument: Node) -> bool:
            first, second = both(argument)
            return str(first) == str(second)

        def found(argument: Node) -> Node:
            mapping, *keys = map(self.resolved, argument)
            value = self.source["Mappings"][mapping]
            for key in keys:
                value = value[key]
            return value

        def blocks(argument: Node) -> list[str]:
            network, count, bits = map(self.resolved, argument)
            subnets = ip_network(network).subnets(new_prefix=32 - int(bits))
            return [str(subnet) for subnet in islice(subnets, int(count))]

        return {
            "Fn::If": choose,
            "Fn::GetAtt": attribute,
            "Fn::Sub": self._substituted,
            "Fn::Join": joined,
            "Fn::Equals": equal,
            "Fn::Not": lambda argument: not self.resolved(argument)[0],
            "Fn::And": lambda argument: all(self.resolved(argument)),
            "Fn::Or": lambda argument: any(self.resolved(argument)),
            "Fn::Split": lambda argument: both(argument)[1].split(both(argument)[0]),
            "Fn::Select": lambda argument: both(argument)[1][int(both(argument)[0])],
            "Fn::FindInMap": found,
            "Fn::GetAZs": lambda argument: [f"{self.resolved(argument) or self.stack.region}{zone}" for zone in "abc"],
            "Fn::Cidr": blocks,
        }

    def _substituted(self, argument: Node) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match["name"]
            if match["literal"]:
                return "${" + name + "}"
            if name in own:
                return str(self.resolved(own[name]))
            return str(self._functions["Fn::GetAtt"](name) if "." in name else self.ref(name))

        return _PLACEHOLDER.sub(value, text)

    def _physical(self, name: str) -> Physical:
        resource = self.source["Resources"][name]
        if "Condition" in resource and not self.holds(resource["Condition"]):
            raise KeyError(f"{name} is not created, yet something refers to it")
        properties = resource.get("Properties", {})

        def value(key: str) -> Node:
            given = self.resolved(properties.get(key))
            return None if given is _NO_VALUE else given

        return physical(resource["Type"], Named(self.stack, name, value))


def rendered(
    name: str,
    *,
    account: str,
    region: str = "eu-central-1",
    partition: str = "aws",
    stack: str | None = None,
    **parameters: str,
) -> Rendered:
    """A template of `infra/`, deployed in thought.

    Args:
        name: Its file's, such as `hub.yaml`.
        account: Where it is deployed.
        region: Same.
        partition: The region's.
        stack: The stack's name; by default that of the roll-out.
        parameters: Those without a default at least.

    Raises:
        KeyError: A parameter is missing or unknown.
        ValueError: A parameter's value is not allowed.
    """
    place = Stack(
        account=account, region=region, partition=partition, name=stack or f"scanhub-{name.removesuffix('.yaml')}"
    )
    return Rendered(_parsed(name), place, parameters)


@cache
def _parsed(name: str) -> Mapping[str, Any]:
    """Reading YAML takes longer than all the rest."""
    return template(name)
