"""Options of tables and buckets that moto's CloudFormation drops.

moto 5.2.5 creates a table without its time to live and its point-in-time recovery, and a bucket with its encryption
alone. They are set here as the API calls of these names do. (moto never deletes an item that has expired.)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from moto.cloudformation import parsing
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from infra.local.mends.replacement import replaced


class _Named(Protocol):
    name: str


_Parse = Callable[[str, dict[str, Any], parsing.ResourceMap, str, str], _Named | None]


@contextmanager
def mended() -> Iterator[None]:
    """The options are set."""
    with ExitStack() as mends:
        for name in ("parse_and_create_resource", "parse_and_update_resource"):
            mends.enter_context(replaced(parsing, name, _followed(getattr(parsing, name))))
        yield


def _followed(original: _Parse) -> _Parse:
    """What creates or updates one resource of a stack, with the options set after it."""

    def parse(
        logical_id: str,
        resource_json: dict[str, Any],
        resources_map: parsing.ResourceMap,
        account_id: str,
        region_name: str,
    ) -> _Named | None:
        resource = original(logical_id, resource_json, resources_map, account_id, region_name)
        set_options = _OPTIONS.get(resource_json["Type"])
        if resource is not None and set_options is not None:
            properties = parsing.clean_json(resource_json.get("Properties", {}), resources_map)
            set_options(resource.name, properties, account_id, region_name)
        return resource

    return parse


def _set_table_options(name: str, properties: dict[str, Any], account: str, region: str) -> None:
    tables = dynamodb_backends[account][region]
    if (expiry := properties.get("TimeToLiveSpecification")) is not None:
        tables.update_time_to_live(name, {**expiry, "Enabled": _boolean(expiry["Enabled"])})
    if (recovery := properties.get("PointInTimeRecoverySpecification")) is not None:
        enabled = _boolean(recovery["PointInTimeRecoveryEnabled"])
        tables.update_continuous_backups(name, {"PointInTimeRecoveryEnabled": enabled})


def _set_bucket_options(name: str, properties: dict[str, Any], account: str, region: str) -> None:
    buckets = s3_backends[account][get_partition(region)]
    if (versioning := properties.get("VersioningConfiguration")) is not None:
        buckets.put_bucket_versioning(name, versioning["Status"])
    if (block := properties.get("PublicAccessBlockConfiguration")) is not None:
        buckets.put_public_access_block(name, {key: str(value).lower() for key, value in block.items()})
    if (ownership := properties.get("OwnershipControls")) is not None:
        buckets.put_bucket_ownership_controls(name, ownership["Rules"][0]["ObjectOwnership"])
    if (lifecycle := properties.get("LifecycleConfiguration")) is not None:
        buckets.put_bucket_lifecycle(name, [_lifecycle_rule(rule) for rule in lifecycle["Rules"]])


_OPTIONS: dict[str, Callable[[str, dict[str, Any], str, str], None]] = {
    "AWS::DynamoDB::Table": _set_table_options,
    "AWS::S3::Bucket": _set_bucket_options,
}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's form of a rule -> the API's."""
    answer = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        answer["Expiration"] = {"Days": rule["ExpirationInDays"]}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            answer[key] = rule[key]
    return answer


def _boolean(value: object) -> bool:
    return str(value).lower() == "true"
