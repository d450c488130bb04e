"""Every statement of every policy in our templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.permissions import templates
from infra.permissions.values import Guards, choices, text


class Kind(StrEnum):
    """What a policy hangs on."""

    TRUST = "trust"
    """A role: who may assume it."""
    GRANT = "grant"
    """A role: what it may do."""
    RESOURCE = "resource"
    """A queue, a key, a bucket, ...: who may do what with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement, its values as the document writes them (`infra.permissions.values.text`).

    Attributes:
        template: `hub.yaml`.
        holder: The logical id of the resource that the policy stands in.
        kind: What it hangs on.
        sid: Its `Sid`; without one, its kind and number: `trust 1`.
        guards: Conditions of the template under which it is there.
        effect: `Allow` or `Deny`.
        principals: Who; empty for what a role may do.
        actions: With the conditions of the template under which each stands there.
        resources: On what, likewise; empty in a trust policy.
        conditions: `operator`, `key`, and the values with their guards.
    """

    template: str
    holder: str
    kind: Kind
    sid: str
    guards: Guards
    effect: str
    principals: tuple[str, ...]
    actions: tuple[tuple[str, Guards], ...]
    resources: tuple[tuple[str, Guards], ...]
    conditions: tuple[tuple[str, str, tuple[tuple[str, Guards], ...]], ...]

    @property
    def place(self) -> str:
        """How `reasons.toml` names it."""
        return f"{self.template} {self.holder} {self.sid}"


def statements(names: tuple[str, ...] | None = None) -> Iterator[Statement]:
    """All statements of these templates (of all in `infra/`), in their order.

    Raises:
        ValueError: A policy that would not show: a managed one, `NotAction`, `NotResource` or `NotPrincipal`.
    """
    for name in names if names is not None else templates.names():
        yield from statements_of(name, templates.read(name))


def statements_of(name: str, template: Mapping[str, Any]) -> Iterator[Statement]:
    """All statements of one template, in their order; as `statements`."""
    for holder, resource in template["Resources"].items():
        guards = (resource["Condition"],) if "Condition" in resource else ()
        properties = resource.get("Properties", {})
        if properties.get("ManagedPolicyArns"):
            raise ValueError(f"{name} {holder}: a managed policy's statements do not stand in the template")
        numbers: dict[Kind, int] = {}
        for kind, found, more in _found(properties, _kind(resource["Type"]), guards):
            numbers[kind] = number = numbers.get(kind, 0) + 1
            # An event bus's policy has its name beside the statement.
            sid = found.get("Sid") or properties.get("StatementId") or f"{kind} {number}"
            yield _statement(found, template=name, holder=holder, kind=kind, sid=sid, guards=more)


def _kind(resource_type: str) -> Kind:
    return Kind.GRANT if resource_type.startswith("AWS::IAM::") else Kind.RESOURCE


def _found(value: object, kind: Kind, guards: Guards) -> Iterator[tuple[Kind, Mapping[str, Any], Guards]]:
    """The statements in a resource's properties, wherever its type keeps them."""
    for one, more in choices(value, guards):
        if not isinstance(one, dict):
            continue
        for key, inner in one.items():
            if key == "Statement":
                for statement, most in choices(inner, more):
                    yield kind, statement, most
            else:
                yield from _found(inner, Kind.TRUST if key == "AssumeRolePolicyDocument" else kind, more)


def _statement(
    found: Mapping[str, Any], *, template: str, holder: str, kind: Kind, sid: str, guards: Guards
) -> Statement:
    hidden = {"NotAction", "NotResource", "NotPrincipal"} & set(found)
    if hidden:
        raise ValueError(f"{template} {holder} {sid}: {', '.join(sorted(hidden))} allows what nobody has named")
    return Statement(
        template=template,
        holder=holder,
        kind=kind,
        sid=sid,
        guards=guards,
        effect=found["Effect"],
        principals=_principals(found.get("Principal")),
        actions=_texts(found["Action"]),
        resources=_texts(found.get("Resource", [])),
        conditions=tuple(
            (operator, key, _texts(values))
            for operator, tests in found.get("Condition", {}).items()
            for key, values in tests.items()
        ),
    )


def _texts(value: object) -> tuple[tuple[str, Guards], ...]:
    return tuple((text(one), guards) for one, guards in choices(value))


def _principals(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        return tuple(text(one) for who in value.values() for one, _ in choices(who))
    return () if value is None else (text(value),)
