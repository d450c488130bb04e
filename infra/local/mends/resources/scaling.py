"""Application Auto Scaling and EventBridge Scheduler, which moto 5.2.5 does not know in a template."""

from typing import Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource

_SERVICE = "application-autoscaling"
_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")
_SCHEDULE = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)


class ScalableTarget(Resource):
    """A service's number of tasks, and its bounds."""

    type_name = "AWS::ApplicationAutoScaling::ScalableTarget"
    readable = frozenset({"Id"})
    replaced_by = frozenset(_TARGET)

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has no name
        """As RegisterScalableTarget does."""
        calls.do(_SERVICE, "register_scalable_target", **properties)
        made = "|".join(properties[key] for key in _TARGET)
        return cls(made, {"Id": made})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As RegisterScalableTarget does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeregisterScalableTarget does."""
        calls.do(_SERVICE, "deregister_scalable_target", **{key: self.properties[key] for key in _TARGET})


class ScalingPolicy(Resource):
    """How that number follows a metric or an alarm."""

    type_name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    readable = frozenset({"Arn"})
    replaced_by = frozenset({"PolicyName", "ScalingTargetId", *_TARGET})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # its property names it
        """As PutScalingPolicy does."""
        given = {key: value for key, value in properties.items() if key != "ScalingTargetId"}
        if "ScalingTargetId" in properties:
            given |= dict(zip(_TARGET, properties["ScalingTargetId"].split("|"), strict=True))
        arn = calls.do(_SERVICE, "put_scaling_policy", **given)["PolicyARN"]
        return cls(arn, {"Arn": arn, **{key: given[key] for key in _TARGET}})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutScalingPolicy does."""
        type(self).create("", properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteScalingPolicy does."""
        target = {key: self.attributes[key] for key in _TARGET}
        calls.do(_SERVICE, "delete_scaling_policy", PolicyName=self.properties["PolicyName"], **target)


class ScheduleGroup(Resource):
    """Schedules that belong together."""

    type_name = "AWS::Scheduler::ScheduleGroup"
    name_property = "Name"
    readable = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateScheduleGroup does."""
        made = calls.do("scheduler", "create_schedule_group", Name=name, Tags=properties.get("Tags"))
        return cls(name, {"Arn": made["ScheduleGroupArn"]})

    def change(self, properties: Properties, calls: Calls) -> None:
        """It has nothing but its name and its tags."""

    def remove(self, calls: Calls) -> None:
        """As DeleteScheduleGroup does."""
        calls.do("scheduler", "delete_schedule_group", Name=self.physical_resource_id)


class Schedule(Resource):
    """A schedule of its own, apart from any bus."""

    type_name = "AWS::Scheduler::Schedule"
    name_property = "Name"
    known = frozenset({"Name", *_SCHEDULE})
    readable = frozenset({"Arn"})
    replaced_by = frozenset({"GroupName"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateSchedule does."""
        given = {key: properties.get(key) for key in _SCHEDULE}
        arn = calls.do("scheduler", "create_schedule", Name=name, **given)["ScheduleArn"]
        return cls(name, {"Arn": arn})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateSchedule does."""
        given = {key: properties.get(key) for key in _SCHEDULE}
        calls.do("scheduler", "update_schedule", Name=self.physical_resource_id, **given)

    def remove(self, calls: Calls) -> None:
        """As DeleteSchedule does."""
        group = self.properties.get("GroupName")
        calls.do("scheduler", "delete_schedule", Name=self.physical_resource_id, GroupName=group)
