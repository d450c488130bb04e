"""What the template of alarms and dashboard must hold, and that it names only what hub and worker really have."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.coverage import CoverageState
from hub.figures import circuit_figures, ending_figures, load_figures, scan_figures, sweep_figures, try_figures
from hub.message import Source
from hub.metric_table import DIMENSIONS, Metric
from hub.metrics import NAMESPACE
from hub.scans import ScanStatus, ScanSummary
from hub.sweeps import SweepCounts
from spoke.arn import FunctionArn
from spoke.changes import Change, ChangeKind
from tests.infra.metric_math import Figure, value
from tests.infra.template import INFRA, of_type, placed, template, text

MONITORING = "hub-monitoring.yaml"
DOCS = INFRA.parent / "docs"
# All but the one that scales, which tells nobody: tests/infra/test_monitoring_scaling.py.
PLACED = {
    one["Properties"]["AlarmName"]: one
    for name, one in placed(MONITORING, "AWS::CloudWatch::Alarm").items()
    if name != "ChangesWait"
}
ALARMS = {name: one["Properties"] for name, one in PLACED.items()}
TOPIC = {"Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:scanhub-notifications"}
FUNCTION = FunctionArn.parse("arn:aws:lambda:eu-central-1:210000000001:function:orders-api")
CHANGE = Change(
    kind=ChangeKind.CODE_UPDATED,
    function=FUNCTION,
    account=FUNCTION.account,
    region=FUNCTION.region,
    at=datetime(2026, 11, 22, 4, 13, tzinfo=UTC),
    event_id="6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    fingerprint=None,
    reason="event",
)
ENDINGS = ("stored", "covered", "coalesced", "ignored", "excluded", "gone", "parked", "given back", "lost")

# Documented by AWS: namespace -> metric -> dimensions. SQS, EventBridge (a rule of a custom bus has both dimensions),
# Container Insights, Scheduler, DynamoDB, CloudWatch Logs.
OF_AWS = {
    "AWS/SQS": (
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfEmptyReceives",
            "NumberOfMessagesReceived",
            "NumberOfMessagesSent",
        },
        ["QueueName"],
    ),
    "AWS/Events": (
        {"FailedInvocations", "Invocations", "InvocationsFailedToBeSentToDlq"},
        ["EventBusName", "RuleName"],
    ),
    "ECS/ContainerInsights": ({"DesiredTaskCount", "RunningTaskCount"}, ["ClusterName", "ServiceName"]),
    "AWS/Scheduler": ({"InvocationDroppedCount"}, ["ScheduleGroup"]),
    "AWS/DynamoDB": ({"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}, ["TableName"]),
    "AWS/Logs": ({"IncomingBytes"}, ["LogGroupName"]),
}


def names(kind: str, key: str) -> set[Any]:
    return {one[key] for one in of_type("hub.yaml", kind).values()}


# The values that a dimension may have: the hub's fixed names.
VALUES = {
    "QueueName": names("AWS::SQS::Queue", "QueueName"),
    "EventBusName": {"${EventBusName}"},
    "RuleName": names("AWS::Events::Rule", "Name"),
    "ClusterName": names("AWS::ECS::Cluster", "ClusterName"),
    "ServiceName": names("AWS::ECS::Service", "ServiceName"),
    "ScheduleGroup": names("AWS::Scheduler::ScheduleGroup", "Name"),
    "TableName": names("AWS::DynamoDB::Table", "TableName"),
    "LogGroupName": names("AWS::Logs::LogGroup", "LogGroupName"),
    "Service": {"worker"},
}


def dashboard(*, alarms: bool = True, sweeps: bool = True) -> list[dict[str, Any]]:
    """The widgets, with the template's own variables left as they are."""
    (one,) = of_type(MONITORING, "AWS::CloudWatch::Dashboard").values()
    body, variables = one["DashboardBody"]["Fn::Sub"]
    condition, shown, hidden = variables["Alarms"]["Fn::If"]
    assert condition == "RaisesAlarms"
    alarm_widget, inner = shown["Fn::Sub"]
    inner_condition, overdue, not_overdue = inner["Overdue"]["Fn::If"]
    assert inner_condition == "ExpectsSweeps"
    alarm_widget = alarm_widget.replace("${Overdue}", overdue["Fn::Sub"] if sweeps else not_overdue)
    read = json.loads(body.replace("${Alarms}", alarm_widget if alarms else hidden))
    widgets: list[dict[str, Any]] = read["widgets"]
    return widgets


