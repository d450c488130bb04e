"""What is paid for by the piece, counted where it is made: metrics by the worker, alarms by the templates."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.figures import scan_figures
from hub.message import Source
from hub.metric_table import UNITS
from hub.scans import ScanStatus, ScanSummary
from infra.permissions.templates import read
from spoke.arn import FunctionArn

CONTAINER_INSIGHTS = 8 + 11 + 6
"""Metrics of Container Insights for a cluster, a service and a task family (price example on CloudWatch's page)."""

HUB_TEMPLATES = ("hub.yaml", "hub-monitoring.yaml")

_TRACKING_ALARMS = 2
"""A target tracking policy keeps two alarms over the same metrics (Application Auto Scaling's guide)."""

_AT = datetime(2026, 11, 22, tzinfo=UTC)
_FUNCTION = FunctionArn.parse("arn:aws:lambda:us-east-1:123456789012:function:any")
_SUMMARY = ScanSummary(scan_id="any", status=ScanStatus.SUCCESS, manifest_key="any", completed_at=_AT, fresh_until=_AT)


def custom_metrics() -> int:
    """How many metrics are paid for, if each is written with each value of its dimensions."""
    of_a_scan = scan_figures(_FUNCTION, _SUMMARY, timedelta(seconds=1))["values"]
    of_an_ending = [label for label in UNITS if label.startswith("Events")] + ["QueueDelay", "ChangeLatency"]
    return len(UNITS) + len(ScanStatus) * len(of_a_scan) + len(Source) * len(of_an_ending) + CONTAINER_INSIGHTS


def alarm_metrics() -> int:
    """How many metrics the alarms of the hub's templates look at, those of target tracking included."""
    return sum(_looked_at(one) for name in HUB_TEMPLATES for one in read(name)["Resources"].values())


def _looked_at(resource: Any) -> int:  # noqa: ANN401  # a template is plain data
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::CloudWatch::Alarm":
        return _statistics(properties.get("Metrics", ())) or 1
    tracking = properties.get("TargetTrackingScalingPolicyConfiguration", {})
    return _TRACKING_ALARMS * _statistics(tracking.get("CustomizedMetricSpecification", {}).get("Metrics", ()))


def _statistics(metrics: Any) -> int:  # noqa: ANN401  # a template is plain data
    return sum("MetricStat" in metric for metric in metrics)
