"""A hub as the templates deploy it is well; each thing that is broken in it is found by its own check."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hub.diagnosis import Verdict
from infra.doctor import deployed, outside
from infra.doctor.deployed import DeployedHub
from infra.doctor.policies import principals
from infra.local.deployment import Deployment
from tests.infra.doctor.looking import look, restored, told

NOT_WELL_THERE = {
    "bus-pattern",  # moto does not try patterns
    "alarms",  # no alarm has data where nothing runs
    "ledger-recovery",  # deployed without deletion protection, for a cloud that is thrown away
    "monitoring-stack",
    "organization-trail",
    "service",  # moto starts no task
    "service-deployment",  # and ends no deployment
    "service-image",  # its image is none of ECR
    "spoke-accounts",
    "spoke-stacks",
    "subscriptions",
}
"""What the embedded cloud does not have, or cannot."""


def test_a_hub_that_was_just_deployed_is_well(hub: DeployedHub) -> None:
    asked: list[str] = []
    checks = outside.look(hub, clients=hub.clients, progress=asked.append)
    assert {check.name for check in checks if check.verdict is not Verdict.OK} <= NOT_WELL_THERE
    assert {check.name for check in checks} == {kind.name for kind in outside.KINDS}
    assert asked == [kind.asks for kind in outside.KINDS]
    assert all(check.fix for check in checks if check.verdict in {Verdict.FAILED, Verdict.WARNING})
    assert "qualys_access_token" not in json.dumps([check.document() for check in checks if check.fix == ""])


def test_no_secret_is_told(hub: DeployedHub, deployment: Deployment) -> None:
    secrets = deployment.client("secretsmanager")
    values = [
        secrets.get_secret_value(SecretId=deployment.outputs[name])["SecretString"]
        for name in ("QualysSecretArn", "ExternalIdSecretArn")
    ]
    token = json.loads(values[0])["qualys_access_token"]
    said = json.dumps([one.document() for one in outside.look(hub, clients=hub.clients, progress=lambda _: None)])
    assert token not in said
    assert values[1] not in said


def test_without_a_hub_there_is_one_check(deployment: Deployment) -> None:
    assert deployed.find(deployment.accounts, stack="no-such-stack") is None
    [check] = outside.look(None, clients=deployment.accounts, progress=lambda _: None)
    assert (check.name, check.verdict) == ("hub-stack", Verdict.FAILED)
    assert "eu-central-1" in check.reason
    assert "scanhub rollout hub" in check.fix


def _set(deployment: Deployment, output: str, **attributes: str) -> Callable[[], None]:
    """Set a queue's attributes; returns what puts the old ones back."""
    sqs, url = deployment.client("sqs"), deployment.outputs[output]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    # moto forgets the policy of a queue when any other attribute is set.
    policy = {"Policy": before["Policy"]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={**policy, **attributes})
    old = {name: before.get(name, "") for name in attributes}
    return lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={**policy, **old})


def _policy(deployment: Deployment, output: str) -> dict[str, Any]:
    url = deployment.outputs[output]
    attributes = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    policy: dict[str, Any] = json.loads(attributes["Policy"])
    return policy


def test_a_queue_that_the_rule_may_not_fill(hub: DeployedHub, deployment: Deployment) -> None:
    for output in ("ChangesQueueUrl", "UndeliveredQueueUrl"):
        policy = _policy(deployment, output)
        policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
        with restored(_set(deployment, output, Policy=json.dumps(policy))):
            [failed] = [check for check in look(hub, "queue-policy") if check.verdict is Verdict.FAILED]
        assert failed.subject == deployment.outputs[output].rsplit("/", 1)[-1]
        assert "does not let EventBridge send" in failed.reason


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Principal": {"Service": "events.amazonaws.com"}}, "rules of any account"),
        ({"Principal": "*"}, "rules of any account"),
        ({"Principal": {"AWS": "*"}}, "rules of any account"),
    ],
)
def test_a_queue_that_others_may_fill(
    statement: dict[str, Any], words: str, hub: DeployedHub, deployment: Deployment
) -> None:
    policy = _policy(deployment, "ChangesQueueUrl")
    wide = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", **statement}
    policy["Statement"].append(wide)
    with restored(_set(deployment, "ChangesQueueUrl", Policy=json.dumps(policy))):
        assert any(verdict == "failed" and words in reason for verdict, reason in told(hub, "queue-policy"))


