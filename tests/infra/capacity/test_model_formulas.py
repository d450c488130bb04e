"""The model beside queues that have a formula."""

import heapq
import math
import random

import pytest

from infra.capacity.durations import Lognormal
from infra.capacity.model import run
from infra.capacity.workload import DAY
from tests.infra.capacity.scenarios import exponential, fixed, scenario

SECONDS = 60.0


def erlang_c(servers: int, load: float) -> float:
    """The chance that an arrival waits (Erlang 1917); `load` is arrivals times service time."""
    busy = load**servers / math.factorial(servers) * servers / (servers - load)
    return busy / (sum(load**one / math.factorial(one) for one in range(servers)) + busy)


@pytest.mark.parametrize(("tasks", "slots", "utilisation"), [(1, 1, 0.6), (1, 4, 0.7), (5, 4, 0.8)])
def test_changes_wait_as_long_as_erlang_says(tasks: int, slots: int, utilisation: float) -> None:
    """M/M/c: mean wait is C / (c mu - lambda). The mean of six runs, since waits come in long waves."""
    servers = tasks * slots
    rate = servers * utilisation / SECONDS
    asked = scenario(
        fixed(tasks, slots=slots),
        changes_per_day=rate * DAY,
        durations=exponential(SECONDS),
        seconds=10_000 / rate,
    )
    records = [run(asked, seed) for seed in range(6)]
    expected = erlang_c(servers, rate * SECONDS) / (servers / SECONDS - rate)
    assert sum(one.latencies.count for one in records) == pytest.approx(60_000, rel=0.03)
    waits = [one.latencies.mean - SECONDS for one in records]
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("servers", [1, 4, 20])
def test_each_change_begins_when_the_first_of_the_slots_is_free(servers: int) -> None:
    """Kiefer and Wolfowitz: with the same arrivals and scans, worked out for each change by itself."""
    chance = random.Random(servers)  # noqa: S311  # a simulation, no secret
    rate, at = servers * 0.95 / SECONDS, 0.0
    arrivals, scans, free, expected = [], [], [0.0] * servers, []
    for _ in range(3000):
        at += chance.expovariate(rate)
        takes = Lognormal(SECONDS)(chance)
        begins = max(at, heapq.heappop(free))
        heapq.heappush(free, begins + takes)
        arrivals.append(at)
        scans.append(takes)
        expected.append(begins + takes - at)
    left = iter(scans)
    setup = fixed(servers, slots=1)
    record = run(
        scenario(setup, arrivals=tuple(arrivals), durations=lambda _: next(left), seconds=at + 20 * DAY), seed=0
    )
    shares = (0.1, 0.5, 0.9, 0.99, 1.0)
    ordered = sorted(expected)
    assert record.latencies.mean == pytest.approx(sum(expected) / 3000)
    assert record.latencies.quantiles(*shares) == pytest.approx(
        [ordered[math.ceil(share * 3000) - 1] for share in shares]
    )


def test_with_equal_scans_changes_wait_half_as_long() -> None:
    """M/D/1: mean wait is rho S / (2 (1 - rho)) (Pollaczek and Khinchine)."""
    rate = 0.8 / SECONDS
    setup = fixed(1, slots=1)
    record = run(scenario(setup, changes_per_day=rate * DAY, seconds=20_000 / rate), seed=4)
    assert record.latencies.mean - SECONDS == pytest.approx(0.8 * SECONDS / (2 * 0.2), rel=0.10)


def test_lognormal_scans_wait_by_their_variation() -> None:
    """M/G/1: the wait of M/D/1, times one and the square of the variation."""
    rate = 0.7 / SECONDS
    setup, durations = fixed(1, slots=1), Lognormal(SECONDS, 0.6)
    record = run(scenario(setup, changes_per_day=rate * DAY, durations=durations, seconds=40_000 / rate), seed=2)
    expected = (1 + 0.6**2) * 0.7 * SECONDS / (2 * 0.3)
    assert record.latencies.mean - SECONDS == pytest.approx(expected, rel=0.10)


