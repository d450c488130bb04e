"""What a removed hub leaves behind, in states that the embedded cloud does not show."""

from datetime import UTC, datetime

import pytest

from infra.rollout.kept import Kept
from spoke.errors import Misconfigured
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.test_site import there
from tests.infra.script import Script, refusal

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1111-2222-3333-444455556666"


def scripts(table: str = "ACTIVE", key: str = "Enabled") -> dict[str, Script]:
    described = {"TableName": "scanhub-ledger", "TableStatus": table, "SSEDescription": {"KMSMasterKeyArn": KEY}}
    protected = {**described, "DeletionProtectionEnabled": True}
    dynamodb = Script("dynamodb").on("DescribeTable", {"Table": protected}).on("UpdateTable", {}).on("DeleteTable", {})
    return {
        "dynamodb": dynamodb,
        "s3": Script("s3").on("HeadBucket", refusal("404")),
        "logs": Script("logs").on("DescribeLogGroups", {"logGroups": [{"logGroupName": "/scanhub/worker-of-another"}]}),
        "kms": Script("kms")
        .on("DescribeKey", {"KeyMetadata": {"KeyId": "k", "KeyState": key}})
        .on("ScheduleKeyDeletion", {"DeletionDate": datetime(2026, 12, 22, tzinfo=UTC)}),
    }


def test_the_key_is_found_by_the_ledger_and_the_protection_is_lifted_first() -> None:
    given = scripts()
    kept = Kept.of(there(**given), None)
    assert (kept.table, kept.bucket, kept.log_group, kept.key) == ("scanhub-ledger", None, None, KEY)
    kept.delete(Recording())
    assert given["dynamodb"].calls["UpdateTable"] == [
        {"TableName": "scanhub-ledger", "DeletionProtectionEnabled": False}
    ]
    assert given["dynamodb"].calls["DeleteTable"] == [{"TableName": "scanhub-ledger"}]
    [call] = given["kms"].calls["ScheduleKeyDeletion"]
    assert (call["KeyId"], call["PendingWindowInDays"]) == ("0a1b2c3d-1111-2222-3333-444455556666", 30)


def test_what_is_being_deleted_is_not_kept_any_more() -> None:
    kept = Kept.of(there(**scripts(table="DELETING", key="PendingDeletion")), None)
    assert kept.is_empty
    assert kept.lines() == []
    assert Kept.of(there(**scripts(key="PendingDeletion")), None).key is None
    gone = scripts()
    gone["kms"].on("DescribeKey", refusal("NotFoundException"))
    assert Kept.of(there(**gone), None).key is None


@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "DescribeTable"), ("s3", "HeadBucket"), ("kms", "DescribeKey")]
)
def test_what_may_not_be_seen_is_not_taken_for_missing(service: str, operation: str) -> None:
    given = scripts()
    given[service].on(operation, refusal("AccessDeniedException"))
    with pytest.raises(Misconfigured, match="looking up what an earlier or the present hub keeps: AccessDenied"):
        Kept.of(there(**given), None)


def test_an_object_that_cannot_be_deleted_is_named() -> None:
    given = scripts()
    at = datetime(2026, 11, 22, tzinfo=UTC)
    versions = [{"Key": "scans/a", "VersionId": "1", "LastModified": at}]
    given["s3"].on("HeadBucket", {}).on("ListObjectVersions", {"Versions": versions})
    given["s3"].on("DeleteObjects", {"Errors": [{"Key": "scans/a", "Code": "AccessDenied", "Message": "object lock"}]})
    kept = Kept.of(there(**given), None)
    with pytest.raises(Misconfigured, match=r"emptying the bucket .*: scans/a: AccessDenied: object lock"):
        kept.delete(Recording())
