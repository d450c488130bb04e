"""What `hub.yaml` makes, as AWS's own calls describe it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK
from tests.conftest import forget_aws
from tests.infra.template import template

HUB = "123456789012"
RULE = f"arn:aws:events:eu-central-1:{HUB}:rule/scanhub/scanhub-changes"
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}
SCHEDULED = {"BulkScanSchedule": "rate(1 day)", "SpotShare": "25", "ResultsExpirationDays": "400"}


@pytest.fixture(scope="module")
def hub() -> Iterator[Deployment]:
    """A hub with everything that a parameter can add to it, but no spokes."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        yield deploy(cloud.endpoint, spokes=0, parameters={"hub.yaml": SCHEDULED})


def sids(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in statements}


def queue(hub: Deployment, name: str) -> dict[str, Any]:
    client = hub.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    attributes: dict[str, Any] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes


@pytest.mark.parametrize(
    ("stack", "name", "left_out"),
    [
        (HUB_STACK, "hub.yaml", {"QualysSecretKeyUse"}),
        (MONITORING_STACK, "hub-monitoring.yaml", set()),
        (
            NETWORK_STACK,
            "hub-network.yaml",
            {
                "EcrApiEndpoint",
                "EcrDockerEndpoint",
                "EndpointGroup",
                "LambdaEndpoint",
                "LogsEndpoint",
                "SecretsManagerEndpoint",
                "SnsEndpoint",
                "SqsEndpoint",
                "StsEndpoint",
            },
        ),
    ],
)
def test_every_resource_whose_condition_holds_exists(
    hub: Deployment, stack: str, name: str, left_out: set[str]
) -> None:
    pages = hub.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    made = {one["LogicalResourceId"]: one for page in pages for one in page["StackResourceSummaries"]}
    declared = template(name)["Resources"]
    assert set(made) == set(declared) - left_out
    assert {key: one["ResourceType"] for key, one in made.items()} == {key: declared[key]["Type"] for key in made}
    assert all(one["PhysicalResourceId"] for one in made.values())


def test_the_key_rotates_and_each_service_may_use_it_for_one_thing(hub: Deployment) -> None:
    kms = hub.client("kms")
    key = hub.outputs["ResultsKmsKeyArn"]
    assert kms.describe_key(KeyId="alias/scanhub")["KeyMetadata"]["Arn"] == key
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    policy = sids(json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"])
    assert policy["AccountDecidesByIam"]["Principal"] == {"AWS": f"arn:aws:iam::{HUB}:root"}
    # Another rule here, and every event is lost without a word.
    conditions = policy["RuleFillsEncryptedQueues"]["Condition"].values()
    assert [one["aws:SourceArn"] for one in conditions if "aws:SourceArn" in one] == [RULE]
    assert policy["ArchiveOfTheBus"]["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": hub.outputs["BusArn"]}
    }
    assert policy["AlarmsPublishToTheTopic"]["Condition"]["ArnLike"] == {
        "aws:SourceArn": f"arn:aws:cloudwatch:eu-central-1:{HUB}:alarm:scanhub-*"
    }
    assert policy["LogsOfTheWorker"]["Principal"] == {"Service": "logs.eu-central-1.amazonaws.com"}


def test_the_bus_admits_lambda_events_of_the_organization_alone(hub: Deployment) -> None:
    bus = hub.client("events").describe_event_bus(Name="scanhub")
    (statement,) = json.loads(bus["Policy"])["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": hub.organization}
    assert statement["Condition"]["ForAllValues:StringEquals"] == {"events:source": "aws.lambda"}
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", hub.outputs["BusArn"])


