"""Who may send to the queues and use the key, from policies as customers change them."""

import json
from typing import Any

import pytest

from tests.infra.doctor.looking import ACCOUNT, KEY, REGION, CannedClients, canned, told

RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/scanhub/scanhub-changes"
SENDS: dict[str, Any] = {
    "Sid": "OnlyTheRuleSends",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:SourceArn": RULE}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
}
STRANGER = "arn:aws:iam::999999999999:root"
EVERYBODY: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}


def queue(*statements: dict[str, Any]) -> tuple[str, str]:
    clients = CannedClients()
    for _ in range(2):
        policy = json.dumps({"Statement": list(statements)})
        clients.answer("sqs", "get_queue_attributes", {"Attributes": {"Policy": policy} if statements else {}})
    first, second = told(canned(clients), "queue-policy")
    assert first == second
    return first


@pytest.mark.parametrize(
    ("statements", "verdict", "words"),
    [
        ([SENDS], "ok", "for the rule"),
        # SQS answers without a policy where there is none.
        ([], "failed", "does not let EventBridge send"),
        ([{**SENDS, "Condition": {}}], "failed", "rules of any account"),
        ([SENDS, {**SENDS, "Principal": {"AWS": STRANGER}, "Condition": {}}], "failed", f"it lets {STRANGER} send"),
        ([SENDS, {**SENDS, "Principal": {"AWS": ["999999999999"]}}], "failed", "it lets 999999999999 send"),
        ([SENDS, {**SENDS, "Principal": {"AWS": ACCOUNT}, "Condition": {}}], "ok", "for the rule"),
        ([SENDS, {**EVERYBODY, "Action": "sqs:ReceiveMessage"}], "ok", "for the rule"),
        # As queues of older days say it: everybody, from this one source.
        ([{**EVERYBODY, "Condition": SENDS["Condition"]}], "ok", "for the rule"),
        (
            [SENDS, {**EVERYBODY, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
            "failed",
            "it lets anybody send",
        ),
        (
            [SENDS, {**EVERYBODY, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceOrgID": "o-1"}}}],
            "unknown",
            "cannot judge",
        ),
        ([SENDS, {**EVERYBODY, "Effect": "Deny"}], "failed", "does not let EventBridge send"),
    ],
)
def test_a_queues_policy(statements: list[dict[str, Any]], verdict: str, words: str) -> None:
    found, reason = queue(*statements)
    assert found == verdict
    assert words in reason


def test_a_key_whose_policy_cannot_be_judged() -> None:
    clients = CannedClients()
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}},
    }
    clients.answer("kms", "get_key_policy", {"Policy": json.dumps({"Statement": [statement]})})
    found = told(canned(clients), "key-grants")
    assert [verdict for verdict, _ in found] == ["unknown", "unknown", "failed", "unknown"]


def test_a_topic_whose_policy_cannot_be_judged() -> None:
    clients = CannedClients()
    condition = {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}
    publishes = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    policy = json.dumps({"Statement": {**publishes, "Condition": condition}})
    clients.answer("sns", "get_topic_attributes", {"Attributes": {"KmsMasterKeyId": KEY, "Policy": policy}})
    assert told(canned(clients), "topic") == [("unknown", "its policy has conditions that this check cannot judge")]


def test_who_has_not_confirmed_yet() -> None:
    clients = CannedClients()
    there = {"SubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:scanhub-notifications:1f"}
    pending = {"SubscriptionArn": "PendingConfirmation"}
    clients.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": [there, pending], "NextToken": "more"})
    clients.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": [pending]})
    assert told(canned(clients), "subscriptions") == [("ok", "1 subscribed, 2 more not confirmed yet")]
