"""Topics, schedules, queues, secrets and stacks in states that the embedded cloud does not show."""

import json
from typing import Any

import pytest

from tests.infra.doctor.looking import ACCOUNT, KEY, REGION, CannedClients, canned, stack, told

TOPIC_POLICY = json.dumps(
    {"Statement": {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}}
)


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        (KEY, "ok"),
        (KEY.rsplit("/", 1)[-1], "ok"),
        ("alias/scanhub", "ok"),
        # AWS's own key: its policy lets no alarm use it, and cannot be changed.
        ("alias/aws/sns", "failed"),
        ("", "failed"),
    ],
)
def test_a_topic_under_a_key_that_alarms_may_not_use(key: str, verdict: str) -> None:
    clients = CannedClients()
    attributes = {"Policy": TOPIC_POLICY, **({"KmsMasterKeyId": key} if key else {})}
    clients.answer("sns", "get_topic_attributes", {"Attributes": attributes})
    assert told(canned(clients), "topic")[0][0] == verdict


def test_who_was_unsubscribed_a_moment_ago_hears_nothing() -> None:
    clients = CannedClients()
    gone = {"SubscriptionArn": "Deleted", "Protocol": "email", "Endpoint": "a@b.example"}
    clients.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": [gone]})
    assert told(canned(clients), "subscriptions") == [("warning", "nobody is subscribed")]


@pytest.mark.parametrize(
    ("schedules", "wanted", "expected"),
    [
        ([], "", ("warning", "no schedule, as the hub was deployed (BulkScanSchedule is empty)")),
        ([], "rate(1 day)", ("failed", "the hub was deployed with the schedule rate(1 day), and there is none")),
        ([{"Name": "scanhub-sweep", "State": "ENABLED"}], "rate(1 day)", ("ok", "enabled: rate(1 day)")),
        ([{"Name": "scanhub-sweep", "State": "DISABLED"}], "rate(1 day)", ("warning", "its state is DISABLED")),
    ],
)
def test_the_sweeps_schedule(schedules: list[Any], wanted: str, expected: tuple[str, str]) -> None:
    clients = CannedClients()
    clients.answer("scheduler", "list_schedules", {"Schedules": schedules})
    hub = canned(clients)
    object.__setattr__(hub.stack, "parameters", {**hub.stack.parameters, "BulkScanSchedule": wanted})
    assert told(hub, "sweep-schedule") == [expected]


def test_nothing_is_swept_before_there_is_a_worker() -> None:
    clients = CannedClients()
    clients.answer("scheduler", "list_schedules", {"Schedules": []})
    hub = canned(clients, ServiceName="")
    object.__setattr__(hub.stack, "parameters", {**hub.stack.parameters, "BulkScanSchedule": "rate(1 day)"})
    assert told(hub, "sweep-schedule") == [("ok", "no schedule before there is a worker")]


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ('{"redrivePermission": "denyAll"}', "failed"),
        (
            '{"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:eu-central-1:123456789012:other"]}',
            "failed",
        ),
        (
            (
                '{"redrivePermission": "byQueue", '
                '"sourceQueueArns": ["arn:aws:sqs:eu-central-1:123456789012:scanhub-changes"]}'
            ),
            "ok",
        ),
        ("", "ok"),
    ],
)
def test_a_dead_letter_queue_must_take_what_is_handed_to_it(policy: str, verdict: str) -> None:
    clients = CannedClients()
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
    redrive = f'{{"deadLetterTargetArn": "{arn}:scanhub-changes-dlq", "maxReceiveCount": 1000}}'
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {"RedrivePolicy": redrive}})
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {"RedriveAllowPolicy": policy} if policy else {}})
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {}})
    first, second = told(canned(clients), "queue-redrive")
    assert first[0] == verdict
    assert second == ("failed", "its dead-letter queue is none")


