"""The hub's service, how it scales, and its schedule, as `infra/hub.yaml` has them."""

import re
from typing import Any

import pytest

from hub.metric_table import Metric
from hub.metrics import NAMESPACE
from tests.infra.metric_math import Figure, value
from tests.infra.template import of_type, placed, template
from tests.policies.world import hub

HUB = "hub.yaml"
DEFAULTS = {"BacklogPerTask": 20, "MaxChangeAge": 600}


def only(kind: str) -> dict[str, Any]:
    (one,) = of_type(HUB, kind).values()
    return one


def policy(kind: str) -> dict[str, Any]:
    (one,) = [
        one for one in of_type(HUB, "AWS::ApplicationAutoScaling::ScalingPolicy").values() if one["PolicyType"] == kind
    ]
    return one


def tracking() -> dict[str, Any]:
    configuration: dict[str, Any] = policy("TargetTrackingScaling")["TargetTrackingScalingPolicyConfiguration"]
    return configuration


def backlog(**known: Figure) -> Figure:
    figures: dict[str, Figure] = {"changes": None, "sweep": None, "tasks": None, "circuit": None}
    return value(tracking()["CustomizedMetricSpecification"]["Metrics"], figures | known, DEFAULTS)


def wait(**known: Figure) -> Figure:
    figures: dict[str, Figure] = dict.fromkeys(("changes", "sweep", "oldest", "desired", "circuit"))
    return value(only("AWS::CloudWatch::Alarm")["Metrics"], figures | known, DEFAULTS)


def test_what_runs_is_there_only_with_an_image_and_a_network() -> None:
    conditional = {name: one["Condition"] for name, one in template(HUB)["Resources"].items() if "Condition" in one}
    runs = re.compile("ECS|ApplicationAutoScaling|CloudWatch|EC2|Scheduler")
    expected = {name for name, one in template(HUB)["Resources"].items() if runs.search(one["Type"])}
    assert expected <= set(conditional)
    assert {conditional[name] for name in expected} == {"RunsService", "SweepsOnSchedule"}
    sweeps = {name for name, condition in conditional.items() if condition == "SweepsOnSchedule"}
    assert sweeps == {"SweepTask", "ScheduleGroup", "SchedulerRole", "SweepSchedule"}


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


def test_scaling_goes_from_the_fewest_tasks_to_the_most() -> None:
    target = only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert target["ResourceId"] == {"Fn::Sub": "service/${Cluster}/${Service.Name}"}
    assert target["ScalableDimension"] == "ecs:service:DesiredCount"
    assert (target["MinCapacity"], target["MaxCapacity"]) == ({"Ref": "MinTasks"}, {"Ref": "MaxTasks"})
    assert template(HUB)["Parameters"]["MinTasks"]["MinValue"] == 0
    for one in of_type(HUB, "AWS::ApplicationAutoScaling::ScalingPolicy").values():
        assert one["ScalingTargetId"] == {"Ref": "ScalableTarget"}