def drawn() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric on the dashboard."""
    for widget in dashboard():
        for row in widget["properties"].get("metrics", ()):
            namespace, name, *pairs = [part for part in row if isinstance(part, str)] or ["", ""]
            if namespace:
                yield namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True))


def watched() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric of an alarm."""
    for alarm in ALARMS.values():
        stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
        for metric in stats or [alarm]:
            pairs = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
            yield (
                metric["Namespace"],
                metric["MetricName"],
                {key: f"${{{one['Ref']}}}" if isinstance(one, dict) else one for key, one in pairs.items()},
            )


def queries() -> list[str]:
    return [widget["properties"]["query"] for widget in dashboard() if widget["type"] == "log"]


def figures_told() -> list[dict[str, Any]]:
    """One of each kind of line that the worker writes."""
    now = datetime(2026, 11, 22, 4, 15, tzinfo=UTC)
    told: list[Mapping[str, Any]] = [
        load_figures(running=1, held=2, slots=4),
        circuit_figures(open_=True),
        sweep_figures(SweepCounts(functions=40, queued={"missing": 3}, failed=1), covered_share=0.9),
        try_figures("no_access", function=FUNCTION, exit_code="2"),
    ]
    for status in ScanStatus:
        summary = ScanSummary(
            scan_id="20261122T041500Z-abcdef", status=status, manifest_key="", completed_at=now, fresh_until=now
        )
        told.append(scan_figures(FUNCTION, summary, timedelta(seconds=9), exit_code="0"))
    for ending in ENDINGS:
        covered, late = CoverageState.COVERED, timedelta(minutes=2)
        told.append(ending_figures(ending, "", Source.CHANGES, late, change=CHANGE, state=covered, latency=late))
    return [dict(line) for line in told]


# ---- what is named exists ----


@pytest.mark.parametrize(("namespace", "name", "dimensions"), [*drawn(), *watched()])
def test_a_metric_exists_with_these_dimensions(namespace: str, name: str, dimensions: dict[str, str]) -> None:
    for dimension, one in dimensions.items():
        assert one in VALUES[dimension], dimension
    if namespace != NAMESPACE:
        known, expected = OF_AWS[namespace]
        assert name in known
        assert list(dimensions) == expected
        return
    assert name in {metric.label for metric in Metric}
    assert set(dimensions) <= DIMENSIONS
    (line,) = [line for line in figures_told() if name in line["values"]][:1]
    # Figures are summed up by the first dimension alone, and by all together (hub/metrics.py).
    first = dict(list(line["dimensions"].items())[:1])
    assert dimensions in (first, line["dimensions"])


def test_a_query_asks_for_properties_that_stand_in_the_log() -> None:
    written = {key for line in figures_told() for key in line if key not in {"values", "dimensions"}}
    written |= (
        {metric.label for metric in Metric} | DIMENSIONS | {"account", "region", "function", "state", "exit_code"}
    )
    for query in queries():
        commands = query.split(" | ")
        assert commands[0] == f"SOURCE '{next(iter(VALUES['LogGroupName']))}'"
        for asked in re.findall(r"ispresent\((\w+)\)|latest\((\w+)\)", query):
            assert set(asked) - {""} <= written, asked
        for compared in re.findall(r"(\w+) = '", query):
            assert compared in written
        first_stats = next(command for command in commands if command.startswith("stats"))
        assert set(first_stats.partition(" by ")[2].split(", ")) <= written
        assert len([command for command in commands if command.startswith("stats")]) <= 2  # of Logs Insights


def test_the_queries_count_by_what_the_dashboard_is_to_show() -> None:
    asked = " ".join(queries())
    assert all(f"ispresent({key})" in asked for key in ("exit_code", "state", "function"))
    assert "by account, region" in asked


# ---- alarms ----


def test_every_sign_of_the_list_has_its_alarm() -> None:
    assert set(ALARMS) == {
        "scanhub-oldest-change",
        "scanhub-changes-dlq",
        "scanhub-sweep-dlq",
        "scanhub-undelivered",
        "scanhub-rule-failed",
        "scanhub-qualys",
        "scanhub-tasks",
        "scanhub-no-scan",
        "scanhub-no-access",
        "scanhub-parked",
        "scanhub-sweep-not-started",
        "scanhub-sweep-overdue",
    }


