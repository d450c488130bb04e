from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke import timestamps


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:11:12Z", datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC)),
        ("2026-11-20T10:11:12.345+0000", datetime(2026, 11, 20, 10, 11, 12, 345000, tzinfo=UTC)),
        ("2026-11-20T10:11:12.345+00:00", datetime(2026, 11, 20, 10, 11, 12, 345000, tzinfo=UTC)),
        ("2026-11-20T10:11:12.000+0130", datetime(2026, 11, 20, 8, 41, 12, tzinfo=UTC)),
    ],
)
def test_every_form_becomes_utc(text: str, expected: datetime) -> None:
    moment = timestamps.parse(text)
    assert moment == expected
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-20", "2026-11-20T10:11:12", "0001-01-01T00:00:00+2300", "9999-12-31T23:59:59-0100"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each of them has a text of its own
        timestamps.parse(text)


@given(st.text())
def test_nothing_but_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert timestamps.parse(text).tzinfo is UTC