def test_the_backlog_per_task_is_tracked() -> None:
    assert tracking()["TargetValue"] == {"Ref": "BacklogPerTask"}
    assert "DisableScaleIn" not in tracking(), "what it added it takes away again"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"changes": 60.0, "sweep": 20.0, "tasks": 4.0, "circuit": 0.0}, 20.0),
        ({"changes": 0.0, "sweep": 0.0, "tasks": 4.0, "circuit": 0.0}, 0.0),
        # no task, whether Container Insights says so or says nothing
        ({"changes": 60.0, "sweep": 20.0, "tasks": 0.0}, 80.0),
        ({"changes": 60.0, "sweep": 20.0}, 80.0),
        # SQS has put a queue to sleep
        ({"changes": 60.0, "tasks": 2.0}, 30.0),
        ({"sweep": 60.0, "tasks": 2.0}, 30.0),
        ({"tasks": 2.0}, None),
        # Qualys is away: neither out nor in
        ({"changes": 900.0, "sweep": 0.0, "tasks": 1.0, "circuit": 1.0}, 20.0),
        ({"changes": 0.0, "sweep": 0.0, "tasks": 3.0, "circuit": 1.0}, 20.0),
    ],
)
def test_the_backlog_per_task(known: dict[str, Figure], expected: Figure) -> None:
    assert backlog(**known) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"changes": 3.0, "sweep": 0.0, "oldest": 700.0, "desired": 2.0, "circuit": 0.0}, 700.0),
        # old, but in somebody's hand: another task is no help
        ({"changes": 0.0, "sweep": 0.0, "oldest": 3000.0, "desired": 2.0, "circuit": 0.0}, 0.0),
        ({"changes": 3.0, "sweep": 0.0, "oldest": 9000.0, "desired": 2.0, "circuit": 1.0}, 0.0),
        # a single message, and nobody there
        ({"changes": 1.0, "sweep": 0.0, "oldest": 5.0, "desired": 0.0}, 601.0),
        ({"changes": 1.0, "oldest": 5.0}, 601.0),
        ({"sweep": 1.0, "desired": 0.0}, 601.0),
        # more tasks were called and start, beside one that runs: no other one before the change is old
        ({"changes": 1.0, "sweep": 0.0, "oldest": 5.0, "desired": 3.0}, 5.0),
        # no task runs, of which Container Insights tells nothing, not even that one is wanted
        ({"changes": 1.0, "sweep": 0.0, "oldest": 5.0}, 601.0),
        ({"changes": 0.0, "sweep": 0.0, "oldest": 0.0, "desired": 0.0}, 0.0),
        ({}, None),
    ],
)
def test_how_long_a_change_waits_for_a_task(known: dict[str, Figure], expected: Figure) -> None:
    assert wait(**known) == expected


def test_an_old_change_adds_tasks() -> None:
    alarm = only("AWS::CloudWatch::Alarm")
    assert alarm["AlarmName"] == "scanhub-scaling"
    assert alarm["AlarmActions"] == [{"Ref": "WaitScaling"}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", {"Ref": "MaxChangeAge"})
    assert alarm["TreatMissingData"] == "notBreaching"
    assert "docs/operate.md#" in alarm["AlarmDescription"]
    steps = policy("StepScaling")["StepScalingPolicyConfiguration"]["StepAdjustments"]
    first, second = steps
    assert (first["MetricIntervalLowerBound"], first["ScalingAdjustment"]) == (0, 1)
    assert first["MetricIntervalUpperBound"] == second["MetricIntervalLowerBound"] == {"Ref": "MaxChangeAge"}
    assert second["ScalingAdjustment"] == 2
    assert "MetricIntervalUpperBound" not in second


def metrics() -> list[dict[str, Any]]:
    queries = [*tracking()["CustomizedMetricSpecification"]["Metrics"], *only("AWS::CloudWatch::Alarm")["Metrics"]]
    return [query["MetricStat"] for query in queries if "MetricStat" in query]


def test_scaling_looks_at_metrics_that_exist() -> None:
    queues = {one["QueueName"] for one in of_type(HUB, "AWS::SQS::Queue").values()}
    cluster, service = only("AWS::ECS::Cluster")["ClusterName"], only("AWS::ECS::Service")["ServiceName"]
    for one in metrics():
        metric = one["Metric"]
        dimensions = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
        match metric["Namespace"]:
            case "AWS/SQS":
                assert set(dimensions) == {"QueueName"}
                assert dimensions["QueueName"] in queues
                assert metric["MetricName"] in {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
            case "ECS/ContainerInsights":
                assert dimensions == {"ClusterName": cluster, "ServiceName": service}
                assert metric["MetricName"] in {"RunningTaskCount", "DesiredTaskCount"}
            case namespace:
                assert namespace == NAMESPACE
                assert dimensions == {"Service": "worker"}
                assert metric["MetricName"] == Metric.QUALYS_CIRCUIT_OPEN.label


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


def test_an_image_without_a_network_is_refused() -> None:
    (rule,) = template(HUB)["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ScannerImageUri"}, ""]}]}
    assert [one["Assert"] for one in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "VpcId"}, ""]}]},
        {"Fn::Not": [{"Fn::Contains": [{"Ref": "SubnetIds"}, ""]}]},
    ]
