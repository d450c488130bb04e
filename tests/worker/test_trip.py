from datetime import UTC, datetime, timedelta

import pytest

from spoke.changes import Change, ChangeKind
from tests.worker.worlds import event, function, message
from worker.trip import Trip

AT = datetime(2026, 11, 21, 10, 4, tzinfo=UTC)
STORED_AT = AT + timedelta(seconds=131, milliseconds=250)


def trip(kind: ChangeKind = ChangeKind.CODE_UPDATED, *, at: datetime | None = AT, replay: str | None = None) -> Trip:
    arn = function()
    change = Change(kind=kind, function=arn, account=arn.account, region=arn.region, at=at, replay=replay)
    return Trip(message(event()), change=change, stored_at=STORED_AT)


@pytest.mark.parametrize("kind", sorted(set(ChangeKind) - {ChangeKind.REQUESTED}))
def test_the_latency_of_a_change_is_from_its_own_time_to_its_stored_result(kind: ChangeKind) -> None:
    assert trip(kind).latency == timedelta(seconds=131.25)


def test_a_clock_behind_cloudtrails_makes_it_no_less_than_nothing() -> None:
    assert trip(at=STORED_AT + timedelta(seconds=2)).latency == timedelta(0)


def test_a_request_a_replay_and_what_has_no_result_yet_have_none() -> None:
    assert trip(ChangeKind.REQUESTED).latency is None
    assert trip(replay="after-the-outage").latency is None
    assert trip(at=None).latency is None
    under_way = trip()
    under_way.stored_at = None
    assert under_way.latency is None
    assert Trip(message("{not json"), stored_at=STORED_AT).latency is None
