"""The oracle itself: what it sees of a stop, and which violation it keeps."""

from tests.simulation.court import Court


def test_7_a_worker_that_takes_too_long_to_stop(court: Court) -> None:
    court.oracle.stopping("w1")
    court.passes(81)
    court.oracle.ended("w1", how="stopped")
    assert court.verdict.startswith("invariant 7: w1 took 81 s to stop")


def test_7_a_worker_that_ends_while_it_scans(court: Court) -> None:
    court.scan("w1")
    court.oracle.stopping("w1")
    court.oracle.ended("w1", how="stopped")
    assert "has ended while it scans" in court.verdict


def test_the_first_violation_is_kept(court: Court) -> None:
    court.scene.violated(5, "one")
    court.scene.violated(6, "another")
    assert court.verdict == "invariant 5: one"
    assert court.scene.trace.text()[-1].endswith("oracle  VIOLATION invariant 5: one")
