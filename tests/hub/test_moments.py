import re
from datetime import UTC, datetime

import pytest

from hub import moments
from spoke.errors import Misconfigured

NOW = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 11, 22, 5, 30, tzinfo=UTC)),
        ("0s", NOW),
        ("90m", datetime(2026, 11, 22, 6, 0, tzinfo=UTC)),
        ("3d", datetime(2026, 11, 19, 7, 30, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 8, 7, 30, tzinfo=UTC)),
        ("2026-11-22T07:00:00Z", datetime(2026, 11, 22, 7, 0, tzinfo=UTC)),
        ("2026-11-22T08:00:00+01:00", datetime(2026, 11, 22, 7, 0, tzinfo=UTC)),
    ],
)
def test_ago_or_iso_8601_with_a_zone(text: str, expected: datetime) -> None:
    assert moments.parse(text, now=NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2 h", "h", "-2h", "2026-11-22", "07:00:00", "999999w", "2H", "²h"])
def test_what_is_no_moment_is_told_with_an_example(text: str) -> None:
    with pytest.raises(Misconfigured, match="is no moment; give one like 2h"):
        moments.parse(text, now=NOW)


@pytest.mark.parametrize("text", ["2026-11-22T07:00:00", "2026-11-22 07:00", "20261122T070000.5"])
def test_a_zone_that_is_missing_is_all_that_is_asked_for(text: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^'{re.escape(text)}' has no zone; add Z \(UTC\) or one like \+02:00$"):
        moments.parse(text, now=NOW)


def test_the_future_is_refused() -> None:
    with pytest.raises(Misconfigured, match="is in the future"):
        moments.parse("2026-11-22T07:30:01Z", now=NOW)
