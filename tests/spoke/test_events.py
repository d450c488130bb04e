import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoke.arn import FunctionArn
from spoke.changes import Change, Ignored, IgnoredReason
from spoke.envelope import Malformed, MalformedReason
from spoke.events import read
from tests.spoke.recorded_events import NAMES, put, read_event, recorded


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
    text = "".join(
        (Path(__file__).parent / f"test_{one}.py").read_text() for one in ("events", "cloudtrail", "own_requests")
    )
    assert [name for name in NAMES if f'"{name}"' not in text] == []


def test_a_request_of_our_own_for_another_purpose_is_foreign() -> None:
    reading = read_event(put(recorded("scan_request"), "detail-type", "Scan Finished"))
    assert isinstance(reading, Ignored)
    assert reading.reason is IgnoredReason.FOREIGN_DETAIL_TYPE


def test_another_service_under_lambda_s_name_is_foreign() -> None:
    reading = read_event(put(recorded("create_function"), "detail/eventSource", "iam.amazonaws.com"))
    assert isinstance(reading, Ignored)
    assert reading.reason is IgnoredReason.FOREIGN_SOURCE


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
