import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import botocore.session
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spoke.tags import MAX_VALUE, TAG_KEYS, changed, is_excluded, scan_tags

AT = datetime(2026, 11, 20, 10, 14, 55, 987654, tzinfo=UTC)


def test_the_tags_of_a_scan() -> None:
    assert scan_tags(completed_at=AT, status="partial", scan_tag="nightly/eu") == {
        "QualysScanTimestamp": "2026-11-20T10:14:55Z",
        "QualysScanStatus": "partial",
        "QualysScanTag": "nightly/eu",
    }


def test_the_time_is_utc_and_an_unknown_scan_tag_is_left_out() -> None:
    at = datetime(2026, 11, 20, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert scan_tags(completed_at=at, status="success", scan_tag=None) == {
        "QualysScanTimestamp": "2026-11-19T23:00:00Z",
        "QualysScanStatus": "success",
    }


@given(st.text())
@example("n" * 257)
@example("\U0001f600" * 300)
def test_values_are_what_lambda_takes(value: str) -> None:
    written = scan_tags(completed_at=AT, status="success", scan_tag=value)["QualysScanTag"]
    assert len(written) == min(len(value), 256)
    for sign, original in zip(written, value, strict=False):
        # the pattern of `TagValue`: [\p{L}\p{Z}\p{N}_.:/=+\-@]*
        assert unicodedata.category(sign)[0] in "LZN" or sign in "_.:/=+-@"
        assert sign in {original, "_"}


@pytest.mark.parametrize("value", ["Ünïcode 7.4:a/b=c+d-e@f_g", "東京", "٣"])
def test_what_is_allowed_stays(value: str) -> None:
    assert scan_tags(completed_at=AT, status="success", scan_tag=value)["QualysScanTag"] == value


def test_what_is_not_allowed_becomes_an_underscore() -> None:
    tags = scan_tags(completed_at=AT, status="success", scan_tag="<a&b>\n{c}#\U0001f600")
    assert tags["QualysScanTag"] == "_a_b___c___"


def test_the_limits_are_the_model_s() -> None:
    model = botocore.session.get_session().get_service_model("lambda")
    value = model.shape_for("TagValue").metadata
    assert value["max"] == MAX_VALUE
    assert value["pattern"] == r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
    assert max(map(len, TAG_KEYS)) <= model.shape_for("TagKey").metadata["max"]


def test_only_what_differs() -> None:
    tags = scan_tags(completed_at=AT, status="success", scan_tag="nightly")
    present = {**tags, "QualysScanStatus": "failed", "team": "orders"}
    del present["QualysScanTag"]
    assert changed(tags, present) == {"QualysScanStatus": "success", "QualysScanTag": "nightly"}
    assert changed(tags, {**tags, "team": "orders"}) == {}
    assert changed(tags, {}) == tags
    assert changed(tags, None) == tags


@pytest.mark.parametrize("key", ["team", "QualysScanExclude", "qualysscanstatus", "QualysScanStatus2"])
def test_no_other_key_passes(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        changed({"QualysScanStatus": "success", key: "x"}, {key: "x"})


@pytest.mark.parametrize(
    ("tags", "excluded"),
    [
        ({"QualysScanExclude": "true"}, True),
        ({"QualysScanExclude": ""}, True),
        ({"QualysScanExclude": "no"}, True),
        ({"QualysScanExclude": "false"}, False),
        ({"QualysScanExclude": " FALSE "}, False),
        ({"qualysscanexclude": "true"}, False),
        ({"team": "orders"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_the_exclusion_tag(tags: dict[str, str] | None, excluded: bool) -> None:
    assert is_excluded(tags, "QualysScanExclude") is excluded
