import base64
import copy
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spoke.arn import FunctionArn
from spoke.envelope import MAX_BODY
from spoke.events import (
    Change,
    ChangeKind,
    Ignored,
    IgnoredReason,
    Malformed,
    MalformedReason,
    Reading,
    RequestReason,
    read,
    scan_request,
)
from spoke.snapshot import fingerprint

EVENTS = Path(__file__).parent / "events"
ACCOUNT, REGION = "210987654321", "eu-central-1"
NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))


def recorded(name: str) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    assert isinstance(event, dict)
    return event


def read_event(event: object) -> Reading:
    return read(json.dumps(event))


def changed(name: str) -> Change:
    reading = read_event(recorded(name))
    assert isinstance(reading, Change), reading
    return reading


def function(name: str, account: str = ACCOUNT, region: str = REGION, partition: str = "aws") -> FunctionArn:
    return FunctionArn(partition, region, account, name)


def code_sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def layer(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{REGION}:{account}:layer:{name}"


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


def test_a_request_of_our_own() -> None:
    assert changed("scan_request") == Change(
        kind=ChangeKind.REQUESTED,
        function=function("orders-api"),
        account=ACCOUNT,
        region=REGION,
        at=None,
        event_id=None,
        reason="manual",
        force=True,
    )


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("update_configuration_failed", IgnoredReason.FAILED_CALL, "InvalidParameterValueException"),
        ("update_code_access_denied", IgnoredReason.FAILED_CALL, "AccessDenied"),
        ("update_code_dry_run", IgnoredReason.DRY_RUN, "changed nothing"),
        ("delete_function_version", IgnoredReason.VERSION_DELETED, "one version"),
        ("delete_function_by_qualified_arn", IgnoredReason.VERSION_DELETED, "one version"),
        ("tag_own", IgnoredReason.OWN_TAGGING, "TagResource"),
        ("tag_foreign", IgnoredReason.TAGGING, "TagResource"),
        ("untag", IgnoredReason.TAGGING, "UntagResource"),
        ("publish_version", IgnoredReason.OTHER_CALL, "PublishVersion20150331"),
        ("publish_layer_version", IgnoredReason.OTHER_CALL, "PublishLayerVersion20181031"),
        ("add_permission", IgnoredReason.OTHER_CALL, "AddPermission20150331v2"),
        ("foreign_source", IgnoredReason.FOREIGN_SOURCE, "aws.s3"),
        ("foreign_detail_type", IgnoredReason.FOREIGN_DETAIL_TYPE, "Invocation Result"),
    ],
)
def test_what_asks_for_nothing_is_ignored_for_a_stated_reason(name: str, reason: IgnoredReason, detail: str) -> None:
    reading = read_event(recorded(name))
    assert isinstance(reading, Ignored)
    assert reading.reason is reason
    assert detail in reading.detail


def test_every_recorded_event_has_a_test() -> None:
    assert len(NAMES) == 23
    text = Path(__file__).read_text()
    assert [name for name in NAMES if f'"{name}"' not in text] == []


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