@pytest.mark.parametrize(("tasks", "slots", "swept_slots"), [(1, 4, 3), (10, 4, 30), (3, 5, 12), (2, 1, 2), (5, 8, 30)])
def test_a_full_sweep_queue_takes_functions_by_slots_times_seconds(tasks: int, slots: int, swept_slots: int) -> None:
    """All slots but a quarter of each task's; each is looked at again half a second after its scan, on average."""
    functions = swept_slots * 50
    setup = fixed(tasks, slots=slots)
    record = run(scenario(setup, due=functions, until_swept=True), seed=6)
    assert record.ended_at == pytest.approx(functions / swept_slots * (SECONDS + 0.5), rel=0.01)
    assert record.scanned_swept == functions


def test_a_full_changes_queue_takes_all_slots() -> None:
    record = run(scenario(fixed(5), arrivals=(0.0,) * 1000, seconds=1000 / 20 * SECONDS), seed=7)
    # The last of fifty rounds of twenty end as the run does.
    assert record.scanned_changes == 1000
    assert record.latencies.quantiles(1.0) == pytest.approx((50 * SECONDS,))


def test_messages_in_the_system_are_rate_times_time() -> None:
    """Little's law."""
    rate = 16.0 / SECONDS
    setup, durations = fixed(5), Lognormal(SECONDS)
    record = run(scenario(setup, changes_per_day=rate * DAY, durations=durations, seconds=DAY), seed=8)
    inside = sum(one.visible + one.held for one in record.minutes) / len(record.minutes)
    assert inside == pytest.approx(record.latencies.count / record.seconds * record.latencies.mean, rel=0.02)


def test_a_saturated_limit_is_the_throughput() -> None:
    """Seven scans at once, whatever a hundred slots could do."""
    arrivals = tuple(float(number) for number in range(3000))
    record = run(scenario(fixed(25), arrivals=arrivals, most=7, seconds=6000.0), seed=9)
    assert record.scanned_changes == pytest.approx(7 * 6000 / SECONDS, rel=0.02)
    assert max(one.held for one in record.minutes) == 7


def test_one_account_has_three_quarters_of_the_slots() -> None:
    alone = run(scenario(fixed(2), accounts=1, arrivals=(0.0,) * 120, seconds=DAY), seed=10)
    assert max(one.held for one in alone.minutes) == 6
    assert alone.latencies.quantiles(1.0) == pytest.approx((120 / 6 * SECONDS,))


def test_changes_come_in_the_busy_hours_at_random() -> None:
    """Poisson: as many as asked, and the counts of the hours spread by their square root."""
    record = run(scenario(fixed(100), changes_per_day=24_000, busy_hours=8, seconds=2 * DAY), seed=11)
    hours = [sum(one.arrived for one in record.minutes[first : first + 60]) for first in range(0, 48 * 60, 60)]
    busy = [count for number, count in enumerate(hours) if number % 24 < 8]
    assert sum(hours) == sum(busy) == pytest.approx(48_000, abs=4 * math.sqrt(48_000))
    variance = sum((count - 3000) ** 2 for count in busy) / len(busy)
    assert 3000 / 4 < variance < 3000 * 4


def test_a_change_whose_function_waits_already_is_done_by_that_scan() -> None:
    """One function, one slot: of ten changes that come during a scan the next scan serves all."""
    setup = fixed(1, slots=1)
    record = run(scenario(setup, functions=1, accounts=1, changes_per_day=DAY / 5, seconds=10 * 3600), seed=12)
    assert record.scanned_changes == pytest.approx(10 * 3600 / SECONDS, rel=0.06)
    assert record.covered_changes == pytest.approx(record.latencies.count - record.scanned_changes, abs=40)


def test_changes_without_new_code_are_covered_by_a_look() -> None:
    record = run(scenario(fixed(2), changes_per_day=20_000, new_code=0.1, seconds=DAY), seed=13)
    share = record.scanned_changes / (record.scanned_changes + record.covered_changes)
    assert share == pytest.approx(0.1, abs=0.01)
    assert record.latencies.quantiles(0.5)[0] < 1


def test_what_a_change_has_scanned_the_sweep_does_not_scan_again() -> None:
    record = run(
        scenario(fixed(4), functions=1000, changes_per_day=1000 * 24 / 5, due=1000, until_swept=True, seconds=DAY),
        seed=14,
    )
    assert record.swept == 1000
    # Over two hours a fifth of all functions is changed each hour: of those queued last a third is fresh.
    assert 100 < record.fresh_swept < 400
