"""The judge of the other tests: it must find what is wrong, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.scans import CLOCK_SKEW
from tests.chaos.lease_journal import Tenure, violations
from tests.chaos.scans import Scan

pytestmark = [pytest.mark.chaos]

FUNCTION = "arn:aws:lambda:eu-central-1:210000000001:function:checkout-api"
SKEW = CLOCK_SKEW.total_seconds()
FIRST = Tenure(FUNCTION, "fingerprint#profile", "one", claimed=100.0, expires=130.0)
SECOND = Tenure(FUNCTION, "fingerprint#profile", "two", claimed=130.0 + SKEW, expires=170.0 + SKEW)
SCAN = Scan(FUNCTION, pid=7, place=Path("/work-a"), started=101.0, last_alive=120.0, ended=True)
RUN_OUT = replace(FIRST, taken_over=SECOND.claimed)
LATER = replace(SCAN, pid=8, started=SECOND.claimed + 1, last_alive=SECOND.claimed + 5)


def test_one_scan_after_the_other_is_right() -> None:
    assert violations([RUN_OUT, SECOND], [SCAN, LATER]) == []


def test_a_scan_may_outlive_its_lease_where_nobody_can_end_it() -> None:
    assert violations([RUN_OUT, SECOND], [replace(SCAN, last_alive=500.0), LATER]) == []


def test_scans_of_two_functions_may_run_at_once() -> None:
    other = FUNCTION.replace("checkout", "orders")
    leases = [FIRST, replace(FIRST, function=other, owner="two")]
    assert violations(leases, [SCAN, replace(SCAN, function=other, pid=8)]) == []


def test_a_lease_taken_before_it_ran_out_is_found() -> None:
    early = replace(SECOND, claimed=120.0)
    [found] = violations([replace(FIRST, taken_over=120.0), early], [SCAN])
    assert "too early" in found


def test_a_lease_taken_within_the_margin_for_clocks_is_found() -> None:
    [found] = violations([replace(FIRST, taken_over=130.0 + SKEW - 1)], [])
    assert "too early" in found


def test_a_scan_without_a_lease_is_found() -> None:
    [found] = violations([replace(FIRST, given_up=100.5)], [SCAN])
    assert "without a lease" in found


def test_two_scans_by_one_claim_are_found() -> None:
    [found] = violations([FIRST], [SCAN, replace(SCAN, pid=8, started=125.0, last_alive=126.0)])
    assert "by one claim" in found


def test_a_scan_that_outlives_a_lease_that_was_given_up_is_found() -> None:
    released = replace(FIRST, given_up=110.0)
    next_one = replace(SECOND, claimed=111.0)
    [found] = violations([released, next_one], [SCAN, replace(SCAN, pid=8, started=112.0, last_alive=114.0)])
    assert "at once" in found
