"""EventBridge: buses, their policies, rules and archives.

moto 5.2.5 deletes a rule to change it, drops the description of a bus, and knows no `AWS::Events::EventBusPolicy`.
"""

import json
from typing import Any, Self

from botocore.exceptions import ClientError
from moto.events.models import events_backends

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import AlreadyExists, Properties, Resource

_RULE = ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")
_ARCHIVE = ("Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays")


class EventBus(Resource):
    """A bus of our own."""

    type_name = "AWS::Events::EventBus"
    name_property = "Name"
    known = frozenset({"Description", "Name"})
    readable = frozenset({"Arn", "Name"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateEventBus does."""
        arn = calls.do("events", "create_event_bus", **{**properties, "Name": name})["EventBusArn"]
        return cls(name, {"Arn": arn, "Name": name})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateEventBus does, which moto does not know."""
        bus = events_backends[calls.account][calls.region].describe_event_bus(self.physical_resource_id)
        bus.description = properties.get("Description")

    def remove(self, calls: Calls) -> None:
        """As DeleteEventBus does."""
        calls.do("events", "delete_event_bus", Name=self.physical_resource_id)


class EventBusPolicy(Resource):
    """One statement of a bus's policy."""

    type_name = "AWS::Events::EventBusPolicy"
    known = frozenset({"EventBusName", "StatementId", "Statement"})
    replaced_by = frozenset({"EventBusName", "StatementId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutPermission with a policy does; the other statements stay."""
        bus = properties.get("EventBusName", "default")
        present = calls.do("events", "describe_event_bus", Name=bus).get("Policy")
        others: list[dict[str, Any]] = json.loads(present)["Statement"] if present else []
        own = {"Sid": properties["StatementId"], **properties["Statement"]}
        statements = [*(one for one in others if one["Sid"] != own["Sid"]), own]
        policy = {"Version": "2012-10-17", "Statement": statements}
        calls.do("events", "put_permission", EventBusName=bus, Policy=policy)
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutPermission does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As RemovePermission does."""
        bus = self.properties.get("EventBusName", "default")
        calls.do("events", "remove_permission", EventBusName=bus, StatementId=self.properties["StatementId"])


class Rule(Resource):
    """A rule with its targets."""

    type_name = "AWS::Events::Rule"
    name_property = "Name"
    readable = frozenset({"Arn"})
    known = frozenset({"EventBusName", "Name", "Targets", *_RULE})
    replaced_by = frozenset({"EventBusName"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutRule, which would change a rule that is there already, and PutTargets do."""
        bus = properties.get("EventBusName", "default")
        try:
            calls.do("events", "describe_rule", Name=name, EventBusName=bus)
        except ClientError:
            pass
        else:
            raise AlreadyExists("EventBridge", name)
        arn = _put(name, bus, properties, calls)
        return cls(name if bus == "default" else f"{bus}|{name}", {"Arn": arn, "Name": name, "Bus": bus})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutRule, PutTargets and RemoveTargets do."""
        name, bus = self.attributes["Name"], self.attributes["Bus"]
        _put(name, bus, properties, calls)
        kept = {target["Id"] for target in properties.get("Targets", [])}
        if gone := [target["Id"] for target in self.properties.get("Targets", []) if target["Id"] not in kept]:
            calls.do("events", "remove_targets", Rule=name, EventBusName=bus, Ids=gone)

    def remove(self, calls: Calls) -> None:
        """As RemoveTargets and DeleteRule do."""
        name, bus = self.attributes["Name"], self.attributes["Bus"]
        if targets := [target["Id"] for target in self.properties.get("Targets", [])]:
            calls.do("events", "remove_targets", Rule=name, EventBusName=bus, Ids=targets)
        calls.do("events", "delete_rule", Name=name, EventBusName=bus)


def _put(name: str, bus: str, properties: Properties, calls: Calls) -> str:
    given = {key: properties.get(key) for key in _RULE}
    arn: str = calls.do("events", "put_rule", Name=name, EventBusName=bus, **given)["RuleArn"]
    if properties.get("Targets"):
        answer = calls.do("events", "put_targets", Rule=name, EventBusName=bus, Targets=properties["Targets"])
        if answer["FailedEntryCount"]:
            raise RuntimeError(answer["FailedEntries"][0]["ErrorMessage"])
    return arn


class Archive(Resource):
    """What a bus has carried, for a replay."""

    type_name = "AWS::Events::Archive"
    name_property = "ArchiveName"
    readable = frozenset({"Arn", "ArchiveName"})
    known = frozenset({"ArchiveName", "SourceArn", *_ARCHIVE})
    replaced_by = frozenset({"SourceArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateArchive does."""
        given = {key: properties.get(key) for key in _ARCHIVE}
        source = properties["SourceArn"]
        arn = calls.do("events", "create_archive", ArchiveName=name, EventSourceArn=source, **given)["ArchiveArn"]
        return cls(name, {"Arn": arn, "ArchiveName": name})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateArchive does."""
        given = {key: properties.get(key) for key in _ARCHIVE}
        calls.do("events", "update_archive", ArchiveName=self.physical_resource_id, **given)

    def remove(self, calls: Calls) -> None:
        """As DeleteArchive does."""
        calls.do("events", "delete_archive", ArchiveName=self.physical_resource_id)
