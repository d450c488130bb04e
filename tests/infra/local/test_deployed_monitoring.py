"""What `hub-monitoring.yaml` makes."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.stacks import bring_up
from tests.conftest import forget_aws
from tests.infra.template import template

STACK = "scanhub-hub-monitoring"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:scanhub-notifications"


class Monitoring:
    """The stack, and what CloudWatch says of it."""

    def __init__(self, endpoint: str) -> None:
        self.cloudwatch = boto3.client("cloudwatch", endpoint_url=endpoint)
        self.stacks = boto3.client("cloudformation", endpoint_url=endpoint)
        self.deploy()

    def deploy(self, **parameters: str) -> None:
        """Without a hub there is no service, and so no scaling (that is in test_deployed_hub.py)."""
        bring_up(self.stacks, STACK, "hub-monitoring.yaml", {"SweepScheduleName": "scanhub-sweep", **parameters})

    def alarms(self) -> dict[str, dict[str, Any]]:
        return {one["AlarmName"]: one for one in self.cloudwatch.describe_alarms()["MetricAlarms"]}


@pytest.fixture(scope="module")
def monitoring() -> Iterator[Monitoring]:
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        yield Monitoring(cloud.endpoint)


def declared() -> set[str]:
    resources = template("hub-monitoring.yaml")["Resources"].values()
    names = {one["Properties"]["AlarmName"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"}
    return names - {"scanhub-scaling"}


def test_every_alarm_tells_the_hubs_topic_and_what_to_do(monitoring: Monitoring) -> None:
    alarms = monitoring.alarms()
    assert len(alarms) >= 10
    assert set(alarms) == declared()
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [TOPIC], name
        assert alarm["ActionsEnabled"] is True
        assert "docs/operate.md" in alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] in {"notBreaching", "breaching", "ignore"}


def test_an_alarm_watches_what_it_says(monitoring: Monitoring) -> None:
    alarm = monitoring.alarms()["scanhub-oldest-change"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        "Maximum",
    )
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "scanhub-changes"}]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (3600.0, 300, 3)
    assert alarm["OKActions"] == [TOPIC]


def test_the_dashboard_is_json_with_widgets_of_this_region(monitoring: Monitoring) -> None:
    body = json.loads(monitoring.cloudwatch.get_dashboard(DashboardName="scanhub")["DashboardBody"])
    assert len(body["widgets"]) > 5
    assert "${" not in json.dumps(body)
    regions = {one["properties"]["region"] for one in body["widgets"] if "region" in one["properties"]}
    assert regions == {"eu-central-1"}


def test_thresholds_change_in_place_and_alarms_go_without_the_dashboard(monitoring: Monitoring) -> None:
    monitoring.deploy(OldestChangeSeconds="7200")
    assert monitoring.alarms()["scanhub-oldest-change"]["Threshold"] == 7200.0
    monitoring.deploy(SweepScheduleName="")
    assert set(monitoring.alarms()) == declared() - {"scanhub-sweep-overdue"}
    monitoring.deploy(EnableAlarms="false")
    assert monitoring.alarms() == {}
    assert monitoring.cloudwatch.get_dashboard(DashboardName="scanhub")["DashboardBody"]
    monitoring.deploy()
    assert set(monitoring.alarms()) == declared()


def test_hours_without_a_worker_count_only_where_none_need_be_there(monitoring: Monitoring) -> None:
    def overdue(**parameters: str) -> tuple[int, str]:
        monitoring.deploy(**parameters)
        alarm = monitoring.alarms()["scanhub-sweep-overdue"]
        return alarm["EvaluationPeriods"], alarm["TreatMissingData"]

    assert overdue() == (50, "notBreaching")
    assert overdue(MinTasks="0", SweepOverdueHours="168") == (168, "breaching")
    monitoring.deploy(SweepOverdueHours="0")
    assert "scanhub-sweep-overdue" not in monitoring.alarms()
    monitoring.deploy()
