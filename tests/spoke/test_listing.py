import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from spoke.arn import FunctionArn
from spoke.errors import Unavailable
from spoke.functions import snapshot_of
from spoke.listing import MAX_MARKER, RAW, Page, keep_raw, page_of
from tests.conftest import REGION

ACCOUNT = "210987654321"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")

# As ListFunctions gives it: without state, with what a scan does not need.
ENTRY: dict[str, Any] = {
    "FunctionName": "orders-api",
    "FunctionArn": str(ARN),
    "Runtime": "python3.13",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/service-role/orders-api",
    "Handler": "app.handler",
    "CodeSize": 2874112,
    "Description": "Takes orders",
    "Timeout": 30,
    "MemorySize": 512,
    "LastModified": "2026-11-20T10:11:12.345+0000",
    "CodeSha256": "5tNXDRR+2eYyTVjYsXNdGPtlCEWvRrP3yOdKBQF0sXc=",
    "Version": "$LATEST",
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False},
    "Environment": {"Variables": {"DATABASE_PASSWORD": "canary-password-81c5"}},
    "KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/5d1c4b0e-7f5e-4a3e-9d5b-0a8a2f3f7c11",
    "TracingConfig": {"Mode": "PassThrough"},
    "RevisionId": "0d5a6c5e-8d3a-4a59-9a8e-3f2d5f2c2f11",
    "Layers": [
        {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:observability:7", "CodeSize": 18123},
        {"Arn": f"arn:aws:lambda:{REGION}:580247275435:layer:LambdaInsightsExtension:38", "CodeSize": 9871},
    ],
    "PackageType": "Zip",
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders-api"},
}


def body(*entries: object, **more: object) -> bytes:
    return json.dumps({"Functions": list(entries), **more}).encode()


def read(raw: bytes) -> Page:
    return page_of(raw, account=ACCOUNT, region=REGION)


def test_an_entry_is_what_get_function_says_of_it_but_for_the_tags() -> None:
    (snapshot,) = read(body(ENTRY)).functions
    assert snapshot == snapshot_of(ARN, {"Configuration": ENTRY, "TagsError": {"ErrorCode": "AccessDenied"}})
    assert (snapshot.code_size, snapshot.runtime, snapshot.architectures) == (2874112, "python3.13", ("arm64",))
    assert len(snapshot.layers) == 2
    assert snapshot.kms_key_arn == ENTRY["KMSKeyArn"]
    assert snapshot.tags is None


def test_an_image_function() -> None:
    entry = {key: value for key, value in ENTRY.items() if key not in {"Runtime", "Handler", "Layers"}}
    entry |= {"PackageType": "Image", "CodeSha256": "ab" * 32, "CodeSize": 0, "Runtime": None}
    (snapshot,) = read(body(entry)).functions
    assert snapshot.is_image
    assert (snapshot.runtime, snapshot.runtime_name, snapshot.code_sha256) == (None, "image", "ab" * 32)


def test_of_all_versions_latest_is_the_function_and_a_number_is_a_version() -> None:
    entries = [{**ENTRY, "FunctionArn": f"{ARN}:{one}", "Version": one} for one in ("$LATEST", "1", "12")]
    assert [str(one.arn) for one in read(body(*entries)).functions] == [str(ARN), f"{ARN}:1", f"{ARN}:12"]


def test_the_marker_leads_on() -> None:
    assert read(body(ENTRY)).marker is None
    assert read(body(ENTRY, NextMarker=None)).marker is None
    assert read(body(ENTRY, NextMarker="")).marker is None
    assert read(body(NextMarker="QQ==")) == Page((), "QQ==")


@pytest.mark.parametrize("marker", [7, ["QQ=="], {"a": 1}, True, "m" * (MAX_MARKER + 1)])
def test_a_marker_that_is_none_ends_nothing(marker: object) -> None:
    with pytest.raises(Unavailable, match="marker"):
        read(body(ENTRY, NextMarker=marker))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b'{"Functions": null}',
        b'{"Functions": {"0": 1}}',
        b'{"Functions": [' * 100_000,
        b"\xff\xfe\x00",
        b'{"Functions": [{"CodeSize": ' + b"9" * 5000 + b"}]}",
    ],
)
def test_what_is_no_page_is_not_an_empty_one(raw: bytes) -> None:
    """Else every function would be taken for deleted."""
    with pytest.raises(Unavailable, match=f"account {ACCOUNT} in {REGION}") as caught:
        read(raw)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "arn",
    [
        None,
        7,
        "",
        "orders-api",
        str(ARN).replace(ACCOUNT, "345678901234"),
        str(ARN).replace(REGION, "us-east-1"),
        str(ARN).replace("orders-api", "n" * 65),
        str(ARN).replace("orders-api", "orders/api"),
        str(ARN) + "\n",
        f"arn:aws:iam::{ACCOUNT}:role/x",
    ],
)
def test_an_entry_that_names_no_function_of_the_place_is_left_out(arn: object) -> None:
    with capture_logs() as logs:
        page = read(body({**ENTRY, "FunctionArn": arn}, ENTRY, "text", None, [ENTRY]))
    assert [one.arn for one in page.functions] == [ARN]
    (line,) = logs
    assert (line["log_level"], line["entries"]) == ("warning", 4)
    assert "canary" not in repr(line)


@pytest.mark.parametrize("key", sorted(ENTRY.keys() - {"FunctionArn"}))
@pytest.mark.parametrize("odd", [None, 7, -1.5, True, "", "odd", [], [None, 7, {"Arn": 3}], {}, {"Arn": None}])
def test_an_odd_value_counts_as_left_out(key: str, odd: object) -> None:
    (snapshot,) = read(body({**ENTRY, key: odd})).functions
    assert snapshot.arn == ARN
    assert len(snapshot.fingerprint) == 64
    assert snapshot.last_modified.utcoffset() is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ENTRY, "Arn"]), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(ENTRY)), JSON))
def test_whatever_an_entry_holds_it_is_read_or_left_out(entry: dict[str, Any]) -> None:
    page = read(body({**ENTRY, **entry}, {**entry, "FunctionArn": str(ARN)}))
    for snapshot in page.functions:
        assert (snapshot.arn.account, snapshot.arn.region) == (ACCOUNT, REGION)
        assert isinstance(hash(snapshot), int)
        assert isinstance(snapshot.code_size, int)
        assert all(isinstance(layer, str) for layer in snapshot.layers)
        assert len(snapshot.fingerprint) == 64


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_page_or_none(raw: bytes) -> None:
    try:
        page = read(raw)
    except Unavailable:
        return
    assert isinstance(page, Page)


def test_a_sound_answer_is_kept_unparsed_and_a_refusal_is_left_to_botocore() -> None:
    answer: dict[str, Any] = {"status_code": 200, "body": b"sound"}
    kept: dict[str, Any] = {}
    keep_raw(response_dict=answer, customized_response_dict=kept, operation_model=None)
    assert (answer["body"], kept) == (b"{}", {RAW: b"sound"})
    refusal: dict[str, Any] = {"status_code": 403, "body": b'{"Message": "no"}'}
    kept = {}
    keep_raw(response_dict=refusal, customized_response_dict=kept)
    assert (refusal["body"], kept) == (b'{"Message": "no"}', {})
