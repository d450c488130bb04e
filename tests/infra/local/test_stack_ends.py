"""Stacks that are deleted, or fail the first time: what stays and what goes."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.calls import AwsClient
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK, SPOKE_STACK
from spoke.errors import Misconfigured
from tests.conftest import forget_aws

SPOKE = "210000000001"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def cloud() -> Iterator[EmbeddedCloud]:
    """An empty cloud for each test."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as running:
        forget_aws(environment)
        yield running


def left(client: Callable[[str], AwsClient]) -> dict[str, list[str]]:
    """What there is of the kinds that the hub makes."""
    logs = client("logs").describe_log_groups(logGroupNamePrefix="/scanhub")["logGroups"]
    buses = client("events").list_event_buses()["EventBuses"]
    # A cluster that was deleted is listed for a while, as inactive.
    clusters = client("ecs").describe_clusters(clusters=client("ecs").list_clusters()["clusterArns"])["clusters"]
    keys = [client("kms").describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in client("kms").list_keys()["Keys"]]
    found = {
        "aliases": [
            one["AliasName"] for one in client("kms").list_aliases()["Aliases"] if "scanhub" in one["AliasName"]
        ],
        "alarms": [one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "archives": [one["ArchiveName"] for one in client("events").list_archives()["Archives"]],
        "buckets": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
        "buses": [one["Name"] for one in buses if one["Name"] != "default"],
        "clusters": [one["clusterName"] for one in clusters if one["status"] == "ACTIVE"],
        "dashboards": [one["DashboardName"] for one in client("cloudwatch").list_dashboards()["DashboardEntries"]],
        "keys": [one["Description"] for one in keys if one["KeyState"] == "Enabled"],
        "logs": [one["logGroupName"] for one in logs],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "roles": [one["RoleName"] for one in client("iam").list_roles()["Roles"]],
        "rules": [one["Name"] for one in client("events").list_rules()["Rules"]],
        "secrets": [one["Name"] for one in client("secretsmanager").list_secrets()["SecretList"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "topics": [one["TopicArn"] for one in client("sns").list_topics()["Topics"]],
    }
    return {kind: names for kind, names in found.items() if names}


def delete(deployment: Deployment, *stacks: str) -> None:
    for stack in stacks:
        deployment.client("cloudformation").delete_stack(StackName=stack)


def test_a_hub_that_is_deleted_leaves_its_data_and_nothing_else(cloud: EmbeddedCloud) -> None:
    deployment = deploy(cloud.endpoint, spokes=1)
    delete(deployment, MONITORING_STACK, HUB_STACK, NETWORK_STACK)
    assert deployment.client("cloudformation").describe_stacks()["Stacks"] == []
    assert left(deployment.client) == {
        "buckets": ["scanhub-results-123456789012-eu-central-1"],
        "keys": ["scanhub, everything at rest in the hub"],
        "logs": ["/scanhub/worker"],
        "tables": ["scanhub-ledger"],
    }


def test_a_spoke_that_is_deleted_leaves_nothing(cloud: EmbeddedCloud) -> None:
    deployment = deploy(cloud.endpoint, spokes=1, parameters={"spoke.yaml": {"CreateAlarm": "true"}})
    for region in reversed(deployment.regions):
        stacks = deployment.client("cloudformation", account=SPOKE, region=region)
        stacks.delete_stack(StackName=SPOKE_STACK)
        assert stacks.describe_stacks()["Stacks"] == []
    for region in deployment.regions:
        assert left(partial(deployment.client, account=SPOKE, region=region)) == {}


def test_a_hub_that_fails_the_first_time_leaves_nothing_not_even_what_a_later_deletion_retains(
    cloud: EmbeddedCloud,
) -> None:
    make: Any = boto3.client

    def client(service: str) -> AwsClient:
        return make(service, endpoint_url=cloud.endpoint)

    # Somebody has a role of that name already.
    client("iam").create_role(RoleName="scanhub-execution", AssumeRolePolicyDocument=TRUST)
    with pytest.raises(Misconfigured, match=r"ROLLBACK_COMPLETE: ExecutionRole.*already exists"):
        deploy(cloud.endpoint, spokes=0)
    client("cloudformation").delete_stack(StackName=NETWORK_STACK)
    assert left(client) == {"roles": ["scanhub-execution"]}
    client("iam").delete_role(RoleName="scanhub-execution")
    client("cloudformation").delete_stack(StackName=HUB_STACK)
    assert deploy(cloud.endpoint, spokes=0).outputs["ServiceName"] == "scanhub-worker"


def test_a_ledger_that_is_protected_refuses_to_be_deleted_by_hand(cloud: EmbeddedCloud) -> None:
    deployment = deploy(cloud.endpoint, spokes=0, parameters={"hub.yaml": {"DeletionProtection": "true"}})
    tables = deployment.client("dynamodb")
    with pytest.raises(ClientError, match="DeletionProtectionEnabled is set to True"):
        tables.delete_table(TableName="scanhub-ledger")
    assert tables.list_tables()["TableNames"] == ["scanhub-ledger"]
