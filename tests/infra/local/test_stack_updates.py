"""Stacks that are there already, changed in place."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.rollout.site import HUB_STACK, MONITORING_STACK
from tests.conftest import forget_aws

SPOKE = "210000000001"
LOGS_BUCKET = "access-logs-of-the-organization"


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as running:
        forget_aws(environment)
        yield running


@pytest.fixture(scope="module")
def hub(cloud: EmbeddedCloud) -> Deployment:
    return bring(cloud)


def bring(cloud: EmbeddedCloud, *, scaling: Mapping[str, str] = MappingProxyType({}), **parameters: str) -> Deployment:
    """The hub with these parameters; each test puts them back by naming only its own."""
    return deploy(cloud.endpoint, spokes=0, parameters={"hub.yaml": parameters, "hub-monitoring.yaml": scaling})


def physical_ids(deployment: Deployment, stack: str = HUB_STACK) -> dict[str, str]:
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }


def environment_of(deployment: Deployment) -> Mapping[str, str]:
    ecs = deployment.client("ecs")
    (service,) = ecs.describe_services(cluster="scanhub", services=["scanhub-worker"])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return {one["name"]: one["value"] for one in task["containerDefinitions"][0]["environment"]}


def service_of(deployment: Deployment) -> dict[str, Any]:
    (service,) = deployment.client("ecs").describe_services(cluster="scanhub", services=["scanhub-worker"])["services"]
    found: dict[str, Any] = service
    return found


@pytest.mark.parametrize(
    ("parameter", "value", "setting"),
    [
        ("CacheTTLDays", "7", "SCANHUB_CACHE_TTL_DAYS"),
        ("EnableTagging", "false", "SCANHUB_ENABLE_TAGGING"),
        ("ScanTimeout", "600", "SCANHUB_SCAN_TIMEOUT"),
        ("MaxScansPerAccount", "2", "SCANHUB_MAX_SCANS_PER_ACCOUNT"),
        ("ExcludeAccounts", "111122223333", "SCANHUB_EXCLUDE_ACCOUNTS"),
    ],
)
def test_a_setting_reaches_the_service_by_a_new_revision(
    cloud: EmbeddedCloud, hub: Deployment, parameter: str, value: str, setting: str
) -> None:
    before = physical_ids(bring(cloud))
    assert environment_of(hub)[setting] != value
    deploy(cloud.endpoint, spokes=0, parameters={"hub.yaml": {parameter: value}})
    assert environment_of(hub)[setting] == value
    after = physical_ids(hub)
    # Both tasks have the settings that concern them.
    changed = {name for name in before if before[name] != after[name]}
    assert {"Task"} <= changed <= {"Task", "SweepTask"}
    ecs = hub.client("ecs")
    active = ecs.list_task_definitions(familyPrefix="scanhub-worker", status="ACTIVE")["taskDefinitionArns"]
    assert active == [after["Task"]]


def test_bounds_and_capacity_of_the_service_change_in_place(cloud: EmbeddedCloud, hub: Deployment) -> None:
    before = physical_ids(bring(cloud)), physical_ids(hub, MONITORING_STACK)
    bring(cloud, scaling={"MinTasks": "2", "MaxTasks": "30", "BacklogPerTask": "5"}, SpotShare="50")
    (target,) = hub.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 30)
    assert {one["capacityProvider"]: one["weight"] for one in service_of(hub)["capacityProviderStrategy"]} == {
        "FARGATE": 50,
        "FARGATE_SPOT": 50,
    }
    policies = hub.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")
    (backlog,) = [one for one in policies["ScalingPolicies"] if one["PolicyName"] == "scanhub-backlog"]
    assert backlog["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 5.0
    assert (physical_ids(hub), physical_ids(hub, MONITORING_STACK)) == before


def test_results_and_archive_get_other_terms_and_keep_what_they_hold(cloud: EmbeddedCloud, hub: Deployment) -> None:
    bring(cloud)
    s3, bucket = hub.client("s3"), hub.outputs["ResultsBucket"]
    s3.put_object(Bucket=bucket, Key="scans/kept", Body=b"result", ServerSideEncryption="aws:kms")
    ledger = hub.client("dynamodb")
    ledger.put_item(TableName="scanhub-ledger", Item={"pk": {"S": "kept"}, "sk": {"S": "state"}})
    before = physical_ids(hub)
    bring(cloud, ResultsExpirationDays="30", ArchiveDays="90", DeletionProtection="true", MaxReceiveCount="200")
    rules = {one["ID"]: one for one in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert (rules["results"]["Status"], rules["results"]["Expiration"]) == ("Enabled", {"Days": 30})
    assert hub.client("events").describe_archive(ArchiveName="scanhub-changes")["RetentionDays"] == 90
    table = ledger.describe_table(TableName="scanhub-ledger")["Table"]
    assert (table["DeletionProtectionEnabled"], table["ItemCount"]) == (True, 1)
    url = hub.client("sqs").get_queue_url(QueueName="scanhub-changes")["QueueUrl"]
    attributes = hub.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert '"maxReceiveCount": 200' in attributes["RedrivePolicy"]
    assert s3.get_object(Bucket=bucket, Key="scans/kept")["Body"].read() == b"result"
    assert physical_ids(hub) == before


def test_the_sweeps_schedule_comes_changes_and_goes(cloud: EmbeddedCloud, hub: Deployment) -> None:
    def schedules() -> list[str]:
        scheduler = hub.client("scheduler")
        names = [one["Name"] for one in scheduler.list_schedules()["Schedules"]]
        return [scheduler.get_schedule(Name=name, GroupName="scanhub")["ScheduleExpression"] for name in names]

    def overdue() -> bool:
        return "SweepOverdue" in physical_ids(hub, MONITORING_STACK)

    before = physical_ids(bring(cloud))
    assert (schedules(), overdue()) == (["rate(1 day)"], True)
    bring(cloud, BulkScanSchedule="cron(0 3 * * ? *)")
    assert (schedules(), overdue()) == (["cron(0 3 * * ? *)"], True)
    bring(cloud, BulkScanSchedule="")
    # Whoever sweeps by hand is not told that no sweep came by itself.
    assert (schedules(), overdue()) == ([], False)
    assert before.items() - physical_ids(hub).items() == {
        (name, one) for name, one in before.items() if name in {"ScheduleGroup", "SchedulerRole", "SweepSchedule"}
    }
    bring(cloud)
    assert schedules() == ["rate(1 day)"]


def test_notifications_leave_the_workers_settings_and_the_topic_stays(cloud: EmbeddedCloud, hub: Deployment) -> None:
    bring(cloud, EnableSNSNotifications="false")
    assert not environment_of(hub).get("SCANHUB_TOPIC_ARN")
    assert hub.client("sns").get_topic_attributes(TopicArn=hub.outputs["TopicArn"])
    bring(cloud)
    assert environment_of(hub)["SCANHUB_TOPIC_ARN"] == hub.outputs["TopicArn"]


def test_access_logs_go_where_they_are_told_to(cloud: EmbeddedCloud, hub: Deployment) -> None:
    s3, bucket = hub.client("s3"), hub.outputs["ResultsBucket"]
    s3.create_bucket(Bucket=LOGS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    grantee = 'uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    s3.put_bucket_acl(Bucket=LOGS_BUCKET, GrantWrite=grantee, GrantReadACP=grantee)
    bring(cloud, AccessLogsBucket=LOGS_BUCKET)
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == {
        "TargetBucket": LOGS_BUCKET,
        "TargetPrefix": f"{bucket}/",
    }
    bring(cloud)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_a_spoke_gets_and_loses_its_alarms_and_its_rights_in_place(cloud: EmbeddedCloud) -> None:
    def spoke(**parameters: str) -> Deployment:
        return deploy(cloud.endpoint, spokes=1, parameters={"spoke.yaml": parameters})

    def seen() -> tuple[set[str], list[dict[str, str]]]:
        policies = set(
            deployment.client("iam", account=SPOKE).list_role_policies(RoleName="scanhub-spoke")["PolicyNames"]
        )
        alarms = [
            {one["AlarmName"]: "".join(one["AlarmActions"]) for one in cloudwatch.describe_alarms()["MetricAlarms"]}
            for cloudwatch in (
                deployment.client("cloudwatch", account=SPOKE, region=region) for region in deployment.regions
            )
        ]
        return policies, alarms

    deployment = spoke()
    role = deployment.client("iam", account=SPOKE).get_role(RoleName="scanhub-spoke")["Role"]
    assert seen() == ({"scan", "own-tags"}, [{}, {}])
    topic = f"arn:aws:sns:us-east-1:{SPOKE}:operations"
    spoke(CreateAlarm="true", AlarmTopicArn=topic, DecryptCode="true", EnableTagging="false")
    names = ("scanhub-forward-failed", "scanhub-forward-undelivered")
    # CloudWatch reaches no topic of another region.
    assert seen() == (
        {"scan", "encrypted-code"},
        [dict.fromkeys(names, ""), dict.fromkeys(names, topic)],
    )
    spoke()
    assert seen() == ({"scan", "own-tags"}, [{}, {}])
    again = deployment.client("iam", account=SPOKE).get_role(RoleName="scanhub-spoke")["Role"]
    assert (again["RoleId"], again["CreateDate"]) == (role["RoleId"], role["CreateDate"])


def test_a_spokes_roles_move_to_another_path_by_being_made_anew(cloud: EmbeddedCloud, hub: Deployment) -> None:
    bring(cloud, SpokeRolePath="/security/")
    statement = hub.client("iam").get_role_policy(RoleName="scanhub-worker", PolicyName="worker")["PolicyDocument"]
    (enters,) = [one for one in statement["Statement"] if one["Sid"] == "EnterSpokes"]
    assert enters["Resource"] == "arn:aws:iam::*:role/security/scanhub-spoke"
    bring(cloud)


def test_a_parameter_that_the_template_refuses_changes_nothing(cloud: EmbeddedCloud, hub: Deployment) -> None:
    bring(cloud)
    stacks = hub.client("cloudformation")
    (before,) = stacks.describe_stacks(StackName=HUB_STACK)["Stacks"]
    parameters = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in before["Parameters"]
        if one["ParameterKey"] != "CacheTTLDays"
    ]
    with pytest.raises(ClientError, match=r"CacheTTLDays.*not greater than 365"):
        stacks.update_stack(
            StackName=HUB_STACK,
            UsePreviousTemplate=True,
            Parameters=[*parameters, {"ParameterKey": "CacheTTLDays", "ParameterValue": "366"}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    (after,) = stacks.describe_stacks(StackName=HUB_STACK)["Stacks"]
    assert after["StackStatus"] == before["StackStatus"]
