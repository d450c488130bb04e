"""RunTask, which the embedded cloud refuses: in one line, at once and for good."""

import pytest

from infra import hub_task
from infra.calls import AwsClient
from infra.local.accounts import Accounts
from spoke.errors import Misconfigured


@pytest.fixture
def ecs(accounts: Accounts) -> AwsClient:
    """With a service and a sweep's definition like the hub's: its memory is told for the task alone."""
    ecs = accounts.client("ecs")
    subnet = accounts.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    group = accounts.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
    ecs.create_cluster(clusterName=hub_task.CLUSTER)
    for family in (hub_task.SERVICE, hub_task.FAMILY):
        ecs.register_task_definition(
            family=family,
            cpu="1024",
            memory="4096",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[{"name": hub_task.CONTAINER, "image": "scanhub:0.1.0", "essential": True}],
        )
    ecs.create_service(
        cluster=hub_task.CLUSTER,
        serviceName=hub_task.SERVICE,
        taskDefinition=hub_task.SERVICE,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
        desiredCount=0,
    )
    return ecs


def test_whoever_starts_a_task_learns_that_none_runs_here(ecs: AwsClient) -> None:
    asked = []
    ecs.meta.events.register("before-send.ecs.RunTask", lambda **_: asked.append(1))
    with pytest.raises(Misconfigured) as told:
        hub_task.start(ecs, ["sweep"], by="user/jo")
    assert told.value.text == (
        "starting the task: UnsupportedFeatureException: the embedded cloud runs no tasks: run the command itself, here"
    )
    assert len(asked) == 1, "it is not tried again"
