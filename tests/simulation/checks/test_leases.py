"""Leases that are taken, missing or over while a scan runs."""

from tests.simulation.court import SCAN_SK, Court
from tests.simulation.loop import HostState


def test_2_a_live_lease_that_is_taken(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.passes(179)
    court.claim("w2", "owner-2", "m2", until=400)
    assert court.verdict.startswith("invariant 2: owner-2 takes the lease owner-1")


def test_2_a_lease_that_has_ended_may_be_taken(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.passes(181)
    court.claim("w2", "owner-2", "m2", until=400)
    assert court.verdict == ""


def test_2_a_scan_without_a_lease(court: Court) -> None:
    court.start_scan("w1")
    assert court.verdict.startswith("invariant 2: w1 scans")


def test_2_a_scan_under_a_lease_that_was_given_up(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.write(SCAN_SK, {})
    court.start_scan("w1")
    assert court.verdict.endswith("without a lease")


def test_2_two_scans_of_one_content(court: Court) -> None:
    court.scan("w1")
    court.now[0] = 181  # nobody has looked yet
    court.scan("w2", "owner-2", "m2", until=400)
    assert "scan one content" in court.verdict


def test_2_a_scan_that_outlives_its_lease(court: Court) -> None:
    court.scan("w1")
    court.passes(185)
    assert court.verdict == ""
    court.passes(15)
    assert court.verdict.startswith("invariant 2: w1 scans")
    assert "has ended" in court.verdict


def test_2_a_renewed_lease_is_in_order_and_so_is_a_frozen_worker(court: Court) -> None:
    court.scan("w1")
    court.passes(100)
    court.write(SCAN_SK, court.lease("owner-1", "m1", until=280))
    court.passes(150)
    assert court.verdict == ""
    court.scene.machines["w1"].host.state = HostState.FROZEN
    court.passes(500)
    assert court.verdict == ""
