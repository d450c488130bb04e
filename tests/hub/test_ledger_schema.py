import calendar
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ledger_schema import Key, Update, check_schema, milliseconds, moment, reading, seconds
from spoke.errors import Misconfigured
from tests.ledger_samples import NOW

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis wants the limits naive
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001  # same
    timezones=st.just(UTC),
)


@given(MOMENTS)
def test_milliseconds_are_those_since_the_epoch_in_every_time_zone(when: datetime) -> None:
    there = when.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert milliseconds(when) == milliseconds(there)
    assert moment(milliseconds(when)) == when.replace(microsecond=when.microsecond // 1000 * 1000)
    assert seconds(when) == calendar.timegm(when.utctimetuple())


def test_milliseconds_are_rounded_down() -> None:
    assert milliseconds(NOW + timedelta(microseconds=999)) == milliseconds(NOW)


def test_an_update_sets_removes_and_leaves_the_rest() -> None:
    item = {"schema": 1, "reason": "throttled", "ticket": "SEC-4711"}
    assert Update({"schema": 1, "at": 7}, ("reason",)).applied_to(item) == {"schema": 1, "at": 7, "ticket": "SEC-4711"}


@pytest.mark.parametrize("item", [{}, {"schema": 1}])
def test_an_item_of_a_known_schema_passes(item: dict[str, int]) -> None:
    check_schema(item)


def test_a_newer_schema_is_refused_before_anything_is_read() -> None:
    with pytest.raises(Misconfigured, match="item a b has schema 2, this scanhub knows 1: run the newer version"):  # noqa: SIM117  # the inner block must not run
        with reading({"pk": "a", "sk": "b", "schema": 2}):
            pytest.fail("it was read")


def test_primary_keys_sort() -> None:
    assert sorted([Key("b", "a"), Key("a", "state"), Key("a", "scan#1")]) == [
        Key("a", "scan#1"),
        Key("a", "state"),
        Key("b", "a"),
    ]
