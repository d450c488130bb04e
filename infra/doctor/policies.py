"""A resource policy, asked whether it lets an AWS service do what it must, and whom else it lets in.

Not an evaluator of all of IAM: what it cannot judge, such as an operator or a condition key that it does not know, it
calls unclear, and never takes for a permission or for no refusal.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]


class Decision(StrEnum):
    """What a policy says to a request."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNCLEAR = "unclear"


_OF_A_SERVICE = {"aws:securetransport": "true", "aws:principalisawsservice": "true", "aws:viaawsservice": "false"}
"""Condition keys of a call that an AWS service makes by itself, whatever the call (IAM user guide, "AWS global
condition context keys")."""
_ABSENT_FROM_A_SERVICE = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
    }
)
"""Keys that such a call does not carry (same place)."""


def statements(policy: str | Mapping[str, Any] | None) -> tuple[Statement, ...]:
    """The statements of a policy's JSON; none where there is no policy.

    Raises:
        ValueError: It is no JSON.
    """
    document = json.loads(policy) if isinstance(policy, str) and policy else policy or {}
    found = document.get("Statement", [])
    return (found,) if isinstance(found, Mapping) else tuple(found)


def decided(
    policy: Sequence[Statement], *, service: str, action: str, context: Mapping[str, str] | None = None
) -> Decision:
    """What the policy says to a call of an AWS service.

    Args:
        policy: See `statements`.
        service: The principal, such as `events.amazonaws.com`.
        action: Such as `kms:Decrypt`.
        context: The condition keys of the request, in lower case (they are not case-sensitive).
    """
    request = {**_OF_A_SERVICE, "aws:principalservicename": service, **(context or {})}
    allowed, denied = (
        [_met(one, service, action, request) for one in policy if one.get("Effect") == effect]
        for effect in ("Allow", "Deny")
    )
    if True in denied:
        return Decision.REFUSED
    if True in allowed:
        return Decision.UNCLEAR if None in denied else Decision.ALLOWED
    return Decision.UNCLEAR if None in allowed else Decision.REFUSED


def allows(policy: Sequence[Statement], *, service: str, action: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether it certainly allows it; the arguments are those of `decided`."""
    return decided(policy, service=service, action=action, context=context) is Decision.ALLOWED


def values(condition: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """Each operator and value that a statement's condition has for a key."""
    for operator, wanted in condition.items():
        for name, given in wanted.items():
            if name.lower() == key.lower():
                for value in _several(given):
                    yield operator, value


def principals(statement: Statement) -> tuple[str, ...]:
    """Whom it is about: `*`, or ARNs, account ids and service names; `*` also for everybody but a few."""
    if "NotPrincipal" in statement:
        return ("*",)
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return (principal,)
    return tuple(one for given in principal.values() for one in _several(given))


def is_about(statement: Statement, action: str) -> bool:
    """Whether an action is among its actions (they are not case-sensitive)."""
    listed = statement.get("NotAction", statement.get("Action", ()))
    named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _several(listed))
    return named is not ("NotAction" in statement)


def is_of_account(principal: str, account: str) -> bool:
    """Whether it is this account or somebody of it: `123456789012`, or an ARN of IAM or STS with it."""
    parts = principal.split(":")
    return principal == account or (len(parts) > 5 and parts[4] == account)


def _met(statement: Statement, service: str, action: str, request: Mapping[str, str]) -> bool | None:
    """Whether it applies to the request; None if that is unclear."""
    if not is_about(statement, action):
        return False
    if "NotPrincipal" in statement:
        return None
    if not {"*", service} & set(principals(statement)):
        return False
    met = [
        _holds(operator, _several(given), key.lower(), request)
        for operator, wanted in (statement.get("Condition") or {}).items()
        for key, given in wanted.items()
    ]
    if False in met:
        return False
    return None if None in met else True


def _holds(operator: str, wanted: Sequence[str], key: str, request: Mapping[str, str]) -> bool | None:
    """One condition operator with one key (IAM user guide, "Condition operators"); None if it is unclear."""
    bare, may_be_absent = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    for_all = bare.startswith("ForAllValues:")
    bare = bare.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    actual = request.get(key)
    if bare == "Null":
        if actual is None and not _is_surely_absent(key):
            return None
        return str(actual is None).lower() in {value.lower() for value in wanted}
    is_negated = "Not" in bare
    match = _MATCHES.get(bare.replace("Not", ""))
    if match is None:
        return None
    if actual is None:
        if not _is_surely_absent(key):
            return None
        # A negated operator holds for a key that is not there, too.
        return may_be_absent or for_all or is_negated
    return any(match(actual, value) for value in wanted) is not is_negated


def _is_surely_absent(key: str) -> bool:
    # Who asks knows the encryption context of the call that he asks about.
    return key in _ABSENT_FROM_A_SERVICE or key.startswith("kms:encryptioncontext:")


def _like(actual: str, wanted: str) -> bool:
    # `[` means itself in IAM.
    return fnmatchcase(actual, wanted.replace("[", "[[]"))


def _arn_like(actual: str, wanted: str) -> bool:
    """Part by part: no wildcard reaches over a colon but in the last (same place, "ARN condition operators")."""
    parts, patterns = actual.split(":", 5), wanted.split(":", 5)
    return len(parts) == len(patterns) and all(map(_like, parts, patterns))


def _same(actual: str, wanted: str) -> bool:
    return actual == wanted


def _same_letters(actual: str, wanted: str) -> bool:
    return actual.lower() == wanted.lower()


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_letters,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _same_letters,
}
"""`ArnEquals` and `ArnLike` mean the same, wildcards and all."""


def _several(given: object) -> tuple[str, ...]:
    if isinstance(given, bool):
        return (str(given).lower(),)
    return tuple(part for one in given for part in _several(one)) if isinstance(given, (list, tuple)) else (str(given),)
