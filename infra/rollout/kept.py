"""What outlives the hub's stack, so that no result is lost by a removal: bucket, ledger, logs and key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.rollout.operator import Operator, confirm_typed
from infra.rollout.site import Site
from infra.stacks import Stack
from spoke.aws_errors import ABSENT, error_code
from spoke.errors import Misconfigured

LOG_GROUP = "/scanhub/worker"
LEDGER = "scanhub-ledger"

DAYS_UNTIL_KEY_IS_GONE = 30
"""The longest that KMS allows (ScheduleKeyDeletion in its API reference): until then a mistake can be taken back."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Resources that CloudFormation does not delete with the hub's stack (`DeletionPolicy: Retain...`).

    Attributes:
        site: Where.
        bucket: The results' bucket; None if there is none.
        table: The ledger; None if there is none.
        log_group: The worker's; None if there is none.
        key: The ARN of the key of all three; None if there is none, or it is being deleted already.
    """

    site: Site = field(repr=False)
    bucket: str | None
    table: str | None
    log_group: str | None
    key: str | None

    @classmethod
    def of(cls, site: Site, hub: Stack | None) -> "Kept":
        """What there is, whether the hub's stack is there still or not.

        Args:
            site: Where.
            hub: The hub's stack; None if it is gone, or was never there. Then the key is found by the ledger.

        Raises:
            Misconfigured: The caller may not ask.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        outputs = hub.outputs if hub is not None else {}
        bucket = outputs.get("ResultsBucket", f"scanhub-results-{site.hub_account}-{site.region}")
        with calling("looking up what an earlier or the present hub keeps"):
            table = _table(site.hub("dynamodb"), outputs.get("LedgerTable", LEDGER))
            groups = site.hub("logs").describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
            key = outputs.get("ResultsKmsKeyArn") or (table or {}).get("SSEDescription", {}).get("KMSMasterKeyArn")
            return cls(
                site=site,
                bucket=bucket if _bucket_exists(site.hub("s3"), bucket) else None,
                table=table["TableName"] if table is not None else None,
                log_group=LOG_GROUP if any(one["logGroupName"] == LOG_GROUP for one in groups) else None,
                key=key if key is not None and _is_usable(site.hub("kms"), key) else None,
            )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there that a new hub would stumble over, or that holds anything."""
        return not (self.bucket or self.table or self.log_group)

    def lines(self) -> list[str]:
        """Each in words."""
        named = (
            ("the bucket", self.bucket),
            ("the table", self.table),
            ("the log group", self.log_group),
            ("the key", self.key),
        )
        return [f"{what} {name}" for what, name in named if name]

    def confirm(self, operator: Operator) -> None:
        """Have the operator type the account's id.

        Raises:
            Declined: They typed something else.
        """
        confirm_typed(
            operator,
            f"All results in {self.site.hub_account}, {self.site.region} are deleted for good. Type the account's id",
            self.site.hub_account,
        )

    def delete(self, operator: Operator) -> None:
        """Delete them; what is gone already is left out. The key goes last, after its waiting time.

        Raises:
            Misconfigured: The caller may not.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        if self.bucket:
            operator.tell(f"emptying and deleting the bucket {self.bucket}")
            with calling(f"deleting the bucket {self.bucket}"):
                _empty(self.site.hub("s3"), self.bucket)
                self.site.hub("s3").delete_bucket(Bucket=self.bucket)
        if self.table:
            operator.tell(f"deleting the table {self.table}")
            with calling(f"deleting the table {self.table}"):
                _delete_table(self.site.hub("dynamodb"), self.table)
        if self.log_group:
            operator.tell(f"deleting the log group {self.log_group}")
            with calling(f"deleting the log group {self.log_group}"):
                self.site.hub("logs").delete_log_group(logGroupName=self.log_group)
        if self.key:
            operator.tell(f"the key {self.key} is deleted in {DAYS_UNTIL_KEY_IS_GONE} days; until then it can be kept")
            with calling(f"deleting the key {self.key}"):
                key_id = self.key.rpartition("/")[2]
                self.site.hub("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=DAYS_UNTIL_KEY_IS_GONE)


def _table(client: AwsClient, name: str) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = client.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) in ABSENT:
            return None
        raise
    return table if table["TableStatus"] != "DELETING" else None


def _bucket_exists(client: AwsClient, name: str) -> bool:
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error_code(error) in ABSENT:
            return False
        raise
    return True


def _is_usable(client: AwsClient, key: str) -> bool:
    try:
        state = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        if error_code(error) in ABSENT:
            return False
        raise
    return bool(state != "PendingDeletion")


def _empty(client: AwsClient, bucket: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        if versions := list(_versions(page)):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
            for error in answer.get("Errors", []):
                raise Misconfigured(
                    f"emptying the bucket {bucket}: {error['Key']}: {error['Code']}: {error['Message']}"
                )


def _versions(page: dict[str, Any]) -> Iterator[dict[str, str]]:
    """A page has a thousand versions and markers at the most, which is what one deletion takes."""
    for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
        yield {"Key": one["Key"], "VersionId": one["VersionId"]}


def _delete_table(client: AwsClient, name: str) -> None:
    if client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)