def headings(page: str) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", (DOCS / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do_and_where_more_stands(name: str) -> None:
    alarm = ALARMS[name]
    description = alarm["AlarmDescription"]
    assert len(description) <= 1024  # PutMetricAlarm in CloudWatch's API reference
    assert re.search(r"\b([Ll]ook at|[Rr]ead|see|See|mend|put)\b", description)
    ((page, anchor),) = re.findall(r"docs/([\w.]+)#([\w-]+)$", description)
    assert anchor in headings(page)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_topic_and_minds_missing_data(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == [TOPIC]
    assert alarm.get("OKActions", [TOPIC]) == [TOPIC]
    assert TOPIC["Fn::Sub"].endswith(f":{names('AWS::SNS::Topic', 'TopicName').pop()}")
    # SQS falls silent on a queue with messages that nobody touches: what lies in a dead-letter queue stays an alarm.
    lies = name in {"scanhub-changes-dlq", "scanhub-sweep-dlq", "scanhub-undelivered"}
    if name == "scanhub-sweep-overdue":
        # Where no task may be there for days, hours without one are no reason to think that all is well.
        assert alarm["TreatMissingData"] == {"Fn::If": ["MayHaveNoTask", "breaching", "notBreaching"]}
    else:
        assert alarm["TreatMissingData"] == ("ignore" if lies else "notBreaching")
    # Each choice has its reason above it.
    assert not re.search(r"^(?!\s+#).*\n\s+TreatMissingData", text(MONITORING), re.MULTILINE)


def test_alarms_and_dashboard_are_there_when_wanted() -> None:
    conditions = template(MONITORING)["Conditions"]
    assert conditions["Monitors"] == {"Fn::Equals": [{"Ref": "EnableMonitoring"}, "true"]}
    assert conditions["RaisesAlarms"] == {
        "Fn::And": [{"Condition": "Monitors"}, {"Fn::Equals": [{"Ref": "EnableAlarms"}, "true"]}]
    }
    for name, one in PLACED.items():
        assert one["Condition"] == ("ExpectsSweeps" if name == "scanhub-sweep-overdue" else "RaisesAlarms")
    ((_, drawing),) = placed(MONITORING, "AWS::CloudWatch::Dashboard").items()
    assert drawing["Condition"] == "Monitors"


def test_a_sweep_is_missed_only_where_one_is_expected() -> None:
    assert template(MONITORING)["Conditions"]["ExpectsSweeps"] == {
        "Fn::And": [
            {"Condition": "RaisesAlarms"},
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "SweepScheduleName"}, ""]}]},
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "SweepOverdueHours"}, 0]}]},
        ]
    }
    (schedule,) = of_type("hub.yaml", "AWS::Scheduler::Schedule").values()
    assert template(MONITORING)["Parameters"]["SweepScheduleName"]["AllowedValues"] == ["", schedule["Name"]]
    # Two of the default schedule, with the quarter of an hour that it may be late.
    assert template("hub.yaml")["Parameters"]["BulkScanSchedule"]["Default"] == "rate(1 day)"
    assert template(MONITORING)["Parameters"]["SweepOverdueHours"]["Default"] > 2 * 24 + 1


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"sweeps": 1.0, "there": 60.0}, 1.0),
        ({"there": 60.0}, 0.0),
        # finished by a task of its own, while no worker ran
        ({"sweeps": 1.0}, 1.0),
        # before the hub was there, or scaled to zero
        ({}, None),
    ],
)
def test_an_hour_without_a_finished_sweep(known: dict[str, Figure], expected: Figure) -> None:
    alarm = ALARMS["scanhub-sweep-overdue"]
    assert value(alarm["Metrics"], {"sweeps": None, "there": None} | known, {}) == expected
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert {query["MetricStat"]["Stat"] for query in alarm["Metrics"] if "MetricStat" in query} == {"SampleCount"}


def test_the_topic_and_its_key_admit_the_alarms_of_these_names() -> None:
    # Held by tests of the hub's template: alarm:scanhub-*.
    assert all(name.startswith("scanhub-") for name in ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_stays_within_cloudwatchs_limits(name: str) -> None:
    """PutMetricAlarm in CloudWatch's API reference: a day in all, or a week where a period has an hour or more."""
    alarm = ALARMS[name]
    stats = [query["MetricStat"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    assert len(stats) <= 10
    assert len(alarm.get("Metrics", ())) <= 20
    for period in {stat["Period"] for stat in stats} or {alarm["Period"]}:
        periods = alarm["EvaluationPeriods"]
        if isinstance(periods, dict):
            periods = template(MONITORING)["Parameters"][periods["Ref"]]["MaxValue"]
        assert period * periods <= (86_400 if period < 3600 else 604_800)


def unscanned(**known: Figure) -> Figure:
    asked = ALARMS["scanhub-no-scan"]["Metrics"]
    nothing: dict[str, Figure] = {query["Id"]: None for query in asked if "MetricStat" in query}
    return value(asked, nothing | known, {})


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"came": 5.0, "completed": 3.0}, 0.0),
        ({"came": 5.0, "partial": 1.0}, 0.0),
        # a worker that is away, or gives everything back
        ({"came": 5.0}, 5.0),
        ({"came": 5.0, "covered": 2.0, "completed": 0.0}, 3.0),
        # nothing that asked for a scan
        ({"came": 5.0, "covered": 2.0, "coalesced": 1.0, "ignored": 1.0, "excluded": 1.0}, 0.0),
        ({"came": 0.0}, 0.0),
        ({}, None),
    ],
)
def test_no_scan_in_a_day_though_functions_changed(known: dict[str, Figure], expected: Figure) -> None:
    assert unscanned(**known) == expected


