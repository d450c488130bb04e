"""Effects that are marked without having been performed, and those performed twice."""

from datetime import timedelta

import pytest

from tests.simulation.court import ARN, SCAN_SK, Court


def test_3_an_effect_marked_that_was_not_performed(court: Court) -> None:
    for effect in ("tag", "notify", "metrics"):
        court.scene.violation = None
        owed = {"summary": court.summary(), "owed": frozenset({effect})}
        court.write(SCAN_SK, owed)
        court.write(SCAN_SK, {**owed, "owed": frozenset()})
        assert court.verdict.startswith("invariant 3")


def test_9_an_effect_performed_twice(court: Court) -> None:
    tags = {"QualysScanTimestamp": "2026-01-01T00:00:00Z", "QualysScanStatus": "success"}
    court.oracle.tagged("w1", ARN, tags)
    court.passes(5)
    court.oracle.tagged("w2", ARN, tags)
    assert court.verdict.startswith("invariant 9: tag of")


@pytest.mark.parametrize("values", [{"ScansCompleted": 1.0}, {"ScansPartial": 1.0}])
def test_9_a_figure_emitted_twice_unless_a_fault_came_between(court: Court, values: dict[str, float]) -> None:
    court.oracle.measured("w1", values, {"scan_id": "one"})
    court.scene.machines["w1"].line.troubled_until = 1
    court.passes(5)
    court.oracle.measured("w1", values, {"scan_id": "one"})
    assert court.verdict == ""
    court.passes(5)
    court.oracle.measured("w2", values, {"scan_id": "one"})
    assert court.verdict.startswith("invariant 9: metrics of one")


def test_effects_once_more_after_a_death_are_in_order(court: Court) -> None:
    tags = {"QualysScanTimestamp": "2026-01-01T00:00:00Z", "QualysScanStatus": "success"}
    court.oracle.tagged("w1", ARN, tags)
    court.oracle.ended("w1", how="killed")
    court.passes(timedelta(minutes=5).total_seconds())
    court.oracle.tagged("w2", ARN, tags)
    assert court.verdict == ""
