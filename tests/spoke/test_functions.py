from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from spoke.arn import FunctionArn
from spoke.errors import NotReady, Unreadable
from spoke.functions import UNREADABLE_CODES, readiness, snapshot_of
from spoke.snapshot import FunctionSnapshot, fingerprint

ARN = FunctionArn.parse("arn:aws:lambda:eu-central-1:210987654321:function:orders-api")
KEY = "arn:aws:kms:eu-central-1:210987654321:key/8f1d2c3b-4a59-4e6f-9d7c-0b1a2c3d4e5f"
OTHER_KEY = "arn:aws:kms:eu-central-1:210987654321:key/00000000-4a59-4e6f-9d7c-0b1a2c3d4e5f"
LAYERS = [
    "arn:aws:lambda:eu-central-1:210987654321:layer:observability:12",
    "arn:aws:lambda:eu-central-1:770693421928:layer:Klayers-p313-pillow:3",
]
IMAGE = "210987654321.dkr.ecr.eu-central-1.amazonaws.com/media/thumbnails"
DIGEST = "5f0f6b0cf3c1e9d8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4"


def zip_answer(**configuration: Any) -> dict[str, Any]:
    return {
        "ResponseMetadata": {"RequestId": "7d1c9b3e-5f20-4a86-9a7b-0c2d4e6f8a9b", "HTTPStatusCode": 200},
        "Configuration": {
            "FunctionName": "orders-api",
            "FunctionArn": str(ARN),
            "Runtime": "python3.13",
            "Role": "arn:aws:iam::210987654321:role/orders-api-execution",
            "Handler": "app.handler",
            "CodeSize": 1482301,
            "Description": "",
            "Timeout": 30,
            "MemorySize": 512,
            "LastModified": "2026-11-20T10:11:12.345+0000",
            "CodeSha256": "dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
            "Version": "$LATEST",
            "TracingConfig": {"Mode": "PassThrough"},
            "RevisionId": "0a6f3e2b-77c1-4a55-9d0b-4a3f2c1d0e9f",
            "Layers": [{"Arn": arn, "CodeSize": 902113} for arn in LAYERS],
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "EphemeralStorage": {"Size": 512},
            **configuration,
        },
        "Code": {
            "RepositoryType": "S3",
            "Location": "https://prod-04-2014-tasks.s3.eu-central-1.amazonaws.com/snapshots/orders-api",
        },
        "Tags": {"team": "orders"},
    }


def test_a_zip_function() -> None:
    snapshot = snapshot_of(ARN, zip_answer())
    assert snapshot == FunctionSnapshot(
        arn=ARN,
        code_sha256="dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
        last_modified=datetime(2026, 11, 20, 10, 11, 12, 345000, tzinfo=UTC),
        layers=tuple(LAYERS),
        package_type="Zip",
        architectures=("arm64",),
        runtime="python3.13",
        state="Active",
        last_update_status="Successful",
        code_size=1482301,
        tags={"team": "orders"},
    )
    assert snapshot.fingerprint == fingerprint(snapshot.code_sha256, LAYERS)
    assert snapshot.last_modified.tzinfo is UTC


def test_an_image_function() -> None:
    answer = zip_answer(PackageType="Image", CodeSha256=DIGEST, CodeSize=0, Architectures=["x86_64"])
    for key in ("Runtime", "Handler", "Layers"):
        del answer["Configuration"][key]
    answer["Code"] = {
        "RepositoryType": "ECR",
        "ImageUri": f"{IMAGE}:2026-11-20",
        "ResolvedImageUri": f"{IMAGE}@sha256:{DIGEST}",
    }
    snapshot = snapshot_of(ARN, answer)
    assert snapshot.is_image
    assert (snapshot.runtime, snapshot.layers, snapshot.code_size) == (None, (), 0)
    assert snapshot.image_uri == f"{IMAGE}:2026-11-20"
    assert snapshot.resolved_image_uri == f"{IMAGE}@sha256:{DIGEST}"
    del answer["Configuration"]["CodeSha256"]
    assert snapshot_of(ARN, answer).code_sha256 == DIGEST


