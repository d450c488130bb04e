"""No condition stands in a policy in vain: without it, some line of the table would be decided otherwise."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.policies.evaluator import Evaluator, Policy, Request
from tests.policies.row import Row
from tests.policies.table import ROWS


def title(policy: Policy) -> str:
    """The same for a policy in whatever variant of its stack."""
    on = policy["Statement"][0].get("Resource")
    queue = f" of {on.rpartition(':')[2]}" if isinstance(on, str) and ":sqs:" in on else ""
    return "+".join(one.get("Sid") or str(one["Principal"]) for one in policy["Statement"]) + queue


def asked() -> dict[str, dict[str, list[Row]]]:
    """Every policy in the table that holds a condition: its title -> its variants -> the lines that each decides."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in ROWS:
        request = row.request
        for policy in (*request.identity, request.resource_policy, request.endpoint):
            if policy is not None and "'Condition'" in str(policy):
                found.setdefault(title(policy), {}).setdefault(json.dumps(policy), []).append(row)
    return found


POLICIES = asked()


def relaxed(policy: dict[str, Any]) -> Iterator[tuple[str, Policy]]:
    """The policy with one condition left out, for each of its conditions."""
    for number, statement in enumerate(policy["Statement"]):
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                changed = copy.deepcopy(policy)
                condition = changed["Statement"][number]["Condition"]
                del condition[operator][key]
                if not condition[operator]:
                    del condition[operator]
                if not condition:
                    del changed["Statement"][number]["Condition"]
                yield f"{statement.get('Sid', number)}: {operator} {key}", changed


def with_policy(request: Request, old: Policy, new: Policy) -> Request:
    identity = tuple(new if policy == old else policy for policy in request.identity)
    resource_policy = new if request.resource_policy == old else request.resource_policy
    endpoint = new if request.endpoint == old else request.endpoint
    return replace(request, identity=identity, resource_policy=resource_policy, endpoint=endpoint)


def changes(evaluator: Evaluator, rows: Sequence[Row], old: Policy, new: Policy) -> bool:
    decisions = evaluator.evaluate(with_policy(row.request, old, new) for row in rows)
    return any(decision.verdict != row.verdict for row, decision in zip(rows, decisions, strict=True))


@pytest.mark.parametrize("name", POLICIES)
def test_every_condition_decides_something(name: str, evaluator: Evaluator) -> None:
    conditions: set[str] = set()
    decisive: set[str] = set()
    for document, rows in POLICIES[name].items():
        policy = json.loads(document)
        for condition, without in relaxed(policy):
            conditions.add(condition)
            if changes(evaluator, rows, policy, without):
                decisive.add(condition)
    assert conditions
    assert conditions == decisive
