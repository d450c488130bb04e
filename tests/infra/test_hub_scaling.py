"""The hub's service and the schedule of its sweep, as `infra/hub.yaml` has them."""

import re
from typing import Any

import pytest

from tests.infra.template import of_type, placed, template, text
from tests.policies.world import hub

HUB = "hub.yaml"


def only(kind: str) -> dict[str, Any]:
    (one,) = of_type(HUB, kind).values()
    return one


def test_what_runs_is_there_only_with_an_image_and_a_network() -> None:
    conditional = {name: one["Condition"] for name, one in template(HUB)["Resources"].items() if "Condition" in one}
    runs = re.compile("ECS|EC2|Scheduler")
    expected = {name for name, one in template(HUB)["Resources"].items() if runs.search(one["Type"])}
    assert expected <= set(conditional)
    assert {conditional[name] for name in expected} == {"RunsService", "SweepsOnSchedule"}
    sweeps = {name for name, condition in conditional.items() if condition == "SweepsOnSchedule"}
    # The task itself is always there: an operator starts it too.
    assert sweeps == {"ScheduleGroup", "SchedulerRole", "SweepSchedule"}
    assert conditional["SweepTask"] == "RunsService"


def test_the_cluster_tells_its_tasks() -> None:
    assert {"Name": "containerInsights", "Value": "enabled"} in only("AWS::ECS::Cluster")["ClusterSettings"]


def test_an_update_of_the_stack_leaves_the_count_to_scaling() -> None:
    """AWS::ECS::Service without DesiredCount begins with one task and keeps what is there on update."""
    assert "DesiredCount" not in only("AWS::ECS::Service")


def test_a_bad_deployment_is_taken_back_and_a_scan_is_not_ended_by_a_shell() -> None:
    service = only("AWS::ECS::Service")
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
    assert service["EnableExecuteCommand"] is False
    assert service["EnableECSManagedTags"] is True


def test_tasks_share_spot_and_on_demand_as_wanted() -> None:
    ((_, service),) = placed(HUB, "AWS::ECS::Service").items()
    assert "LaunchType" not in service["Properties"], "ECS takes either"
    assert service["DependsOn"] == "CapacityProviders", "the cluster knows them first"
    on_demand, spot = service["Properties"]["CapacityProviderStrategy"]
    assert on_demand["CapacityProvider"] == "FARGATE"
    assert on_demand["Weight"] == {"Fn::FindInMap": ["OnDemand", {"Ref": "SpotShare"}, "Weight"]}
    condition, provider, otherwise = spot["Fn::If"]
    assert condition == "UsesSpot"
    assert provider == {"CapacityProvider": "FARGATE_SPOT", "Weight": {"Ref": "SpotShare"}}
    assert otherwise == {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize("share", [0, 25, 50, 75, 100])
def test_the_cluster_keeps_spot_when_the_share_goes_back_to_none(share: int) -> None:
    """No provider goes while tasks use it, and Spot's stay (PutClusterCapacityProviders in ECS's API reference)."""
    deployed = hub(SpotShare=str(share))
    assert deployed.resources["CapacityProviders"]["Properties"]["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


@pytest.mark.parametrize(
    ("partition", "region"), [("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1"), ("aws", "eu-central-1")]
)
def test_where_spot_may_not_be_sold_it_is_named_only_when_wanted(partition: str, region: str) -> None:
    without, half = (
        hub(region, partition, SpotShare=share).resources["CapacityProviders"]["Properties"]["CapacityProviders"]
        for share in ("0", "50")
    )
    assert half == ["FARGATE", "FARGATE_SPOT"]
    assert without == (half if partition == "aws" else ["FARGATE"])


def test_no_task_is_ended_to_balance_zones() -> None:
    """ECS balances the zones of a new service unless told otherwise (CreateService in its API reference)."""
    assert only("AWS::ECS::Service")["AvailabilityZoneRebalancing"] == "DISABLED"


def test_the_two_shares_are_a_hundred_percent() -> None:
    share = template(HUB)["Parameters"]["SpotShare"]
    weights = template(HUB)["Mappings"]["OnDemand"]
    assert {int(key): row["Weight"] for key, row in weights.items()} == {
        one: 100 - one for one in share["AllowedValues"]
    }
    assert share["Default"] == 0


def test_the_sweep_is_started_by_the_schedule_in_the_workers_network() -> None:
    schedule = only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == {"Ref": "BulkScanSchedule"}
    assert schedule["GroupName"] == {"Ref": "ScheduleGroup"}
    target = schedule["Target"]
    assert target["RoleArn"] == {"Fn::GetAtt": "SchedulerRole.Arn"}
    assert target["Arn"] == {"Fn::GetAtt": "Cluster.Arn"}
    assert target["EcsParameters"]["TaskDefinitionArn"] == {"Ref": "SweepTask"}
    assert target["EcsParameters"]["NetworkConfiguration"] == only("AWS::ECS::Service")["NetworkConfiguration"]


@pytest.mark.parametrize(
    ("expression", "right"),
    [("", True), ("rate(1 day)", True), ("cron(0 3 * * ? *)", True), ("daily", False), ("at(2026-11-22T05:00)", False)],
)
def test_a_schedule_is_a_rate_or_a_cron(expression: str, right: bool) -> None:
    pattern = template(HUB)["Parameters"]["BulkScanSchedule"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, expression)) is right


def test_all_functions_are_swept_once_a_day_unless_told_otherwise() -> None:
    assert template(HUB)["Parameters"]["BulkScanSchedule"]["Default"] == "rate(1 day)"


def test_nothing_of_scaling_is_left_in_the_hubs_own_stack() -> None:
    """The names are unique in an account and region: two stacks that make them would be at odds."""
    assert "scanhub-scaling" not in text(HUB)
    assert not re.search(
        "ApplicationAutoScaling|CloudWatch::", " ".join(one["Type"] for one in template(HUB)["Resources"].values())
    )


def test_an_image_without_a_network_is_refused() -> None:
    (rule,) = template(HUB)["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ScannerImageUri"}, ""]}]}
    assert [one["Assert"] for one in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "VpcId"}, ""]}]},
        {"Fn::Not": [{"Fn::Contains": [{"Ref": "SubnetIds"}, ""]}]},
    ]