def test_what_aws_adds_later_is_kept() -> None:
    answer = zip_answer(
        State="Hibernating",
        StateReasonCode="Winter",
        LastUpdateStatus="Wavering",
        LastUpdateStatusReasonCode="Doubt",
        Runtime="cobol85",
        Architectures=["riscv64", "arm64"],
        PackageType="Wasm",
        SomethingNew={"a": 1},
    )
    snapshot = snapshot_of(ARN, answer)
    assert (snapshot.state, snapshot.state_reason_code) == ("Hibernating", "Winter")
    assert (snapshot.last_update_status, snapshot.last_update_status_reason_code) == ("Wavering", "Doubt")
    assert (snapshot.runtime, snapshot.package_type) == ("cobol85", "Wasm")
    assert snapshot.architectures == ("riscv64", "arm64")
    readiness(snapshot)


@pytest.mark.parametrize("answer", [{}, {"Configuration": {}}, {"Configuration": None, "Code": None, "Tags": None}])
def test_what_is_missing_is_not_missed(answer: dict[str, Any]) -> None:
    snapshot = snapshot_of(ARN, answer)
    assert snapshot == FunctionSnapshot(
        arn=ARN,
        code_sha256="",
        last_modified=datetime(1970, 1, 1, tzinfo=UTC),
        state=None,
        last_update_status=None,
        tags={},
    )
    readiness(snapshot)


def test_an_unreadable_time_is_older_than_every_other() -> None:
    assert snapshot_of(ARN, zip_answer(LastModified="soon")).last_modified.year == 1970


def test_a_qualifier_is_left_out() -> None:
    assert snapshot_of(FunctionArn.parse(f"{ARN}:live"), zip_answer()).arn == ARN


def test_tags_that_may_not_be_listed_are_unknown() -> None:
    answer = zip_answer()
    del answer["Tags"]
    assert snapshot_of(ARN, answer).tags == {}
    answer["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "not authorized: lambda:ListTags"}
    assert snapshot_of(ARN, answer).tags is None


def test_the_package_s_own_key_comes_first() -> None:
    answer = zip_answer(KMSKeyArn=OTHER_KEY)
    assert snapshot_of(ARN, answer).kms_key_arn == OTHER_KEY
    answer["Code"]["SourceKMSKeyArn"] = KEY
    assert snapshot_of(ARN, answer).kms_key_arn == KEY


@pytest.mark.parametrize(
    "configuration",
    [
        {"State": "Pending", "StateReasonCode": "Creating"},
        {"State": "Pending"},
        {"LastUpdateStatus": "InProgress", "LastUpdateStatusReasonCode": "Creating"},
        {"State": "Pending", "StateReasonCode": "ImageAccessDenied"},
    ],
)
def test_not_ready(configuration: dict[str, str]) -> None:
    with pytest.raises(NotReady):
        readiness(snapshot_of(ARN, zip_answer(**configuration)))


@pytest.mark.parametrize("code", sorted(UNREADABLE_CODES))
def test_unreadable(code: str) -> None:
    for configuration in (
        {"State": "Failed", "StateReasonCode": code},
        {"State": "Inactive", "StateReasonCode": code},
        {"LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": code},
    ):
        with pytest.raises(Unreadable, match=code):
            readiness(snapshot_of(ARN, zip_answer(**configuration)))


def words_of(shape: str) -> set[str]:
    return set(botocore.session.get_session().get_service_model("lambda").shape_for(shape).metadata["enum"])


def reason_codes() -> set[str]:
    return words_of("StateReasonCode") | words_of("LastUpdateStatusReasonCode")


def test_every_code_of_the_model_that_speaks_of_key_image_or_package_is_unreadable() -> None:
    assert {
        code for code in reason_codes() if any(word in code for word in ("KMS", "Image", "Zip"))
    } == UNREADABLE_CODES


def test_every_other_code_of_the_model_passes() -> None:
    for code in reason_codes() - UNREADABLE_CODES:
        readiness(snapshot_of(ARN, zip_answer(State="Failed", StateReasonCode=code)))
        readiness(snapshot_of(ARN, zip_answer(LastUpdateStatus="Failed", LastUpdateStatusReasonCode=code)))


def test_every_state_of_the_model_but_pending_passes() -> None:
    for state in words_of("State") - {"Pending"}:
        readiness(snapshot_of(ARN, zip_answer(State=state)))


def test_a_package_that_lambda_may_not_hand_out() -> None:
    answer = zip_answer()
    answer["Code"] = {"RepositoryType": "S3", "Error": {"ErrorCode": "KMSAccessDeniedException", "Message": "no"}}
    with pytest.raises(Unreadable, match="KMSAccessDeniedException"):
        readiness(snapshot_of(ARN, answer))
    answer["Code"]["Error"]["ErrorCode"] = "ServiceException"
    readiness(snapshot_of(ARN, answer))