def test_a_queue_whose_messages_end_nowhere(hub: DeployedHub, deployment: Deployment) -> None:
    another = json.dumps({"deadLetterTargetArn": hub.queue_arn("SweepDlqUrl"), "maxReceiveCount": 5})
    with restored(_set(deployment, "ChangesQueueUrl", RedrivePolicy=another)):
        assert told(hub, "queue-redrive")[0] == (
            "failed",
            f"its dead-letter queue is {hub.queue_arn('SweepDlqUrl')}",
        )
    assert {verdict for verdict, _ in told(hub, "queue-redrive")} == {"ok"}


def test_a_queue_under_another_key(hub: DeployedHub, deployment: Deployment) -> None:
    with restored(_set(deployment, "SweepQueueUrl", KmsMasterKeyId="alias/aws/sqs")):
        [failed] = [check for check in look(hub, "queue-encryption") if check.verdict is Verdict.FAILED]
    assert (failed.subject, "alias/aws/sqs" in failed.reason) == ("scanhub-sweep", True)


def test_parked_messages_are_a_warning_and_undelivered_events_a_fault(hub: DeployedHub, deployment: Deployment) -> None:
    sqs = deployment.client("sqs")
    dlq, undelivered = deployment.outputs["ChangesDlqUrl"], deployment.outputs["UndeliveredQueueUrl"]
    with restored(lambda: sqs.purge_queue(QueueUrl=dlq), lambda: sqs.purge_queue(QueueUrl=undelivered)):
        for _ in range(2):
            sqs.send_message(QueueUrl=dlq, MessageBody="{}")
        sqs.send_message(QueueUrl=undelivered, MessageBody="{}")
        sqs.receive_message(QueueUrl=undelivered, VisibilityTimeout=30)  # one in flight is not gone
        assert told(hub, "dead-letters")[0] == ("warning", "about 2 messages parked")
        assert told(hub, "undelivered") == [("failed", "about 1 event could not be delivered")]


def test_a_key_that_somebody_must_use_and_may_not(hub: DeployedHub, deployment: Deployment) -> None:
    kms, key = deployment.client("kms"), deployment.outputs["ResultsKmsKeyArn"]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    services = {
        "events": ["EventBridge", "EventBridge's archive"],
        "logs": ["CloudWatch Logs"],
        "cloudwatch": ["CloudWatch's alarms"],
    }
    with restored(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)):
        for service, who in services.items():
            policy = json.loads(before)
            policy["Statement"] = [
                one
                for one in policy["Statement"]
                if not any(name.startswith(service + ".") for name in principals(one))
            ]
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
            failed = [check for check in look(hub, "key-grants") if check.verdict is Verdict.FAILED]
            assert [check.subject for check in failed] == who
            assert "kms:GenerateDataKey" in failed[0].reason


def test_a_grant_for_another_rule_is_none(hub: DeployedHub, deployment: Deployment) -> None:
    kms, key = deployment.client("kms"), deployment.outputs["ResultsKmsKeyArn"]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with restored(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)):
        other = before.replace("rule/scanhub/scanhub-changes", "rule/scanhub/another")
        assert other != before
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=other)
        assert told(hub, "key-grants")[0] == (
            "failed",
            "events.amazonaws.com may not kms:Decrypt, kms:GenerateDataKey",
        )


def test_a_key_that_is_disabled_or_not_rotated(hub: DeployedHub, deployment: Deployment) -> None:
    kms, key = deployment.client("kms"), deployment.outputs["ResultsKmsKeyArn"].rsplit("/", 1)[-1]
    with restored(lambda: kms.enable_key(KeyId=key)):
        kms.disable_key(KeyId=key)
        assert told(hub, "key-state") == [("failed", "its state is Disabled")]
    with restored(lambda: kms.enable_key_rotation(KeyId=key)):
        kms.disable_key_rotation(KeyId=key)
        assert told(hub, "key-rotation") == [("warning", "automatic rotation is off")]


