import hashlib
from datetime import UTC, datetime

import pytest

from spoke.changes import Change, ChangeKind, Ignored, IgnoredReason
from spoke.envelope import Malformed, MalformedReason
from spoke.snapshot import fingerprint
from tests.spoke.recorded_events import (
    ACCOUNT,
    REGION,
    REQUEST_FIELD,
    RESPONSE_FIELD,
    changed,
    code_sha256,
    function,
    layer,
    put,
    read_event,
    recorded,
)


def test_a_created_function() -> None:
    assert changed("create_function") == Change(
        kind=ChangeKind.CREATED,
        function=function("orders-api"),
        account=ACCOUNT,
        region=REGION,
        at=datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC),
        event_id="3f0d6c52-8a41-4e8f-b6d9-1a2b3c4d0001",
        fingerprint=fingerprint(code_sha256("one"), []),
        last_modified=datetime(2026, 11, 20, 10, 11, 12, 345000, tzinfo=UTC),
        reason="event",
        force=False,
        replay=None,
    )


def test_a_created_image_function_under_an_undated_name() -> None:
    change = changed("create_image_function_undated")
    assert (change.kind, change.function) == (ChangeKind.CREATED, function("media-thumbnails"))
    assert change.fingerprint == fingerprint(hashlib.sha256(b"img").hexdigest(), [])


def test_a_published_update_names_the_function_and_not_its_version() -> None:
    change = changed("update_code_published")
    assert (change.kind, change.function) == (ChangeKind.CODE_UPDATED, function("orders-api"))
    assert change.fingerprint == fingerprint(code_sha256("two"), [])


def test_layers_in_the_form_of_responses() -> None:
    change = changed("update_code_by_arn_with_layers")
    assert change.function == function("billing-export")
    layers = [layer("reporting-fonts:7"), layer("Klayers-p313-pillow:3", "770693421928")]
    assert change.fingerprint == fingerprint(code_sha256("three"), layers)
    assert change.fingerprint != fingerprint(code_sha256("three"), layers[::-1])


def test_layers_in_the_form_of_requests() -> None:
    event = recorded("update_code_by_arn_with_layers")
    layers = [item["arn"] for item in event["detail"]["responseElements"]["layers"]]
    event["detail"]["responseElements"]["layers"] = layers
    reading = read_event(event)
    assert isinstance(reading, Change)
    assert reading.fingerprint == changed("update_code_by_arn_with_layers").fingerprint


def test_a_change_of_layers_alone_changes_the_fingerprint() -> None:
    change = changed("update_configuration_layers")
    assert change.kind is ChangeKind.CONFIGURATION_UPDATED
    assert change.fingerprint == fingerprint(code_sha256("one"), [layer("observability:12")])
    assert change.fingerprint != changed("create_function").fingerprint


def test_a_partial_arn_is_completed_from_the_envelope_and_tells_no_fingerprint() -> None:
    change = changed("update_code_by_partial_arn")
    assert change.function == function("orders-api")
    assert (change.fingerprint, change.last_modified) == (None, None)


def test_a_bare_name_takes_the_envelope_s_region_and_its_partition() -> None:
    change = changed("create_function_govcloud")
    assert change.function == function("records-intake", "345678901234", "us-gov-west-1", "aws-us-gov")


def test_a_deleted_function() -> None:
    change = changed("delete_function")
    assert (change.kind, change.function, change.fingerprint) == (ChangeKind.DELETED, function("orders-api"), None)
    assert change.at == datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


def test_a_replay_is_told() -> None:
    change = changed("update_code_replayed")
    assert change.replay == "after-outage-2026-11-21"
    assert change.kind is ChangeKind.CODE_UPDATED