def missing(**known: Figure) -> Figure:
    figures: dict[str, Figure] = dict.fromkeys(("changes", "sweep", "desired", "running"))
    return value(ALARMS["scanhub-tasks"]["Metrics"], figures | known, {})


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"desired": 4.0, "running": 4.0, "changes": 9.0}, 0.0),
        ({"desired": 4.0, "running": 3.0, "changes": 0.0, "sweep": 0.0}, 25.0),
        # SQS has put the queues to sleep
        ({"desired": 4.0, "running": 2.0}, 50.0),
        # no task runs, whether Container Insights says so or, as its guide has it, says nothing
        ({"desired": 1.0, "running": 0.0, "changes": 1.0}, 100.0),
        ({"changes": 1.0, "sweep": 0.0}, 100.0),
        ({"sweep": 3.0}, 100.0),
        # scaled to zero, and nothing to do
        ({"changes": 0.0, "sweep": 0.0}, 0.0),
        ({"desired": 0.0, "running": 0.0, "changes": 0.0}, 0.0),
        # a protected task that still scans though none is wanted
        ({"desired": 0.0, "running": 1.0, "changes": 0.0}, None),
        ({}, None),
    ],
)
def test_missing_tasks_are_a_share_of_those_wanted_or_all_where_something_waits(
    known: dict[str, Figure], expected: Figure
) -> None:
    assert missing(**known) == expected


def test_a_task_that_ends_again_and_again_is_seen_though_it_runs_now_and_then() -> None:
    alarm = ALARMS["scanhub-tasks"]
    assert {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query} == {60}
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (10, 15)


@pytest.mark.parametrize(("failed", "lost", "expected"), [(2.0, None, 2.0), (None, 1.0, 1.0), (None, None, None)])
def test_failed_deliveries_are_all_that_did_not_arrive(failed: Figure, lost: Figure, expected: Figure) -> None:
    assert value(ALARMS["scanhub-rule-failed"]["Metrics"], {"failed": failed, "lost": lost}, {}) == expected


# ---- the dashboard ----


def test_the_dashboard_shows_what_it_should() -> None:
    shown = {name for _, name, _ in drawn()}
    flow = {"NumberOfMessagesSent", "EventsStored", "EventsCoalesced", "EventsIgnored", "EventsParked"}
    load = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "RunningScans", "Slots"}
    results = {"ChangeLatency", "ScanDuration", "FindingsCritical", "FindingsHigh", "FindingsMedium", "FindingsLow"}
    costs = {"RunningTaskCount", "Invocations", "ConsumedWriteCapacityUnits", "IncomingBytes"}
    sweep = {"SweptFunctions", "SweepQueued", "SweepFailures", "CoveredShare"}
    assert flow | load | results | costs | sweep | {"AccountsWithoutAccess"} <= shown
    for name in ("ChangeLatency", "ScanDuration"):
        stats = {
            row[-1]["stat"] for widget in dashboard() for row in widget["properties"].get("metrics", ()) if name in row
        }
        assert {"p50", "p95", "p99"} <= stats


def test_the_load_of_all_workers_is_summed_up_minute_by_minute() -> None:
    """Each worker tells its load once a minute; a sum over more would count it twice."""
    (slots,) = [
        widget for widget in dashboard() if any("Slots" in row for row in widget["properties"].get("metrics", ()))
    ]
    assert (slots["properties"]["stat"], slots["properties"]["period"]) == ("Sum", 60)


def test_the_alarms_stand_on_the_dashboard_when_there_are_any() -> None:
    (widget,) = [widget for widget in dashboard() if widget["type"] == "alarm"]
    assert [arn.rpartition(":")[2] for arn in widget["properties"]["alarms"]] == list(ALARMS)
    assert not [widget for widget in dashboard(alarms=False) if widget["type"] == "alarm"]
    (fewer,) = [widget for widget in dashboard(sweeps=False) if widget["type"] == "alarm"]
    left_out = set(widget["properties"]["alarms"]) - set(fewer["properties"]["alarms"])
    assert {arn.rpartition(":")[2] for arn in left_out} == {"scanhub-sweep-overdue"}


def test_no_two_widgets_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard():
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, widget["properties"].get("title")
        taken |= cells
