import json
from typing import Any

import pytest

from infra.doctor.policies import (
    Decision,
    allows,
    decided,
    is_about,
    is_of_account,
    principals,
    statements,
    values,
)

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
        {"Condition": {"ArnEqualsIfExists": {"aws:SourceArn": RULE}}},
        {"Condition": {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        # What the hub's key has, since not every call of EventBridge names its source.
        {"Condition": {"ArnEqualsIfExists": {"aws:SourceArn": RULE.replace("123", "1?3")}}},
        {"Condition": {"ArnEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringLike": {"aws:SourceAccount": "1234*"}}},
        {"Condition": {"Null": {"aws:SourceAccount": "false"}}},
        {"Condition": {"Bool": {"aws:PrincipalIsAWSService": True}}},
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
        {"Condition": {"ArnEqualsIfExists": {"aws:SourceArn": RULE + "-old"}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:events:*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:*:rule/scanhub/scanhub-changes"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
        {"Condition": {"Null": {"aws:SourceAccount": "true"}}},
        {"Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}},
        {"NotAction": "sqs:Send*", "Action": []},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": "arn:x"}}},
    ],
)
def test_it_is_not_allowed(change: dict[str, Any]) -> None:
    assert not _asked({**ALLOW, **change})


@pytest.mark.parametrize(
    "condition",
    [
        {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}},
        {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}},
        {"StringEqualsIfExists": {"aws:SourceOrgID": "o-another000"}},
        {"ForAllValues:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}},
        {"Null": {"aws:CalledVia": "true"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    ],
)
def test_what_cannot_be_judged_is_neither_a_permission_nor_no_refusal(condition: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"service": "events.amazonaws.com", "action": "sqs:SendMessage", "context": CONTEXT}
    deny = {**ALLOW, "Effect": "Deny", "Condition": condition}
    assert decided([{**ALLOW, "Condition": condition}], **asked) is Decision.UNCLEAR
    assert decided([ALLOW, deny], **asked) is Decision.UNCLEAR
    assert decided([{**deny, "Principal": "*"}], **asked) is Decision.REFUSED
    # Unclear, but for another service or action: of no account.
    assert decided([ALLOW, {**deny, "Action": "sqs:ReceiveMessage"}], **asked) is Decision.ALLOWED


def test_a_denial_of_all_but_the_organizations_own_spares_aws_services() -> None:
    perimeter: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }
    assert _asked(ALLOW, perimeter)
    del perimeter["Condition"]["BoolIfExists"]
    assert not _asked(ALLOW, perimeter)


def test_everybody_but_one_is_everybody() -> None:
    but = {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sqs:*"}
    assert principals(but) == ("*",)
    assert not _asked(ALLOW, but)
    assert is_about({"NotAction": "sqs:Receive*"}, "sqs:SendMessage")
    assert not is_about({"NotAction": "SQS:*"}, "sqs:SendMessage")


def test_whose_principal_it_is() -> None:
    assert is_of_account("123456789012", "123456789012")
    assert is_of_account("arn:aws:iam::123456789012:role/x", "123456789012")
    assert not is_of_account("arn:aws:iam::999999999999:role/123456789012", "123456789012")
    assert not is_of_account("*", "123456789012")


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
