"""How the service scales, as `infra/hub-monitoring.yaml` has it."""

from typing import Any

import pytest

from hub.metric_table import Metric
from hub.metrics import NAMESPACE
from tests.infra.metric_math import Figure, value
from tests.infra.template import of_type, placed, template

HUB, MONITORING = "hub.yaml", "hub-monitoring.yaml"
DEFAULTS = {"BacklogPerTask": 20, "MaxChangeAge": 600}
SCALING = {"ScalableTarget", "BacklogScaling", "WaitScaling", "ChangesWait"}


def only(kind: str, name: str = MONITORING) -> dict[str, Any]:
    (one,) = of_type(name, kind).values()
    return one


def alarm() -> dict[str, Any]:
    found: dict[str, Any] = template(MONITORING)["Resources"]["ChangesWait"]["Properties"]
    return found


def policy(kind: str) -> dict[str, Any]:
    (one,) = [
        one
        for one in of_type(MONITORING, "AWS::ApplicationAutoScaling::ScalingPolicy").values()
        if one["PolicyType"] == kind
    ]
    return one


def tracking() -> dict[str, Any]:
    configuration: dict[str, Any] = policy("TargetTrackingScaling")["TargetTrackingScalingPolicyConfiguration"]
    return configuration


def backlog(**known: Figure) -> Figure:
    figures: dict[str, Figure] = dict.fromkeys(("changes", "sweep", "tasks", "circuit", "paused"))
    return value(tracking()["CustomizedMetricSpecification"]["Metrics"], figures | known, DEFAULTS)


def wait(**known: Figure) -> Figure:
    figures: dict[str, Figure] = dict.fromkeys(("changes", "sweep", "oldest", "desired", "circuit", "paused"))
    return value(alarm()["Metrics"], figures | known, DEFAULTS)


def test_scaling_is_there_with_a_service_whatever_else_is_wanted() -> None:
    resources = template(MONITORING)["Resources"]
    assert {name for name, one in resources.items() if one.get("Condition") == "Scales"} == SCALING
    assert template(MONITORING)["Conditions"]["Scales"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ServiceName"}, ""]}]}
    assert set(placed(MONITORING, "AWS::CloudWatch::Alarm")) & SCALING == {"ChangesWait"}


def test_scaling_goes_from_the_fewest_tasks_to_the_most() -> None:
    target = only("AWS::ApplicationAutoScaling::ScalableTarget")
    cluster, service = only("AWS::ECS::Cluster", HUB), only("AWS::ECS::Service", HUB)
    assert target["ResourceId"] == {"Fn::Sub": f"service/{cluster['ClusterName']}/${{ServiceName}}"}
    assert template(MONITORING)["Parameters"]["ServiceName"]["AllowedValues"] == ["", service["ServiceName"]]
    assert target["ScalableDimension"] == "ecs:service:DesiredCount"
    assert (target["MinCapacity"], target["MaxCapacity"]) == ({"Ref": "MinTasks"}, {"Ref": "MaxTasks"})
    assert template(MONITORING)["Parameters"]["MinTasks"]["MinValue"] == 0
    for one in of_type(MONITORING, "AWS::ApplicationAutoScaling::ScalingPolicy").values():
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
        # somebody has paused the service
        ({"changes": 900.0, "sweep": 0.0, "tasks": 1.0, "circuit": 0.0, "paused": 1.0}, 20.0),
        ({"changes": 0.0, "sweep": 0.0, "tasks": 3.0, "circuit": 0.0, "paused": 1.0}, 20.0),
        ({"changes": 60.0, "sweep": 20.0, "tasks": 4.0, "circuit": 0.0, "paused": 0.0}, 20.0),
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
        ({"changes": 3.0, "sweep": 0.0, "oldest": 9000.0, "desired": 2.0, "paused": 1.0}, 0.0),
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
    found = alarm()
    assert found["AlarmName"] == "scanhub-scaling"
    assert found["AlarmActions"] == [{"Ref": "WaitScaling"}]
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanThreshold", {"Ref": "MaxChangeAge"})
    assert found["TreatMissingData"] == "notBreaching"
    assert "docs/operate.md#" in found["AlarmDescription"]
    steps = policy("StepScaling")["StepScalingPolicyConfiguration"]["StepAdjustments"]
    first, second = steps
    assert (first["MetricIntervalLowerBound"], first["ScalingAdjustment"]) == (0, 1)
    assert first["MetricIntervalUpperBound"] == second["MetricIntervalLowerBound"] == {"Ref": "MaxChangeAge"}
    assert second["ScalingAdjustment"] == 2
    assert "MetricIntervalUpperBound" not in second


def metrics() -> list[dict[str, Any]]:
    queries = [*tracking()["CustomizedMetricSpecification"]["Metrics"], *alarm()["Metrics"]]
    return [query["MetricStat"] for query in queries if "MetricStat" in query]


def test_scaling_looks_at_metrics_that_exist() -> None:
    queues = {one["QueueName"] for one in of_type(HUB, "AWS::SQS::Queue").values()}
    cluster, service = only("AWS::ECS::Cluster", HUB)["ClusterName"], only("AWS::ECS::Service", HUB)["ServiceName"]
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
                assert metric["MetricName"] in {Metric.QUALYS_CIRCUIT_OPEN.label, Metric.PAUSED.label}
