"""What `spoke.yaml` makes in each account and region."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local import traffic
from infra.local.deployment import Deployment
from infra.local.publication import publish
from infra.rollout.site import SPOKE_STACK
from tests.infra.local.packages import SmallFunction
from tests.infra.template import template


def role(deployment: Deployment, account: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment.client("iam", account=account).get_role(RoleName=name)["Role"]
    return found


def made(deployment: Deployment, account: str, region: str) -> dict[str, str]:
    stacks = deployment.client("cloudformation", account=account, region=region)
    pages = stacks.get_paginator("list_stack_resources").paginate(StackName=SPOKE_STACK)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }


def test_the_roles_are_made_in_the_primary_region_alone(deployment: Deployment) -> None:
    everywhere = {"ForwardRule", "UndeliveredQueue", "UndeliveredQueuePolicy"}
    conditional = {"CodeKeysUse", "UndeliveredAlarm", "LostAlarm"}
    declared = set(template("spoke.yaml")["Resources"])
    first, *others = deployment.regions
    for account in deployment.spokes:
        assert set(made(deployment, account, first)) == declared - conditional
        for region in others:
            assert set(made(deployment, account, region)) == everywhere


def test_the_read_role_asks_for_the_external_id(deployment: Deployment) -> None:
    secret = deployment.client("secretsmanager").get_secret_value(SecretId=deployment.outputs["ExternalIdSecretArn"])
    for account in deployment.spokes:
        assume, name_itself = role(deployment, account, "scanhub-spoke")["AssumeRolePolicyDocument"]["Statement"]
        assert assume["Principal"] == name_itself["Principal"] == {"AWS": deployment.outputs["TaskRoleArn"]}
        assert assume["Condition"]["StringEquals"] == {
            "sts:ExternalId": secret["SecretString"],
            "aws:PrincipalOrgID": deployment.organization,
        }
        assert name_itself["Action"] == "sts:SetSourceIdentity"


def test_the_read_role_has_its_policies_and_the_tagging_one(deployment: Deployment) -> None:
    iam = deployment.client("iam", account=deployment.spokes[0])
    assert set(iam.list_role_policies(RoleName="scanhub-spoke")["PolicyNames"]) == {"scan", "own-tags"}
    document = iam.get_role_policy(RoleName="scanhub-spoke", PolicyName="own-tags")["PolicyDocument"]
    assert document["Statement"][0]["Action"] == "lambda:TagResource"
    scan = iam.get_role_policy(RoleName="scanhub-spoke", PolicyName="scan")["PolicyDocument"]["Statement"]
    functions = next(one for one in scan if one["Sid"] == "ReadFunctions")
    assert functions["Resource"] == f"arn:aws:lambda:*:{deployment.spokes[0]}:function:*"


def test_each_region_forwards_to_the_hub_by_the_one_role(deployment: Deployment) -> None:
    for account in deployment.spokes:
        forward = role(deployment, account, "scanhub-forward")
        (trust,) = forward["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "events.amazonaws.com"}
        iam = deployment.client("iam", account=account)
        document = iam.get_role_policy(RoleName="scanhub-forward", PolicyName="forward")["PolicyDocument"]
        assert document["Statement"][0]["Resource"] == deployment.outputs["BusArn"]
        for region in deployment.regions:
            events = deployment.client("events", account=account, region=region)
            assert events.describe_rule(Name="scanhub-forward")["State"] == "ENABLED"
            (target,) = events.list_targets_by_rule(Rule="scanhub-forward")["Targets"]
            assert target == {
                "Id": "hub",
                "Arn": deployment.outputs["BusArn"],
                "RoleArn": forward["Arn"],
                "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{region}:{account}:scanhub-forward-undelivered"},
                "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
            }


def test_the_hub_and_its_spokes_have_the_same_pattern(deployment: Deployment) -> None:
    hub = deployment.client("events").describe_rule(Name="scanhub-changes", EventBusName="scanhub")
    for account in deployment.spokes:
        for region in deployment.regions:
            spoke = deployment.client("events", account=account, region=region).describe_rule(Name="scanhub-forward")
            assert json.loads(spoke["EventPattern"]) == json.loads(hub["EventPattern"])


def test_each_spoke_keeps_what_could_not_be_forwarded(deployment: Deployment) -> None:
    for account in deployment.spokes:
        for region in deployment.regions:
            client = deployment.client("sqs", account=account, region=region)
            url = client.get_queue_url(QueueName="scanhub-forward-undelivered")["QueueUrl"]
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            policy = json.loads(attributes["Policy"])["Statement"]
            (allowed,) = [one for one in policy if one["Effect"] == "Allow"]
            rule = f"arn:aws:events:{region}:{account}:rule/scanhub-forward"
            assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": rule}
            assert (attributes["SqsManagedSseEnabled"], attributes["MessageRetentionPeriod"]) == ("true", "1209600")


def test_without_its_parameter_there_is_no_alarm(deployment: Deployment) -> None:
    for account in deployment.spokes:
        cloudwatch = deployment.client("cloudwatch", account=account)
        assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_what_a_spoke_forwarded_can_be_replayed_from_the_hubs_archive(deployment: Deployment) -> None:
    function = publish(deployment, SmallFunction("replayed", account=1, region=1))
    traffic.put(deployment, function.account, function.region, [traffic.created(function)])
    events, queues = deployment.client("events"), deployment.client("sqs")
    archive = events.describe_archive(ArchiveName="scanhub-changes")["ArchiveArn"]
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName="after-an-outage",
        EventSourceArn=archive,
        EventStartTime=now - timedelta(hours=1),
        EventEndTime=now + timedelta(hours=1),
        Destination={"Arn": deployment.outputs["BusArn"]},
    )
    received = queues.receive_message(QueueUrl=deployment.outputs["ChangesQueueUrl"], MaxNumberOfMessages=10)
    bodies = [json.loads(message["Body"]) for message in received["Messages"]]
    assert [(one["account"], one["region"]) for one in bodies] == [(function.account, function.region)] * 2
    assert [one.get("replay-name") for one in bodies] == [None, "after-an-outage"]