def put(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    event = copy.deepcopy(event)
    *holders, key = path.split("/")
    holder = event
    for name in holders:
        holder = holder[name]
    holder[key] = value
    return event


REQUEST_FIELD = "detail/requestParameters/functionName"
RESPONSE_FIELD = "detail/responseElements/functionArn"


@pytest.mark.parametrize(
    ("name", "path", "value", "reason"),
    [
        ("create_function", "source", None, MalformedReason.MISSING_FIELD),
        ("create_function", "source", ["aws.lambda"], MalformedReason.WRONG_TYPE),
        ("create_function", "detail-type", None, MalformedReason.MISSING_FIELD),
        ("create_function", "detail-type", 7, MalformedReason.WRONG_TYPE),
        ("create_function", "detail", None, MalformedReason.MISSING_FIELD),
        ("create_function", "detail", "{}", MalformedReason.WRONG_TYPE),
        ("create_function", "detail/eventName", None, MalformedReason.MISSING_FIELD),
        ("create_function", "detail/eventName", {"S": "CreateFunction"}, MalformedReason.WRONG_TYPE),
        ("create_function", "detail/eventSource", 1.5, MalformedReason.WRONG_TYPE),
        ("create_function", "detail/requestParameters", [1], MalformedReason.WRONG_TYPE),
        ("create_function", "detail/responseElements", "null", MalformedReason.WRONG_TYPE),
        ("create_function", "detail/eventTime", 1795774272, MalformedReason.WRONG_TYPE),
        ("create_function", "detail/eventTime", "yesterday", MalformedReason.BAD_TIME),
        ("create_function", "account", None, MalformedReason.MISSING_FIELD),
        ("create_function", "account", 210987654321, MalformedReason.WRONG_TYPE),
        ("create_function", "account", "21098765432", MalformedReason.BAD_ACCOUNT),
        ("create_function", "account", "21098765432\N{ARABIC-INDIC DIGIT ONE}", MalformedReason.BAD_ACCOUNT),
        ("create_function", "region", None, MalformedReason.MISSING_FIELD),
        ("create_function", "region", "eu-central-1/../..", MalformedReason.BAD_REGION),
        ("create_function", "id", 12, MalformedReason.WRONG_TYPE),
        ("create_function", "id", "two\nlines", MalformedReason.WRONG_TYPE),
        ("create_function", "replay-name", "x" * 300, MalformedReason.WRONG_TYPE),
        ("update_code_by_partial_arn", REQUEST_FIELD, None, MalformedReason.MISSING_FIELD),
        ("update_code_by_partial_arn", REQUEST_FIELD, True, MalformedReason.WRONG_TYPE),
        ("update_code_by_partial_arn", REQUEST_FIELD, "orders api", MalformedReason.BAD_ARN),
        ("update_code_by_partial_arn", REQUEST_FIELD, "n" * 65, MalformedReason.BAD_ARN),
        ("update_code_by_partial_arn", "detail/requestParameters", None, MalformedReason.MISSING_FIELD),
        ("scan_request", "detail/functionArn", None, MalformedReason.MISSING_FIELD),
        ("scan_request", "detail/functionArn", "arn:aws:s3:::bucket", MalformedReason.BAD_ARN),
        ("scan_request", "detail/reason", None, MalformedReason.MISSING_FIELD),
        ("scan_request", "detail/reason", "curiosity", MalformedReason.BAD_REASON),
        ("scan_request", "detail/reason", ["sweep"], MalformedReason.WRONG_TYPE),
        ("scan_request", "detail/force", "false", MalformedReason.WRONG_TYPE),
        ("scan_request", "detail/force", 1, MalformedReason.WRONG_TYPE),
        ("scan_request", "detail", [], MalformedReason.WRONG_TYPE),
        ("scan_request", "time", "later", MalformedReason.BAD_TIME),
        ("scan_request", "account", "me", MalformedReason.BAD_ACCOUNT),
    ],
)
def test_what_claims_to_be_ours_and_cannot_be_read(
    name: str, path: str, value: object, reason: MalformedReason
) -> None:
    reading = read_event(put(recorded(name), path, value))
    assert isinstance(reading, Malformed), reading
    assert reading.reason is reason
    assert path.rpartition("/")[2] in reading.detail
    assert "\n" not in reading.detail


def test_an_event_without_any_time() -> None:
    event = put(put(recorded("create_function"), "detail/eventTime", None), "time", None)
    assert read_event(event) == Malformed(MalformedReason.MISSING_FIELD, "neither detail.eventTime nor time is there")


def test_the_envelope_s_time_stands_in_for_the_record_s() -> None:
    event = put(put(recorded("create_function"), "detail/eventTime", None), "time", "2026-11-20T10:20:00Z")
    reading = read_event(event)
    assert isinstance(reading, Change)
    assert reading.at == datetime(2026, 11, 20, 10, 20, tzinfo=UTC)


def test_a_request_of_our_own_for_another_purpose_is_foreign() -> None:
    reading = read_event(put(recorded("scan_request"), "detail-type", "Scan Finished"))
    assert isinstance(reading, Ignored)
    assert reading.reason is IgnoredReason.FOREIGN_DETAIL_TYPE


def test_another_service_under_lambda_s_name_is_foreign() -> None:
    reading = read_event(put(recorded("create_function"), "detail/eventSource", "iam.amazonaws.com"))
    assert isinstance(reading, Ignored)
    assert reading.reason is IgnoredReason.FOREIGN_SOURCE


def test_an_account_that_differs_is_left_to_the_journey() -> None:
    event = put(recorded("create_function"), "account", "999999999999")
    reading = read_event(event)
    assert isinstance(reading, Change)
    assert (reading.account, reading.function.account) == ("999999999999", ACCOUNT)


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


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", MalformedReason.NOT_JSON),
        ("not json", MalformedReason.NOT_JSON),
        ('{"source": "aws.lambda"', MalformedReason.NOT_JSON),
        ('{"source": NaN}', MalformedReason.NOT_JSON),
        ('{"source": -Infinity}', MalformedReason.NOT_JSON),
        ('{"source": ' + "9" * 5000 + "}", MalformedReason.NOT_JSON),
        ("\ufeff{}", MalformedReason.NOT_JSON),
        ("\ud800", MalformedReason.NOT_JSON),
        ("[]", MalformedReason.NOT_AN_OBJECT),
        ('"text"', MalformedReason.NOT_AN_OBJECT),
        ("null", MalformedReason.NOT_AN_OBJECT),
        ("1", MalformedReason.NOT_AN_OBJECT),
        ("{}", MalformedReason.MISSING_FIELD),
        ("[" * 200_000, MalformedReason.TOO_DEEP),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, MalformedReason.TOO_DEEP),
        ('{"a": "' + "x" * MAX_BODY + '"}', MalformedReason.TOO_LARGE),
        ('{"a": "' + "\N{SNOWMAN}" * (MAX_BODY // 3) + '"}', MalformedReason.TOO_LARGE),
        ("\ud800" * (MAX_BODY // 3 + 1), MalformedReason.TOO_LARGE),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_bodies_that_are_no_envelope(body: str, reason: MalformedReason) -> None:
    reading = read(body)
    assert isinstance(reading, Malformed)
    assert reading.reason is reason
    assert len(reading.detail) <= 200


def test_the_largest_body_that_a_queue_carries_is_read() -> None:
    event = json.dumps({**recorded("create_function"), "padding": ""})
    body = event.replace('"padding": ""', f'"padding": "{"x" * (MAX_BODY - len(event))}"')
    assert len(body) == MAX_BODY
    assert isinstance(read(body), Change)
    assert isinstance(read(body + " "), Malformed)


def test_of_a_key_that_stands_there_twice_the_last_one_counts() -> None:
    body = json.dumps(recorded("create_function"))
    twice = body[:-1] + ', "account": "999999999999"}'
    reading = read(twice)
    assert isinstance(reading, Change)
    assert reading.account == "999999999999"


def test_lone_surrogates_do_not_travel_on() -> None:
    for path in ("source", "detail-type", "account", "region", "id", "detail/eventName", "detail/errorCode"):
        reading = read_event(put(recorded("create_function"), path, "aws\ud800"))
        assert isinstance(reading, (Ignored, Malformed))
        reading.detail.encode()


@pytest.mark.parametrize("path", ["source", "detail-type", "account", "region", "id", "detail/eventName"])
@settings(max_examples=25)
@given(text=st.text(min_size=300))
@example(text="\U0001f600" * 300)
@example(text="\n" * 300)
def test_details_are_one_short_line(path: str, text: str) -> None:
    reading = read_event(put(recorded("create_function"), path, text))
    assert isinstance(reading, (Ignored, Malformed))
    assert len(reading.detail) <= 200
    assert reading.detail.isprintable()
    assert text[:100] not in reading.detail


@pytest.mark.parametrize("reason", list(RequestReason))
@pytest.mark.parametrize("force", [False, True])
def test_what_is_written_is_read(reason: RequestReason, force: bool) -> None:
    arn = FunctionArn.parse(f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:orders-api:live")
    reading = read(scan_request(arn, reason=reason, force=force))
    assert reading == Change(
        kind=ChangeKind.REQUESTED,
        function=arn.unqualified,
        account=ACCOUNT,
        region="cn-north-1",
        reason=reason.value,
        force=force,
    )


def test_a_request_keeps_a_version() -> None:
    version = FunctionArn.parse(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api:7")
    reading = read(scan_request(version, reason="sweep"))
    assert isinstance(reading, Change)
    assert reading.function == version
    assert reading.account == version.account


@pytest.mark.parametrize("qualifier", ["live", "$LATEST"])
def test_a_request_of_an_alias_is_one_of_its_function(qualifier: str) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api"
    written = json.loads(scan_request(FunctionArn.parse(f"{arn}:{qualifier}"), reason="sweep"))
    assert written["detail"]["functionArn"] == arn
    written["detail"]["functionArn"] = f"{arn}:{qualifier}"
    reading = read(json.dumps(written))
    assert isinstance(reading, Change)
    assert str(reading.function) == arn


@pytest.mark.parametrize("name", ["create_function", "update_code_published"])
def test_an_event_is_of_the_function_whatever_version_it_published(name: str) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api"
    reading = read_event(put(recorded(name), "detail/responseElements/functionArn", f"{arn}:7"))
    assert isinstance(reading, Change)
    assert str(reading.function) == arn


@given(
    name=st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
    qualifier=st.none() | st.integers(0, 10**9).map(str) | st.sampled_from(["live", "$LATEST", "7a"]),
)
def test_a_request_is_read_as_the_content_that_it_names(name: str, qualifier: str | None) -> None:
    arn = FunctionArn("aws", REGION, ACCOUNT, name, qualifier)
    reading = read(scan_request(arn, reason="manual"))
    assert isinstance(reading, Change)
    assert reading.function == arn.content


def test_a_request_follows_the_published_contract() -> None:
    assert json.loads(scan_request(function("orders-api"), reason="sweep")) == {
        "source": "scanhub",
        "detail-type": "Scan Request",
        "account": ACCOUNT,
        "region": REGION,
        "detail": {
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api",
            "reason": "sweep",
            "force": False,
        },
    }


def test_an_unknown_reason_is_not_written() -> None:
    with pytest.raises(ValueError, match="curiosity"):
        scan_request(function("orders-api"), reason="curiosity")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def paths_of(value: object, start: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [start] if start else []
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        found += paths_of(inner, (*start, key))
    return found


@settings(max_examples=400)
@given(st.sampled_from(NAMES), st.data())
def test_wrong_types_at_any_level_never_raise(name: str, data: st.DataObject) -> None:
    event = recorded(name)
    for _ in range(data.draw(st.integers(1, 3))):
        *holders, key = data.draw(st.sampled_from(paths_of(event)))
        holder: Any = event
        for step in holders:
            holder = holder[step]
        if data.draw(st.booleans()):
            holder[key] = data.draw(anything)
        else:
            del holder[key]
        if not event:
            break
    reading = read_event(event)
    assert isinstance(reading, (Change, Ignored, Malformed))
    if isinstance(reading, Change):
        assert reading.function.qualifier is None
        assert FunctionArn.parse(str(reading.function)) == reading.function


@settings(max_examples=300)
@given(st.one_of(st.text(), st.text(alphabet='{}[]",:truefalsn0123.eE+-\\u \n'), anything.map(json.dumps)))
def test_no_text_raises(body: str) -> None:
    assert isinstance(read(body), (Change, Ignored, Malformed))


@given(st.sampled_from(NAMES), st.data())
def test_a_body_that_was_cut_off_never_raises(name: str, data: st.DataObject) -> None:
    body = json.dumps(recorded(name))
    cut = data.draw(st.integers(0, len(body) - 1))
    reading = read(body[:cut])
    assert isinstance(reading, Malformed)
    assert reading.reason is MalformedReason.NOT_JSON
