import json
from typing import Any

import pytest

from infra.doctor.policies import allows, principals, statements, values

ALLOW = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
RULE = "arn:aws:events:eu-central-1:123456789012:rule/scanhub/scanhub-changes"
CONTEXT = {"aws:sourcearn": RULE, "aws:sourceaccount": "123456789012"}


def _asked(*policy: dict[str, Any]) -> bool:
    return allows(policy, service="events.amazonaws.com", action="sqs:SendMessage", context=CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Action": ["sqs:ReceiveMessage", "SQS:Send*"]},
        {"Action": "*"},
        {"Principal": "*"},
        {"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE}}},
        {"Condition": {"ArnEquals": {"AWS:SOURCEARN": RULE}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ["999999999999", "123456789012"]}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ],
)
def test_it_is_allowed(change: dict[str, Any]) -> None:
    assert _asked({**ALLOW, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "sqs:ReceiveMessage"},
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Effect": "Deny"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "-old"}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:events:*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": "arn:x"}}},
    ],
)
def test_it_is_not_allowed(change: dict[str, Any]) -> None:
    assert not _asked({**ALLOW, **change})


def test_a_denial_wins_where_it_fits() -> None:
    deny = {**ALLOW, "Effect": "Deny", "Principal": "*"}
    assert not _asked(ALLOW, deny)
    assert _asked(ALLOW, {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    assert not _asked()


def test_what_a_policy_holds() -> None:
    assert statements(None) == statements("") == ()
    assert statements(json.dumps({"Statement": ALLOW})) == (ALLOW,)
    assert statements({"Statement": [ALLOW, ALLOW]}) == (ALLOW, ALLOW)
    assert principals({"Principal": {"AWS": ["a", "b"], "Service": "c"}}) == ("a", "b", "c")
    assert principals({}) == ()
    condition = {"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}, "Bool": {"aws:SecureTransport": "true"}}
    assert list(values(condition, "AWS:principalorgid")) == [("StringEquals", "o-1"), ("StringEquals", "o-2")]
