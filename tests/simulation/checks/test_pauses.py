"""Workers that do not heed a pause."""

from tests.simulation.checks.pauses import HEEDED
from tests.simulation.court import Court
from tests.simulation.scene import Machine


def test_a_worker_that_takes_messages_long_after_the_pause_began(court: Court) -> None:
    court.passes(10)
    court.oracle.pauses.began()
    court.passes(HEEDED - 1)
    court.oracle.pauses.taken("w1")
    assert court.verdict == ""
    court.passes(2)
    court.oracle.pauses.taken("w1")
    assert court.verdict.startswith("invariant 13: w1 takes messages, though the service is paused since 10.000")


def test_one_that_was_in_trouble_may_not_have_heard(court: Court) -> None:
    court.passes(10)
    court.oracle.pauses.began()
    court.scene.machines["w1"].line.troubled_until = 15.0
    court.passes(HEEDED + 1)
    court.oracle.pauses.taken("w1")
    assert court.verdict == ""


def test_one_that_has_started_meanwhile_must_have_looked_first(court: Court) -> None:
    court.passes(10)
    court.oracle.pauses.began()
    court.scene.machines["w1"].line.troubled_until = 15.0
    court.passes(100)
    host, line = court.scene.machines["w2"].host, court.scene.machines["w2"].line
    court.oracle.started("w1", Machine(host, line, court.now[0]))
    court.passes(1)
    court.oracle.pauses.taken("w1")
    assert court.verdict.startswith("invariant 13")


def test_after_the_pause_it_may(court: Court) -> None:
    court.oracle.pauses.began()
    court.passes(100)
    court.oracle.pauses.ceased()
    court.oracle.pauses.taken("w1")
    assert court.verdict == ""