def test_the_rule_fills_the_changes_queue_and_the_archive_keeps_what_came(hub: Deployment) -> None:
    events = hub.client("events")
    rule = events.describe_rule(Name="scanhub-changes", EventBusName="scanhub")
    assert (rule["State"], rule["Arn"]) == ("ENABLED", RULE)
    pattern = json.loads(rule["EventPattern"])
    assert (pattern["source"], pattern["detail"]["errorCode"]) == (["aws.lambda"], [{"exists": False}])
    assert {"prefix": "UpdateFunctionCode20"} in pattern["detail"]["eventName"]
    (target,) = events.list_targets_by_rule(Rule="scanhub-changes", EventBusName="scanhub")["Targets"]
    assert target == {
        "Id": "changes",
        "Arn": f"arn:aws:sqs:eu-central-1:{HUB}:scanhub-changes",
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:eu-central-1:{HUB}:scanhub-undelivered"},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
    }
    archive = events.describe_archive(ArchiveName="scanhub-changes")
    assert (archive["EventSourceArn"], archive["RetentionDays"]) == (hub.outputs["BusArn"], 14)


@pytest.mark.parametrize("name", ["changes", "changes-dlq", "sweep", "sweep-dlq", "undelivered"])
def test_every_queue_is_encrypted_keeps_two_weeks_and_speaks_tls_only(hub: Deployment, name: str) -> None:
    attributes = queue(hub, f"scanhub-{name}")
    denied = sids(json.loads(attributes["Policy"])["Statement"])["TlsOnly"]
    assert (denied["Effect"], denied["Principal"], denied["Condition"]) == ("Deny", "*", TLS_ONLY)
    assert denied["Resource"] == attributes["QueueArn"]
    assert attributes["KmsMasterKeyId"] == hub.outputs["ResultsKmsKeyArn"].rpartition("/")[2]
    assert attributes["MessageRetentionPeriod"] == "1209600"


@pytest.mark.parametrize("name", ["changes", "sweep"])
def test_a_queue_hands_its_poison_to_its_own_dead_letter_queue(hub: Deployment, name: str) -> None:
    attributes, dead = queue(hub, f"scanhub-{name}"), queue(hub, f"scanhub-{name}-dlq")
    assert (attributes["VisibilityTimeout"], attributes["ReceiveMessageWaitTimeSeconds"]) == ("120", "20")
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": dead["QueueArn"],
        "maxReceiveCount": 1000,
    }


@pytest.mark.parametrize("name", ["changes", "undelivered"])
def test_from_outside_only_the_rule_may_send(hub: Deployment, name: str) -> None:
    policy = json.loads(queue(hub, f"scanhub-{name}")["Policy"])
    (allowed,) = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": RULE}