def test_a_rule_that_hands_nothing_on(hub: DeployedHub, deployment: Deployment) -> None:
    events = deployment.client("events")
    where = {"Rule": "scanhub-changes", "EventBusName": "scanhub"}
    with restored(lambda: events.enable_rule(Name="scanhub-changes", EventBusName="scanhub")):
        events.disable_rule(Name="scanhub-changes", EventBusName="scanhub")
        assert told(hub, "bus-rule") == [("failed", "it is disabled")]
    [target] = events.list_targets_by_rule(**where)["Targets"]
    with restored(lambda: events.put_targets(**where, Targets=[target])):
        events.put_targets(**where, Targets=[{**target, "InputPath": "$.detail"}])
        assert "something else than the event (InputPath)" in told(hub, "bus-rule")[0][1]
    with restored(lambda: events.put_targets(**where, Targets=[target])):
        events.put_targets(**where, Targets=[{**target, "DeadLetterConfig": {}}])
        assert "dropped" in told(hub, "bus-rule")[0][1]
        events.remove_targets(**where, Ids=[target["Id"]])
        assert told(hub, "bus-rule") == [("failed", "the changes queue is none of its 0 targets")]
    assert told(hub, "bus-rule") == [("ok", "enabled, to the changes queue")]


ADMITS = {"Sid": "Admits", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({}, "without naming an organization"),
        ({"StringEquals": {"events:source": "aws.lambda"}}, "without naming an organization"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-scanhublocal"}}, "every source"),
        (
            {"StringEquals": {"aws:PrincipalOrgID": "o-another000000", "events:source": "aws.lambda"}},
            "it admits o-another000000; the hub was deployed for o-scanhublocal",
        ),
        (
            {
                "StringNotEquals": {"aws:PrincipalOrgID": "o-scanhublocal"},
                "StringEquals": {"events:source": "aws.lambda"},
            },
            "without naming an organization",
        ),
        (
            # Whoever is in no organization has no such key.
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-scanhublocal"}},
            "without naming an organization",
        ),
        (None, "lets nobody in"),
    ],
)
def test_a_bus_with_another_policy(
    condition: dict[str, Any] | None, words: str, hub: DeployedHub, deployment: Deployment
) -> None:
    events = deployment.client("events")
    before = events.describe_event_bus(Name="scanhub")["Policy"]
    own = {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    statement = {**own, "Action": "events:*", "Resource": "*"}
    if condition is not None:
        statement = {**ADMITS, "Condition": condition}

    def put_back() -> None:
        events.remove_permission(EventBusName="scanhub", RemoveAllPermissions=True)
        events.put_permission(EventBusName="scanhub", Policy=before)

    with restored(put_back):
        events.remove_permission(EventBusName="scanhub", RemoveAllPermissions=True)
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        events.put_permission(EventBusName="scanhub", Policy=json.dumps(policy))
        [(verdict, reason)] = told(hub, "bus-policy")
    assert told(hub, "bus-policy")[0][0] == "ok"
    assert verdict == "failed"
    assert words in reason


def test_a_bucket_that_is_open_or_under_another_key(hub: DeployedHub, deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.outputs["ResultsBucket"]
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    with restored(lambda: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**block, "BlockPublicPolicy": False})
        assert told(hub, "bucket-public-access") == [("failed", "BlockPublicPolicy off")]
        s3.delete_public_access_block(Bucket=bucket)
        assert told(hub, "bucket-public-access") == [("failed", "there is no block of public access")]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    plain = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}

    def encrypt(how: dict[str, Any]) -> None:
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=how)

    with restored(lambda: encrypt(encryption)):
        encrypt(plain)
        assert told(hub, "bucket-encryption") == [("failed", "by default it encrypts with ['AES256']")]


def test_a_ledger_without_backup(hub: DeployedHub, deployment: Deployment) -> None:
    tables, name = deployment.client("dynamodb"), deployment.outputs["LedgerTable"]

    def recovery(enabled: bool) -> None:
        how = {"PointInTimeRecoveryEnabled": enabled}
        tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=how)

    with restored(lambda: recovery(True)):
        recovery(False)
        [(verdict, reason)] = told(hub, "ledger-recovery")
    assert (verdict, "point-in-time recovery is off" in reason) == ("warning", True)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('{"qualys_pod": "XX9", "qualys_access_token": "s3cr3t-v4lue"}', "qualys_pod: must be one of US1"),
        ("s3cr3t-v4lue", "not usable"),
        ('{"qualys_access_token": "s3cr3t-v4lue"}', "exactly one of qualys_pod and qualys_gateway_url"),
    ],
)
def test_a_secret_of_the_wrong_form(value: str, words: str, hub: DeployedHub, deployment: Deployment) -> None:
    secrets, arn = deployment.client("secretsmanager"), deployment.outputs["QualysSecretArn"]
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    with restored(lambda: secrets.put_secret_value(SecretId=arn, SecretString=before)):
        secrets.put_secret_value(SecretId=arn, SecretString=value)
        [check] = look(hub, "qualys-secret")
    assert check.verdict is Verdict.FAILED
    assert words in check.reason
    assert "s3cr3t-v4lue" not in json.dumps(check.document())


