"""What holds whatever is asked."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.capacity.durations import Lognormal
from infra.capacity.model import run
from infra.capacity.scenario import Scenario
from infra.capacity.workload import DAY, Setup
from tests.infra.capacity.scenarios import fixed, scenario

FEW = settings(max_examples=15, deadline=None)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    setup = Setup(
        min_tasks=draw(st.integers(0, 3)),
        max_tasks=draw(st.integers(3, 30)),
        slots=draw(st.integers(1, 8)),
        backlog_per_task=draw(st.integers(1, 50)),
    )
    return scenario(
        setup,
        functions=draw(st.integers(1, 5000)),
        accounts=draw(st.integers(1, 50)),
        changes_per_day=draw(st.sampled_from([0.0, 50.0, 2000.0])),
        busy_hours=draw(st.sampled_from([1.0, 10.0, 24.0])),
        durations=Lognormal(draw(st.sampled_from([5.0, 60.0, 300.0]))),
        due=draw(st.integers(0, 800)),
        pace=draw(st.sampled_from([0.5, 10.0, math.inf])),
        seconds=3 * 3600.0,
        grain=draw(st.sampled_from([500.0, math.inf])),
    )


@FEW
@given(scenarios(), st.integers(0, 1000))
def test_nothing_is_lost_and_no_bound_is_passed(asked: Scenario, seed: int) -> None:
    record = run(asked, seed)
    setup = asked.setup
    arrived, listed = sum(one.arrived for one in record.minutes), sum(one.listed for one in record.minutes)
    last = record.minutes[-1]
    begun = record.scanned_changes + record.covered_changes + record.swept
    assert begun + last.visible == arrived + listed
    assert all(setup.min_tasks <= one.tasks <= setup.max_tasks for one in record.minutes)
    assert all(one.held <= setup.max_tasks * setup.slots for one in record.minutes)
    assert record.latencies.count == arrived
    assert record.task_seconds <= setup.max_tasks * record.seconds


@FEW
@given(scenarios(), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_answer(asked: Scenario, seed: int) -> None:
    assert run(asked, seed) == run(asked, seed)


@FEW
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 600), st.integers(0, 99))
def test_more_tasks_are_never_slower(fewer: int, more: int, due: int, seed: int) -> None:
    one, other = (
        run(scenario(fixed(tasks), due=due, until_swept=True, seconds=10 * DAY), seed)
        for tasks in (fewer, fewer + more)
    )
    assert one.ended_at is not None
    assert other.ended_at is not None
    # A slot is looked at again within a second: by chance once more or less for each function in turn.
    turns = due / (3 * fewer) + 1
    assert other.ended_at <= one.ended_at + turns


@FEW
@given(st.floats(0.05, 2), st.floats(1.2, 20), st.integers(1, 600), st.integers(0, 99))
def test_a_faster_sweep_is_never_slower(pace: float, factor: float, due: int, seed: int) -> None:
    asked = scenario(fixed(3), due=due, pace=pace, until_swept=True, seconds=10 * DAY)
    one, other = run(asked, seed), run(replace(asked, pace=pace * factor), seed)
    assert one.ended_at is not None
    assert other.ended_at is not None
    assert other.ended_at <= one.ended_at + due / 9 + 1 + 60


@FEW
@given(st.floats(5, 100), st.floats(1.1, 4), st.integers(0, 99))
def test_longer_scans_are_never_quicker(seconds: float, factor: float, seed: int) -> None:
    arrivals = tuple(number * 9.0 for number in range(400))
    one, other = (
        run(scenario(fixed(2), arrivals=arrivals, durations=Lognormal(each, 0.0)), seed)
        for each in (seconds, seconds * factor)
    )
    assert other.latencies.mean > one.latencies.mean


def test_messages_taken_together_change_the_answer_little() -> None:
    """A fleet of 400 slots, each message by itself and in groups of up to a dozen."""
    asked = scenario(
        fixed(100),
        functions=100_000,
        changes_per_day=30_000,
        busy_hours=10,
        durations=Lognormal(60.0),
        due=16_000,
        until_swept=True,
        seconds=DAY,
    )
    exact, coarse = run(asked, 1), run(replace(asked, grain=40_000), 1)
    assert exact.ended_at is not None
    # The last scan of all may be a long one.
    assert coarse.ended_at == pytest.approx(exact.ended_at, abs=300)
    rates = [one.scanned_changes / one.seconds for one in (exact, coarse)]
    assert rates[1] == pytest.approx(rates[0], rel=0.05)
    assert coarse.latencies.mean == pytest.approx(exact.latencies.mean, rel=0.05)
    assert coarse.covered_changes == pytest.approx(exact.covered_changes, abs=60)


def test_many_changes_taken_together_are_scanned_as_one_by_one() -> None:
    asked = scenario(
        fixed(40), changes_per_day=100_000, durations=Lognormal(60.0), seconds=DAY, functions=100_000, grain=5_000
    )
    record = run(asked, 2)
    assert record.scanned_changes == pytest.approx(100_000, rel=0.03)
    assert record.covered_changes < 500


def test_the_sweep_is_never_starved() -> None:
    """Twice as many changes as one task scans: a swept function has a slot for a scan after each ten turns."""
    arrivals = tuple(number * 7.5 for number in range(4000))
    record = run(scenario(fixed(1), arrivals=arrivals, due=500, seconds=4000 * 7.5), seed=3)
    turns = 10 / (3.5 / 60) + 60
    assert record.swept == pytest.approx(4000 * 7.5 / turns, rel=0.25)


def test_tasks_that_came_for_a_sweep_go_again_and_the_last_one_too() -> None:
    setup = Setup(min_tasks=0, max_tasks=20)
    record = run(scenario(setup, due=400, pace=10.0, seconds=4 * 3600.0), seed=4)
    assert record.swept == 400
    assert record.peak_tasks > 5
    assert record.minutes[-1].tasks == 0
