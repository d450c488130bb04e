"""The bus as EventBridge answers for it, where the embedded cloud does not."""

import json
from typing import Any

import pytest

from infra.doctor.bus import CHANGES
from tests.infra.doctor.looking import ACCOUNT, REGION, CannedClients, canned, told

PATTERN = json.dumps({"source": ["aws.lambda"], "detail": {"eventName": [{"prefix": "CreateFunction20"}]}})
ADMITS: dict[str, Any] = {
    "Sid": "OrganizationForwardsLambdaEvents",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "events:PutEvents",
    "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/scanhub",
    "Condition": {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        "ForAllValues:StringEquals": {"events:source": "aws.lambda"},
        "Null": {"events:source": "false"},
    },
}
OWN = f"arn:aws:iam::{ACCOUNT}:root"


def bus(*statements: dict[str, Any]) -> tuple[str, str]:
    clients = CannedClients()
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    clients.answer("events", "describe_event_bus", {"Name": "scanhub", "Policy": policy}, asked={"Name": "scanhub"})
    [found] = told(canned(clients), "bus-policy")
    return found


def test_the_policy_of_the_template_and_one_with_the_accounts_own_beside_it() -> None:
    assert bus(ADMITS)[0] == "ok"
    own = {"Effect": "Allow", "Principal": {"AWS": [OWN, ACCOUNT]}, "Action": "events:*", "Resource": "*"}
    assert bus(ADMITS, own)[0] == "ok"


def test_a_stranger_beside_the_own_account_is_a_stranger() -> None:
    both = {"Sid": "Both", "Effect": "Allow", "Principal": {"AWS": [OWN, "999999999999"]}, "Action": "events:PutEvents"}
    verdict, reason = bus(ADMITS, both)
    assert (verdict, "Both admits" in reason) == ("failed", True)


def test_who_may_only_look_puts_nothing() -> None:
    looks = {"Effect": "Allow", "Principal": "*", "Action": "events:DescribeEventBus", "Resource": "*"}
    assert bus(ADMITS, looks)[0] == "ok"
    assert bus(looks) == ("failed", "its policy lets nobody in")


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({}, "unknown"),
        ({"StringEquals": {"aws:SourceAccount": "210000000001"}}, "unknown"),
        ({"Bool": {"aws:SecureTransport": "false"}}, "ok"),
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "ok"),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-another000"}}, "unknown"),
        ({"ForAnyValue:StringNotEquals": {"events:source": "aws.lambda"}}, "ok"),
    ],
)
def test_a_denial_is_not_overlooked(condition: dict[str, Any], verdict: str) -> None:
    deny = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "events:Put*", "Condition": condition}
    assert bus(ADMITS, deny)[0] == verdict


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([True] * len(CHANGES), "ok"),
        ([True, False, False, True], "failed"),
    ],
)
def test_eventbridge_itself_says_what_the_pattern_takes(taken: list[bool], expected: str) -> None:
    clients = CannedClients()
    clients.answer("events", "describe_rule", {"Name": "scanhub-changes", "State": "ENABLED", "EventPattern": PATTERN})
    for result in taken:
        clients.answer("events", "test_event_pattern", {"Result": result})
    [(verdict, reason)] = told(canned(clients), "bus-pattern")
    assert verdict == expected
    for name, result in zip(CHANGES, taken, strict=True):
        assert (name in reason) is (expected == "ok" or not result)
    clients.all_asked()


def test_who_may_not_try_a_pattern_does_not_know() -> None:
    clients = CannedClients()
    clients.answer("events", "describe_rule", {"Name": "scanhub-changes", "State": "ENABLED", "EventPattern": PATTERN})
    clients.refuse("events", "test_event_pattern", "AccessDeniedException", "not authorized")
    assert told(canned(clients), "bus-pattern")[0][0] == "unknown"


def test_the_archive_of_another_bus() -> None:
    clients = CannedClients()
    other = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    clients.answer("events", "describe_archive", {"State": "ENABLED", "EventSourceArn": other, "RetentionDays": 14})
    assert told(canned(clients), "bus-archive") == [
        ("warning", f"it keeps what comes to {other}, not to the hub's bus")
    ]