@pytest.mark.parametrize(
    ("event_name", "kind"),
    [
        ("CreateFunction", ChangeKind.CREATED),
        ("CreateFunction20150331", ChangeKind.CREATED),
        ("CreateFunction20291231v12", ChangeKind.CREATED),
        ("UpdateFunctionCode", ChangeKind.CODE_UPDATED),
        ("UpdateFunctionCode20150331v2", ChangeKind.CODE_UPDATED),
        ("UpdateFunctionConfiguration20150331v2", ChangeKind.CONFIGURATION_UPDATED),
        ("DeleteFunction", ChangeKind.DELETED),
        ("CreateFunction2015", None),
        ("CreateFunction20150331v", None),
        ("CreateFunction20150331v2 ", None),
        ("CreateFunction20150331\n", None),
        ("CreateFunction2015033\N{ARABIC-INDIC DIGIT ONE}", None),
        ("createfunction", None),
        ("CreateFunctionUrlConfig", None),
        ("CreateFunctionUrlConfig20211031", None),
        ("DeleteFunctionConcurrency20171031", None),
        ("UpdateFunctionEventInvokeConfig", None),
        ("PreCreateFunction", None),
        ("", None),
    ],
)
def test_names_with_and_without_date_and_version(event_name: str, kind: ChangeKind | None) -> None:
    event = recorded("create_function")
    event["detail"]["eventName"] = event_name
    reading = read_event(event)
    if kind is None:
        assert isinstance(reading, Ignored)
        assert reading.reason is IgnoredReason.OTHER_CALL
    else:
        assert isinstance(reading, Change)
        assert reading.kind is kind


@pytest.mark.parametrize("arn", [None, 7, "nonsense", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"])
def test_a_response_without_a_sound_arn_leaves_the_request_s_name(arn: object) -> None:
    reading = read_event(put(recorded("create_function"), RESPONSE_FIELD, arn))
    assert isinstance(reading, Change)
    assert reading.function == function("orders-api")


def test_the_response_s_arn_is_preferred() -> None:
    reading = read_event(put(recorded("create_function"), REQUEST_FIELD, "something-else"))
    assert isinstance(reading, Change)
    assert reading.function == function("orders-api")


def test_a_bad_arn_in_the_response_and_no_name_in_the_request() -> None:
    event = put(put(recorded("create_function"), RESPONSE_FIELD, "nonsense"), REQUEST_FIELD, None)
    reading = read_event(event)
    assert isinstance(reading, Malformed)
    assert reading.reason is MalformedReason.BAD_ARN


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("detail/responseElements/codeSha256", 7),
        ("detail/responseElements/codeSha256", "short"),
        ("detail/responseElements/codeSha256", code_sha256("one") + "\n"),
        ("detail/responseElements/layers", {"arn": layer("a:1")}),
        ("detail/responseElements/layers", [7]),
        ("detail/responseElements/layers", [{"codeSize": 7}]),
        ("detail/responseElements/layers", [{"arn": layer("a:1") + "\n" + layer("b:1")}]),
        ("detail/responseElements/layers", [layer("a:1"), None]),
    ],
)
def test_an_odd_response_tells_no_fingerprint_and_harms_nothing_else(path: str, value: object) -> None:
    reading = read_event(put(recorded("create_function"), path, value))
    assert isinstance(reading, Change)
    assert reading.fingerprint is None
    assert reading.last_modified is not None


@pytest.mark.parametrize("value", [7, "soon", None])
def test_an_odd_last_modified_is_left_out(value: object) -> None:
    reading = read_event(put(recorded("create_function"), "detail/responseElements/lastModified", value))
    assert isinstance(reading, Change)
    assert reading.last_modified is None
    assert reading.fingerprint is not None


@pytest.mark.parametrize("request_parameters", [None, "x", {}, {"tags": []}, {"tags": 7}, {"tagKeys": [{}]}])
def test_odd_tagging_is_tagging(request_parameters: object) -> None:
    reading = read_event(put(recorded("tag_own"), "detail/requestParameters", request_parameters))
    assert reading == Ignored(IgnoredReason.TAGGING, "TagResource")


def test_untagging_our_own_keys_is_ours() -> None:
    event = put(recorded("untag"), "detail/requestParameters/tagKeys", ["QualysScanTag", "QualysScanStatus"])
    assert read_event(event) == Ignored(IgnoredReason.OWN_TAGGING, "UntagResource")


@pytest.mark.parametrize("name", ["create_function", "update_code_published"])
def test_an_event_is_of_the_function_whatever_version_it_published(name: str) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api"
    reading = read_event(put(recorded(name), "detail/responseElements/functionArn", f"{arn}:7"))
    assert isinstance(reading, Change)
    assert str(reading.function) == arn
