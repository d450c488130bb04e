import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spoke.changes import Change, Ignored
from spoke.envelope import MAX_BODY, Malformed, MalformedReason
from spoke.events import read
from tests.spoke.recorded_events import ACCOUNT, REQUEST_FIELD, put, read_event, recorded


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


def test_an_account_that_differs_is_left_to_the_journey() -> None:
    event = put(recorded("create_function"), "account", "999999999999")
    reading = read_event(event)
    assert isinstance(reading, Change)
    assert (reading.account, reading.function.account) == ("999999999999", ACCOUNT)


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
