"""Scans begun while Qualys is away, and outages told twice or not at all."""

from hub.notification import Notification, NotificationKind
from tests.simulation.court import Court
from tests.simulation.truth import START


def test_9_scans_begun_though_the_token_was_refused(court: Court) -> None:
    court.oracle.outages.began()
    court.deliver("w1", court.send())
    run = court.scan("w1")
    court.oracle.scan_failed(run, "QualysFault")
    court.oracle.scan_ended(run, None)
    for _ in range(3):
        court.passes(5)
        court.oracle.scan_ended(court.start_scan("w1"), None)
    assert court.verdict.startswith("invariant 9: w1 has begun 2 scans since it knows, 1 may be")


def test_9_an_outage_told_twice(court: Court) -> None:
    told = Notification(kind=NotificationKind.CIRCUIT, reason="refused", since=START)
    court.oracle.notified("w1", told)
    court.passes(600)
    court.oracle.notified("w2", told)
    assert court.verdict.startswith("invariant 9: w2 tells of the outage")


def test_9_an_outage_told_by_nobody(court: Court) -> None:
    court.oracle.measured("w1", {"QualysCircuitOpen": 1.0}, {})
    court.oracle.finished()
    assert court.verdict == "invariant 9: a circuit was open, and nobody was told"


def test_9_a_circuit_that_stays_open(court: Court) -> None:
    court.deliver("w1", court.send())
    run = court.scan("w1", until=900)
    court.oracle.scan_failed(run, "QualysFault")
    court.oracle.scan_ended(run, None)
    court.oracle.measured("w1", {"QualysCircuitOpen": 1.0}, {})
    court.passes(60)
    court.oracle.scan_passed(court.start_scan("w1"))
    court.passes(200)
    assert court.verdict.startswith("invariant 9: w1 keeps its circuit open")