def test_the_ledger_has_its_index_its_expiry_its_backups_and_its_key(hub: Deployment) -> None:
    client, name = hub.client("dynamodb"), hub.settings["SCANHUB_LEDGER_TABLE"]
    table = client.describe_table(TableName=name)["Table"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    indexes = {
        one["IndexName"]: ([key["AttributeName"] for key in one["KeySchema"]], one["Projection"])
        for one in table["GlobalSecondaryIndexes"]
    }
    included = ["state", "reason", "runtime", "at", "resultAt"]
    assert indexes == {
        "by-state": (["state", "at"], {"ProjectionType": "ALL"}),
        "by-account": (["account", "place"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": included}),
    }
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is False
    assert table["SSEDescription"]["KMSMasterKeyArn"] == hub.outputs["ResultsKmsKeyArn"]
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_bucket_is_private_encrypted_versioned_and_speaks_tls_only(hub: Deployment) -> None:
    s3, bucket = hub.client("s3"), hub.settings["SCANHUB_RESULTS_BUCKET"]
    policy = sids(json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"])
    assert (policy["TlsOnly"]["Effect"], policy["TlsOnly"]["Condition"]) == ("Deny", TLS_ONLY)
    assert policy["TlsOnly"]["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    key = hub.outputs["ResultsKmsKeyArn"]
    assert key in policy["TheHubsKeyOnly"]["Condition"]["StringNotEquals"].values()
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert (len(blocked), set(blocked.values())) == (4, {True})
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    (ownership,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_results_expire_when_they_are_told_to(hub: Deployment) -> None:
    s3, bucket = hub.client("s3"), hub.settings["SCANHUB_RESULTS_BUCKET"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["what-was-replaced"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["what-was-replaced"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert (rules["results"]["Status"], rules["results"]["Expiration"]) == ("Enabled", {"Days": 400})
    assert rules["results"]["Filter"] == {"Prefix": "scans/"}


def test_the_topic_is_encrypted_and_only_alarms_publish_from_outside(hub: Deployment) -> None:
    attributes = hub.client("sns").get_topic_attributes(TopicArn=hub.outputs["TopicArn"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == hub.outputs["ResultsKmsKeyArn"].rpartition("/")[2]
    policy = sids(json.loads(attributes["Policy"])["Statement"])
    assert set(policy) == {"TlsOnly", "AlarmsPublish"}
    assert policy["TlsOnly"]["Effect"] == "Deny"
    assert policy["AlarmsPublish"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}


def test_secrets_lie_under_the_key(hub: Deployment) -> None:
    client = hub.client("secretsmanager")
    for output, name in (("QualysSecretArn", "scanhub/qualys"), ("ExternalIdSecretArn", "scanhub/external-id")):
        secret = client.describe_secret(SecretId=hub.outputs[output])
        assert (secret["Name"], secret["KmsKeyId"]) == (name, hub.outputs["ResultsKmsKeyArn"])


def test_the_log_group_lies_under_the_key_and_ends(hub: Deployment) -> None:
    (group,) = hub.client("logs").describe_log_groups(logGroupNamePrefix="/scanhub/worker")["logGroups"]
    declared = template("hub.yaml")["Parameters"]["LogRetentionDays"]["Default"]
    assert (group["retentionInDays"], group["kmsKeyId"]) == (declared, hub.outputs["ResultsKmsKeyArn"])


@pytest.mark.parametrize(
    ("role", "service", "policies"),
    [
        ("scanhub-worker", "ecs-tasks.amazonaws.com", ["worker"]),
        ("scanhub-execution", "ecs-tasks.amazonaws.com", ["execution"]),
        ("scanhub-scheduler", "scheduler.amazonaws.com", ["sweep"]),
    ],
)
def test_each_role_is_one_services_and_has_its_policies(
    hub: Deployment, role: str, service: str, policies: list[str]
) -> None:
    iam = hub.client("iam")
    (trust,) = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": service}, "sts:AssumeRole")
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": HUB}
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == policies
    statements = iam.get_role_policy(RoleName=role, PolicyName=policies[0])["PolicyDocument"]["Statement"]
    assert all(one["Effect"] == "Allow" and one["Sid"] for one in statements)


def test_the_worker_enters_only_the_spoke_role_of_its_organization(hub: Deployment) -> None:
    document = hub.client("iam").get_role_policy(RoleName="scanhub-worker", PolicyName="worker")["PolicyDocument"]
    enters = sids(document["Statement"])["EnterSpokes"]
    assert enters["Resource"] == "arn:aws:iam::*:role/scanhub-spoke"
    assert enters["Condition"] == {"StringEquals": {"aws:ResourceOrgID": hub.organization}}


def test_the_task_is_the_one_that_the_template_describes(hub: Deployment) -> None:
    task = hub.client("ecs").describe_task_definition(taskDefinition="scanhub-worker")["taskDefinition"]
    assert {key: task[key] for key in ("cpu", "memory", "networkMode", "requiresCompatibilities")} == {
        "cpu": "2048",
        "memory": "8192",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
    }
    assert task["ephemeralStorage"] == {"sizeInGiB": 60}
    assert task["runtimePlatform"] == {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"}
    assert task["taskRoleArn"] == hub.outputs["TaskRoleArn"]
    assert task["executionRoleArn"] == f"arn:aws:iam::{HUB}:role/scanhub-execution"
    assert task["volumes"] == [{"name": "scratch"}]
    (container,) = task["containerDefinitions"]
    assert (container["name"], container["image"], container["command"]) == (
        "worker",
        "scanhub/worker:local",
        ["worker"],
    )
    assert (container["user"], container["readonlyRootFilesystem"], container["essential"]) == (
        "10001:10001",
        True,
        True,
    )
    assert container["stopTimeout"] == 120
    assert container["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}}
    assert container["mountPoints"] == [
        {"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": False},
    ]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/scanhub/worker"
    assert container["healthCheck"]["command"] == ["CMD", "scanhub", "worker", "--check"]
    given = {pair["name"]: pair["value"] for pair in container["environment"]}
    told = {name: value for name, value in hub.settings.items() if name != "SCANHUB_BUS_ARN"}
    assert {name: given.get(name) for name in told} == told
    assert (given["SCANHUB_CACHE_TTL_DAYS"], given["SCANHUB_ENABLE_TAGGING"]) == ("30", "true")
    assert given["SCANHUB_TOPIC_ARN"] == hub.outputs["TopicArn"]
    assert "SCANHUB_EXTERNAL_ID" not in given


def test_the_service_runs_it_in_the_private_subnets_on_both_capacities(hub: Deployment) -> None:
    ecs = hub.client("ecs")
    (service,) = ecs.describe_services(cluster="scanhub", services=["scanhub-worker"])["services"]
    assert service["taskDefinition"].endswith(":task-definition/scanhub-worker:1")
    assert service["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE", "weight": 75},
        {"capacityProvider": "FARGATE_SPOT", "weight": 25},
    ]
    assert "launchType" not in service
    assert service["desiredCount"] == 1
    assert (service["propagateTags"], service["enableECSManagedTags"], service["enableExecuteCommand"]) == (
        "SERVICE",
        True,
        False,
    )
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    names = {
        tag["Value"]
        for subnet in hub.client("ec2").describe_subnets(SubnetIds=network["subnets"])["Subnets"]
        for tag in subnet["Tags"]
        if tag["Key"] == "Name"
    }
    assert (names, network["assignPublicIp"]) == ({"scanhub-private-a", "scanhub-private-b"}, "DISABLED")
    (group,) = hub.client("ec2").describe_security_groups(GroupIds=network["securityGroups"])["SecurityGroups"]
    assert group["IpPermissions"] == []
    assert [(one["FromPort"], one["ToPort"]) for one in group["IpPermissionsEgress"]] == [(443, 443)]
    (cluster,) = ecs.describe_clusters(clusters=["scanhub"], include=["SETTINGS"])["clusters"]
    assert set(cluster["capacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
    assert cluster["settings"][0]["name"] == "containerInsights"


def test_the_service_scales_on_backlog_and_on_age(hub: Deployment) -> None:
    scaling = hub.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (
        "service/scanhub/scanhub-worker",
        1,
        10,
    )
    policies = {
        one["PolicyName"]: one for one in scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    }
    backlog = policies["scanhub-backlog"]["TargetTrackingScalingPolicyConfiguration"]
    assert backlog["TargetValue"] == 20.0
    metrics = {one["Id"]: one for one in backlog["CustomizedMetricSpecification"]["Metrics"]}
    assert metrics["changes"]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "QueueName", "Value": "scanhub-changes"}
    ]
    assert [key for key, one in metrics.items() if one.get("ReturnData", True)] == ["backlog"]
    steps = policies["scanhub-wait"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert [(one["MetricIntervalLowerBound"], one["ScalingAdjustment"]) for one in steps] == [(0.0, 1), (600.0, 2)]
    (alarm,) = hub.client("cloudwatch").describe_alarms(AlarmNames=["scanhub-scaling"])["MetricAlarms"]
    assert alarm["AlarmActions"] == [policies["scanhub-wait"]["PolicyARN"]]
    assert alarm["Threshold"] == 600.0


def test_the_sweep_is_a_task_on_a_schedule(hub: Deployment) -> None:
    schedule = hub.client("scheduler").get_schedule(Name="scanhub-sweep", GroupName="scanhub")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 day)", "ENABLED")
    target = schedule["Target"]
    assert (target["Arn"], target["RoleArn"]) == (
        f"arn:aws:ecs:eu-central-1:{HUB}:cluster/scanhub",
        f"arn:aws:iam::{HUB}:role/scanhub-scheduler",
    )
    task = target["EcsParameters"]["TaskDefinitionArn"]
    (container,) = hub.client("ecs").describe_task_definition(taskDefinition=task)["taskDefinition"][
        "containerDefinitions"
    ]
    assert container["command"] == ["sweep", "--metrics"]
