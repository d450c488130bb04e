"""CloudWatch Logs: groups.

moto 5.2.5 drops a group's retention, and changes no group.
"""

from typing import Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource


class LogGroup(Resource):
    """A log group."""

    type_name = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    known = frozenset({"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"})
    readable = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateLogGroup and PutRetentionPolicy do."""
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        given = {"kmsKeyId": properties.get("KmsKeyId"), "logGroupClass": properties.get("LogGroupClass")}
        calls.do("logs", "create_log_group", logGroupName=name, tags=tags or None, **given)
        _keep(name, properties, calls)
        return cls(name, {"Arn": calls.arn("logs", f"log-group:{name}:*")})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutRetentionPolicy does."""
        if properties.get("KmsKeyId") != self.properties.get("KmsKeyId"):
            raise NotImplementedError("the embedded cloud changes no KmsKeyId of a log group")
        _keep(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteLogGroup does."""
        calls.do("logs", "delete_log_group", logGroupName=self.physical_resource_id)


def _keep(name: str, properties: Properties, calls: Calls) -> None:
    if "RetentionInDays" in properties:
        days = properties["RetentionInDays"]
        calls.do("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    else:
        calls.do("logs", "delete_retention_policy", logGroupName=name)