def test_a_topic_that_alarms_may_not_use_and_that_nobody_hears(hub: DeployedHub, deployment: Deployment) -> None:
    sns, arn = deployment.client("sns"), deployment.outputs["TopicArn"]
    before = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]

    def put(name: str, value: str) -> None:
        sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)

    policy = json.loads(before)
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    with restored(lambda: put("Policy", before)):
        put("Policy", json.dumps(policy))
        assert told(hub, "topic") == [("failed", "its policy does not let CloudWatch's alarms publish")]
    assert told(hub, "topic")[0][0] == "ok"
    assert told(hub, "subscriptions") == [("warning", "nobody is subscribed")]
    queue = hub.queue_arn("SweepDlqUrl")
    subscription = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    with restored(lambda: sns.unsubscribe(SubscriptionArn=subscription)):
        assert told(hub, "subscriptions") == [("ok", "1 subscribed")]


def test_an_alarm_that_is_not_quiet_says_what_to_do(hub: DeployedHub, deployment: Deployment) -> None:
    watch = deployment.client("cloudwatch")
    names = ["scanhub-h6-dead-letters", "scanhub-h6-silent", "another"]

    def put(name: str, **more: Any) -> None:
        watch.put_metric_alarm(
            AlarmName=name,
            Namespace="scanhub",
            MetricName="Parked",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            **more,
        )

    with restored(lambda: watch.delete_alarms(AlarmNames=names)):
        put(names[0], AlarmDescription="Read the reasons of the parked messages.")
        put(names[1], ActionsEnabled=False)
        put(names[2])
        for name, state in zip(names, ("ALARM", "OK", "ALARM"), strict=True):
            watch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="1 datapoint")
        found = {check.subject: check for check in look(hub, "alarms")}
    assert found[names[0]].verdict is Verdict.WARNING
    assert found[names[0]].reason == "it is in alarm: 1 datapoint"
    assert found[names[0]].fix == "Read the reasons of the parked messages."
    assert found[names[1]].reason == "its actions are disabled"
    assert names[2] not in found


def test_the_trail_of_an_account_serves_where_hub_and_spoke_share_it(hub: DeployedHub, deployment: Deployment) -> None:
    assert told(hub, "organization-trail") == [("failed", "this account sees no trail at all")]
    s3, trails = deployment.client("s3"), deployment.client("cloudtrail")
    region = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="trail-logs", CreateBucketConfiguration=region)
    with restored(lambda: s3.delete_bucket(Bucket="trail-logs"), lambda: trails.delete_trail(Name="all")):
        trails.create_trail(Name="all", S3BucketName="trail-logs", IsMultiRegionTrail=True)
        assert told(hub, "organization-trail") == [("failed", "all: it does not log")]
        trails.start_logging(Name="all")
        reads = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True, "DataResources": []}
        trails.put_event_selectors(TrailName="all", EventSelectors=[reads])
        assert told(hub, "organization-trail") == [("failed", "all: it does not log management events that write")]
        # What AWS has for a trail without selectors of its own.
        trails.put_event_selectors(TrailName="all", EventSelectors=[{**reads, "ReadWriteType": "All"}])
        [(verdict, reason)] = told(hub, "organization-trail")
    assert (verdict, "this account alone" in reason) == ("warning", True)


def test_silence_counts_from_a_day_on(deployment: Deployment) -> None:
    watch = deployment.client("cloudwatch")
    with restored(lambda: watch.delete_alarms(AlarmNames=["scanhub-h6-quiet"])):
        watch.put_metric_alarm(
            AlarmName="scanhub-h6-quiet",
            Namespace="scanhub",
            MetricName="Slots",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        watch.set_alarm_state(AlarmName="scanhub-h6-quiet", StateValue="INSUFFICIENT_DATA", StateReason="none")
        [alarm] = watch.describe_alarms(AlarmNames=["scanhub-h6-quiet"])["MetricAlarms"]
        since = alarm["StateUpdatedTimestamp"]
        for hours, is_told in ((23, False), (25, True)):
            moment = since + timedelta(hours=hours)
            later = deployed.find(deployment.accounts, now=partial(datetime.fromisoformat, moment.isoformat()))
            assert later is not None
            assert ("scanhub-h6-quiet" in {check.subject for check in look(later, "alarms")}) is is_told
