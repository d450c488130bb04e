"""A resource policy, asked whether it lets an AWS service do what it must.

Not an evaluator of all of IAM: it knows what the hub's policies hold, and reads whatever else as no permission and no
refusal. So a policy that somebody has made cleverer is told as lacking rather than taken for right.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

_EXACT = frozenset({"StringEquals", "ArnEquals", "Bool"})
_WILD = frozenset({"StringLike", "ArnLike", "ArnEquals"})
"""`ArnEquals` and `ArnLike` mean the same, wildcards and all (IAM user guide, "Condition operators")."""

Statement = Mapping[str, Any]


def statements(policy: str | Mapping[str, Any] | None) -> tuple[Statement, ...]:
    """The statements of a policy's JSON; none where there is no policy.

    Raises:
        ValueError: It is no JSON.
    """
    document = json.loads(policy) if isinstance(policy, str) and policy else policy or {}
    found = document.get("Statement", [])
    return (found,) if isinstance(found, Mapping) else tuple(found)


def allows(policy: Sequence[Statement], *, service: str, action: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether a statement allows it and none denies it.

    Args:
        policy: See `statements`.
        service: The principal, such as `events.amazonaws.com`.
        action: Such as `kms:Decrypt`.
        context: The condition keys of the request, in lower case (they are not case-sensitive).
    """
    request = {"aws:securetransport": "true", **(context or {})}
    fitting = [one for one in policy if _fits(one, service, action) and _holds(one.get("Condition") or {}, request)]
    effects = {one.get("Effect") for one in fitting}
    return "Allow" in effects and "Deny" not in effects


def values(condition: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """Each operator and value that a statement's condition has for a key."""
    for operator, wanted in condition.items():
        for name, given in wanted.items():
            if name.lower() == key.lower():
                for value in _several(given):
                    yield operator, value


def principals(statement: Statement) -> tuple[str, ...]:
    """Whom it is about: `*`, or ARNs and service names."""
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return (principal,)
    return tuple(one for given in principal.values() for one in _several(given))


def _fits(statement: Statement, service: str, action: str) -> bool:
    actions = _several(statement.get("Action", ()))
    named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in actions)
    return named and bool({"*", service} & set(principals(statement)))


def _holds(condition: Mapping[str, Any], request: Mapping[str, str]) -> bool:
    for operator, wanted in condition.items():
        for key, given in wanted.items():
            actual = request.get(key.lower())
            if actual is None or not any(_matches(operator, actual, value) for value in _several(given)):
                return False
    return True


def _matches(operator: str, actual: str, wanted: str) -> bool:
    if operator in _WILD and fnmatchcase(actual, wanted):
        return True
    return operator in _EXACT and actual == wanted


def _several(given: object) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, (list, tuple)) else (str(given),)