def test_the_archive_and_the_ledger_in_other_states() -> None:
    clients = CannedClients()
    clients.refuse("events", "describe_archive", "ResourceNotFoundException")
    clients.answer("events", "describe_archive", {"State": "DISABLED", "StateReason": "key", "RetentionDays": 14})
    clients.answer("events", "describe_archive", {"State": "ENABLED", "RetentionDays": 0})
    hub = canned(clients)
    assert told(hub, "bus-archive") == [("warning", "there is no archive of that name")]
    assert told(hub, "bus-archive") == [("warning", "its state is DISABLED: key")]
    assert told(hub, "bus-archive") == [("ok", "keeps all")]
    for table, words in (
        ({"TableStatus": "ARCHIVED"}, "ARCHIVED"),
        ({"TableStatus": "ACTIVE", "SSEDescription": {"KMSMasterKeyArn": "arn:aws:kms:x:1:key/other"}}, "other"),
        ({"TableStatus": "ACTIVE"}, "not one of KMS"),
    ):
        clients.answer("dynamodb", "describe_table", {"Table": table})
        [(verdict, reason)] = told(hub, "ledger")
        assert (verdict, words in reason) == ("failed", True)


def test_a_secret_that_may_not_be_read_or_is_about_to_go() -> None:
    clients = CannedClients()
    clients.answer("secretsmanager", "describe_secret", {"Name": "scanhub/qualys"})
    clients.refuse("secretsmanager", "get_secret_value", "AccessDeniedException", "not you")
    clients.answer("secretsmanager", "describe_secret", {"Name": "scanhub/qualys"})
    clients.refuse("secretsmanager", "get_secret_value", "ResourceNotFoundException", "no value AWSCURRENT")
    clients.answer("secretsmanager", "describe_secret", {"DeletedDate": 1_790_000_000})
    hub = canned(clients)
    assert told(hub, "qualys-secret")[0][0] == "unknown"
    assert told(hub, "qualys-secret") == [("failed", "it is empty")]
    assert told(hub, "qualys-secret") == [("failed", "it is scheduled for deletion")]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warning"),
        ("UPDATE_ROLLBACK_COMPLETE", "warning"),
        ("ROLLBACK_COMPLETE", "failed"),
        ("UPDATE_ROLLBACK_FAILED", "failed"),
        ("DELETE_FAILED", "failed"),
        ("DELETE_IN_PROGRESS", "failed"),
        ("ROLLBACK_IN_PROGRESS", "failed"),
    ],
)
def test_the_stack_of_the_alarms(status: str, verdict: str) -> None:
    clients = CannedClients()
    described = stack("scanhub-hub-monitoring", StackStatus=status, StackStatusReason="because")
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [described]})
    [(found, reason)] = told(canned(clients), "monitoring-stack")
    assert found == verdict
    assert reason.startswith(status)


TABLE: dict[str, Any] = {"TableName": "scanhub-ledger", "TableStatus": "ACTIVE"}
BY_STATE = {"IndexName": "by-state", "IndexStatus": "ACTIVE"}


@pytest.mark.parametrize(
    ("indexes", "verdict", "words"),
    [
        ([BY_STATE, {"IndexName": "by-account", "IndexStatus": "ACTIVE", "ItemCount": 7}], "ok", "about 7 functions"),
        ([BY_STATE, {"IndexName": "by-account", "IndexStatus": "UPDATING"}], "ok", "by-account"),
        ([BY_STATE, {"IndexName": "by-account", "IndexStatus": "CREATING"}], "warning", "by-account is CREATING"),
        ([BY_STATE], "failed", "there is no index by-account"),
        (None, "failed", "there is no index by-account"),
    ],
)
def test_the_ledgers_index_by_account(indexes: list[Any] | None, verdict: str, words: str) -> None:
    clients = CannedClients()
    found = {"GlobalSecondaryIndexes": indexes} if indexes is not None else {}
    clients.answer("dynamodb", "describe_table", {"Table": {**TABLE, **found}}, asked={"TableName": "scanhub-ledger"})
    [(was, reason)] = told(canned(clients), "ledger-index")
    assert was == verdict
    assert words in reason
