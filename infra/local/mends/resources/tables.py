"""DynamoDB tables.

moto 5.2.5 drops time to live and point-in-time recovery, and deletes a table, with all that is in it, to change it.
"""

from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource

_CREATED = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
    "TableClass",
    "Tags",
)
_CHANGED = ("BillingMode", "DeletionProtectionEnabled", "TableClass")
_FOLLOWED = frozenset({"PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification"})


class Table(Resource):
    """A table."""

    type_name = "AWS::DynamoDB::Table"
    name_property = "TableName"
    readable = frozenset({"Arn", "StreamArn"})
    known = frozenset({"TableName", *_CREATED, *_FOLLOWED})
    replaced_by = frozenset({"KeySchema", "LocalSecondaryIndexes"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateTable, UpdateTimeToLive and UpdateContinuousBackups do."""
        given = {key: properties.get(key) for key in _CREATED}
        table = calls.do("dynamodb", "create_table", TableName=name, SSESpecification=_encryption(properties), **given)[
            "TableDescription"
        ]
        _set_expiry(name, properties, calls)
        _set_recovery(name, properties, calls)
        return cls(name, {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn", "")})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateTable, UpdateTimeToLive and UpdateContinuousBackups do."""
        changed = {key for key in {*properties, *self.properties} if properties.get(key) != self.properties.get(key)}
        if unknown := changed - {*_CHANGED, *_FOLLOWED}:
            raise NotImplementedError(f"the embedded cloud changes no {', '.join(sorted(unknown))} of a table")
        name = self.physical_resource_id
        given = {key: properties.get(key) for key in _CHANGED if key in changed}
        if "SSESpecification" in changed:
            given["SSESpecification"] = _encryption(properties)
        if given:
            calls.do("dynamodb", "update_table", TableName=name, **given)
        if "TimeToLiveSpecification" in changed:
            _set_expiry(name, properties, calls)
        if "PointInTimeRecoverySpecification" in changed:
            _set_recovery(name, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteTable does."""
        calls.do("dynamodb", "delete_table", TableName=self.physical_resource_id)


def _encryption(properties: Properties) -> dict[str, Any] | None:
    given = dict(properties.get("SSESpecification", {}))
    return {"Enabled": given.pop("SSEEnabled"), **given} if given else None


def _set_expiry(name: str, properties: Properties, calls: Calls) -> None:
    if (expiry := properties.get("TimeToLiveSpecification")) is not None:
        calls.do("dynamodb", "update_time_to_live", TableName=name, TimeToLiveSpecification=expiry)


def _set_recovery(name: str, properties: Properties, calls: Calls) -> None:
    if (recovery := properties.get("PointInTimeRecoverySpecification")) is not None:
        calls.do("dynamodb", "update_continuous_backups", TableName=name, PointInTimeRecoverySpecification=recovery)
