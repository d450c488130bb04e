"""The policies of the templates, evaluated as AWS would: each row of the table is one test."""

from collections.abc import Iterator, Mapping

import pytest

from tests.policies.evaluator import Decision, Evaluator
from tests.policies.rendering import Rendered
from tests.policies.row import Row
from tests.policies.table import ROWS
from tests.policies.table.stacks import (
    HUB_WITH_A_SECRET_OF_ITS_OWN,
    SPOKE_ELSEWHERE,
    SPOKE_WITH_KEYS,
    THE_HUB,
    THE_NETWORK,
    THE_SPOKE,
)

STACKS = (THE_HUB, THE_NETWORK, HUB_WITH_A_SECRET_OF_ITS_OWN, THE_SPOKE, SPOKE_WITH_KEYS, SPOKE_ELSEWHERE)
POLICIED = {"AWS::Events::EventBus", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}


@pytest.fixture(scope="module")
def decisions(evaluator: Evaluator) -> Mapping[str, Decision]:
    return dict(zip(map(str, ROWS), evaluator.evaluate(row.request for row in ROWS), strict=True))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_is_decided_as_it_must_be(row: Row, decisions: Mapping[str, Decision]) -> None:
    decision = decisions[str(row)]
    assert decision.verdict == row.verdict, f"{row}\n  {decision}"


def test_no_line_of_the_table_stands_twice() -> None:
    assert len(set(map(str, ROWS))) == len(ROWS) >= 60


@pytest.mark.parametrize("stack", [THE_HUB, THE_NETWORK, THE_SPOKE], ids=["hub", "network", "spoke"])
def test_the_table_asks_about_every_role_and_every_resource_with_a_policy(stack: Rendered) -> None:
    with_policy = {name for name, one in stack.resources.items() if one["Type"] in POLICIED and _policy(stack, name)}
    roles = {name for name, one in stack.resources.items() if one["Type"] == "AWS::IAM::Role"}
    for name in with_policy | roles:
        asked = {row.verdict for row in ROWS if row.on.arn.startswith(stack.arn(name))}
        assert {"allowed", "denied"} <= asked, name
    for name in roles:
        session_arn = f"{stack.stack.account}:assumed-role/{stack.ref(name)}/"
        assert {row.verdict for row in ROWS if session_arn in row.who.arn} >= {"allowed", "denied"}, name


@pytest.mark.parametrize("stack", STACKS)
def test_every_statement_of_the_templates_decides_some_line(stack: Rendered, decisions: Mapping[str, Decision]) -> None:
    decided = {statement.partition(": ")[2] for decision in decisions.values() for statement in decision.statements}
    written = set(_sids(stack.resources))
    assert written
    assert written <= decided


def _policy(stack: Rendered, name: str) -> bool:
    try:
        return bool(stack.policy(name))
    except KeyError:
        return False


def _sids(node: object) -> Iterator[str]:
    """Of every policy in it."""
    if isinstance(node, dict):
        if isinstance(node.get("Sid"), str):
            yield node["Sid"]
        for one in node.values():
            yield from _sids(one)
    elif isinstance(node, list):
        for one in node:
            yield from _sids(one)
