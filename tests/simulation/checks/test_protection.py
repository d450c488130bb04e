"""Scans without protection, and protection without scans."""

from tests.simulation.court import Court


def test_7_a_scan_without_protection(court: Court) -> None:
    court.protects = False
    court.scan("w1", until=900)
    court.passes(46)
    assert court.verdict.endswith("and its task is not protected")


def test_7_protection_that_is_never_given_up(court: Court) -> None:
    court.oracle.protected("w1", until=1800.0)
    court.passes(600)
    court.oracle.finished()
    assert "is idle and protected" in court.verdict


def test_7_protection_given_up_in_mid_scan(court: Court) -> None:
    court.oracle.protected("w1", until=1800.0)
    court.scan("w1", until=900)
    court.passes(200)
    court.oracle.protected("w1", until=None)
    assert "gives up its protection" in court.verdict
