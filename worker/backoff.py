"""How long things stay away before their next try."""

import random
from datetime import timedelta

from tenacity import RetryCallState, wait_exponential, wait_random, wait_random_exponential

BASE_SECONDS = 10
CAP_SECONDS = 900

_retry = wait_random_exponential(multiplier=BASE_SECONDS, max=CAP_SECONDS, min=1)
_not_ready = wait_random(15, 60)
_account = wait_exponential(multiplier=BASE_SECONDS, max=CAP_SECONDS)
_qualys = wait_exponential(multiplier=60, max=CAP_SECONDS)


def after_failure(receive_count: int) -> timedelta:
    """Exponential with full jitter: between 1 s and 10, 20, 40 ... 900 s."""
    return timedelta(seconds=_retry(_attempt(receive_count)))


def until_ready() -> timedelta:
    """15 to 60 s: the code of a function that was just created or updated is usually there by then."""
    return timedelta(seconds=_not_ready(_attempt(1)))


def of_account(refusals: int) -> timedelta:
    """10, 20, 40 ... 900 s after so many refusals in a row. No jitter: what waits for its end is spread instead."""
    return timedelta(seconds=_account(_attempt(refusals)))


def of_qualys(openings: int) -> timedelta:
    """60, 120, 240 ... 900 s, and up to a tenth more, so that the workers do not all knock at one moment."""
    pause = timedelta(seconds=_qualys(_attempt(openings)))
    return pause + jitter(pause / 10)


def jitter(span: timedelta) -> timedelta:
    """Up to `span`, so that those who wait for one thing do not all come at once."""
    return span * random.random()  # noqa: S311  # spreads load, guards nothing


def _attempt(number: int) -> RetryCallState:
    # tenacity's strategies read the attempt's number from this; nothing is called through it.
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]  # not used here
    state.attempt_number = max(1, number)
    return state
