from datetime import timedelta

import pytest

from hub.message import MAX_VISIBILITY_SECONDS, Message
from worker.memory.clock import START

MESSAGE = Message("m", "{}", "r", 1, sent_at=START, received_at=START)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("wanted", "held", "asked"),
    [
        (timedelta(seconds=120), timedelta(0), 120),
        (timedelta(seconds=120.9), timedelta(0), 120),
        (timedelta(0), timedelta(0), 0),
        (-HOUR, timedelta(0), 0),
        (12 * HOUR, timedelta(0), 12 * 3600 - 60),
        (2 * HOUR, 11 * HOUR, 3600 - 60),
        (2 * HOUR, 11 * HOUR + timedelta(minutes=59), 0),
        (2 * HOUR, 30 * HOUR, 0),
    ],
)
def test_visibility_is_cut_to_what_is_left_of_twelve_hours(wanted: timedelta, held: timedelta, asked: int) -> None:
    assert MESSAGE.visibility(wanted, START + held) == asked


def test_it_never_exceeds_what_sqs_takes_in_one_request() -> None:
    """Also when the clock was set back after the receive."""
    assert MESSAGE.visibility(100 * HOUR, START - HOUR) <= MAX_VISIBILITY_SECONDS
