"""CloudWatch: alarms and dashboards.

moto 5.2.5 knows no `AWS::CloudWatch::Alarm`, and deletes a dashboard to change it.
"""

import json
from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import AlreadyExists, Properties, Resource


class Alarm(Resource):
    """An alarm on one metric, or on what metric math makes of several."""

    type_name = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    readable = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutMetricAlarm does, which would change an alarm that is there already."""
        if calls.do("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"]:
            raise AlreadyExists("CloudWatch", name)
        return cls._put(name, properties, calls)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutMetricAlarm does."""
        self._put(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteAlarms does."""
        calls.do("cloudwatch", "delete_alarms", AlarmNames=[self.physical_resource_id])

    @classmethod
    def _put(cls, name: str, properties: Properties, calls: Calls) -> Self:
        calls.do("cloudwatch", "put_metric_alarm", **{**properties, "AlarmName": name})
        return cls(name, {"Arn": calls.arn("cloudwatch", f"alarm:{name}")})


class Dashboard(Resource):
    """A dashboard."""

    type_name = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutDashboard does; AWS refuses a body that is no JSON, moto takes it."""
        body: Any = json.loads(properties["DashboardBody"])
        if not isinstance(body.get("widgets"), list):
            raise ValueError("The field DashboardBody must have widgets")  # noqa: TRY004  # of a text that is no dashboard
        calls.do("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=properties["DashboardBody"])
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutDashboard does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteDashboards does."""
        calls.do("cloudwatch", "delete_dashboards", DashboardNames=[self.physical_resource_id])
