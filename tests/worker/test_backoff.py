from datetime import timedelta

import pytest

from worker import backoff


@pytest.mark.parametrize(("receives", "most"), [(1, 10), (2, 20), (3, 40), (7, 640), (8, 900), (1000, 900)])
def test_the_span_doubles_with_each_receive_up_to_a_cap(receives: int, most: int) -> None:
    delays = [backoff.after_failure(receives).total_seconds() for _ in range(300)]
    assert 1 <= min(delays) <= max(delays) <= most
    assert min(delays) < most / 3 < max(delays), "full jitter spreads over the whole span"


def test_a_function_that_is_not_ready_is_asked_again_within_a_minute() -> None:
    delays = [backoff.until_ready().total_seconds() for _ in range(300)]
    assert 15 <= min(delays) < 25
    assert 50 < max(delays) <= 60


def test_jitter_stays_within_its_span() -> None:
    assert all(timedelta(0) <= backoff.jitter(timedelta(seconds=5)) < timedelta(seconds=5) for _ in range(100))
