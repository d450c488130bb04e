import json
import math

import pytest

from infra.capacity import ceilings, rows
from infra.capacity.bill import total
from infra.capacity.document import plan_document
from infra.capacity.limits import Limits
from infra.capacity.plan import Side, is_overloaded, plan, stale_a_sweep
from infra.capacity.workload import Demand, Setup
from infra.costs.usage import HOURS

SMALL = Demand(functions=2_000, accounts=20, changes_per_day=400, busy_hours=10)


@pytest.fixture(scope="module")
def side() -> Side:
    return plan(SMALL, Setup(), seed=1)


@pytest.fixture(scope="module")
def flooded() -> Side:
    """One task, and far more changes than it can scan."""
    return plan(SMALL.times(20), Setup(max_tasks=1), seed=1, grain=3_000)


def test_a_small_organization_is_covered_as_fast_as_ten_tasks_scan(side: Side) -> None:
    """Thirty slots of 61 seconds, less those in tasks with a change; the tasks come within ten minutes."""
    assert not side.first.is_projected
    assert side.first.seconds == pytest.approx(2_000 / 29.4 * 61 + 300, rel=0.08)
    assert side.first.peak_tasks == 10
    assert side.binding.kind is Limits.MAX_TASKS
    assert side.tasks_for_pace == math.ceil((10 * (60 + 0.522 + 0.5) + 400 / 86_400 * 60.522) / 3)
    assert side.common.mean_tasks < 2
    assert side.common.latency.within_target == 1.0
    assert 40 < side.common.latency.median < side.common.latency.p95 < side.common.latency.p99 < 900


def test_a_slow_pace_is_what_holds_a_sweep_that_the_tasks_could_do() -> None:
    slow = plan(SMALL, Setup(sweep_per_minute=10), seed=1)
    assert slow.binding.kind is Limits.SWEEP_PACE
    assert slow.first.seconds == pytest.approx(2_000 / 10 * 60, rel=0.03)
    assert slow.binding.share > 0.95


def test_one_account_in_one_region_is_held_by_lambda() -> None:
    """Ten TagResource a second beside the customer's own calls: six hundred scans of a minute at once."""
    demand = Demand(functions=100_000, accounts=1, regions=1, changes_per_day=0)
    setup = Setup(max_tasks=1_000, sweep_per_minute=0)
    assert ceilings.scans_a_second(demand, setup) == pytest.approx(10)
    held = plan(demand, setup, seed=1, grain=5_000)
    assert held.binding.kind is Limits.CONTROL_PLANE
    assert held.first.seconds > 100_000 / 10


def test_a_sweep_that_outlasts_the_simulation_goes_on_at_its_rate() -> None:
    """Three swept functions a minute for each of five tasks: 60,000 take 2.8 days, of which two are simulated."""
    long = plan(Demand(functions=60_000, accounts=100, changes_per_day=0), Setup(max_tasks=5), seed=1)
    assert long.first.is_projected
    assert long.first.seconds == pytest.approx(60_000 / 15 * 61.022, rel=0.02)
    assert long.first.task_hours == pytest.approx(5 * long.first.seconds / 3600, rel=0.02)
    assert long.first.waited_hours == pytest.approx(long.first.seconds / 3600 - 60_000 / 600 / 60, rel=0.02)
    assert Limits.RETENTION not in {use.kind for use in long.beyond}
    assert rows.time_of(long.first).startswith("about")


def test_a_sweep_that_outlasts_what_sqs_keeps_is_told() -> None:
    """Five times two weeks of one task's 4,250 a day."""
    endless = plan(Demand(functions=300_000, accounts=100, changes_per_day=0), Setup(max_tasks=1), seed=1)
    assert endless.first.waited_hours > 60 * 24
    assert Limits.RETENTION in {use.kind for use in endless.beyond}
    assert "SQS forgets" in rows.raised_first(endless)[-1]


def test_too_many_changes_are_told_and_never_covered(flooded: Side) -> None:
    assert flooded.is_overloaded
    assert flooded.binding.kind is Limits.CHANGE_SLOTS
    assert flooded.first.seconds == math.inf
    assert flooded.first.latency.within_target < 0.5
    text = str(rows.first([flooded]))
    assert "never" in text
    assert "grows without end" in text
    assert not is_overloaded(SMALL, Setup())


def test_a_month_is_the_models_hours_at_the_prices_of_the_costs(side: Side) -> None:
    dollars = dict(side.bill)
    hours = side.common.mean_tasks * HOURS
    assert dollars["Worker tasks"] == pytest.approx(hours * (2 * 0.04048 + 8 * 0.004445 + 40 * 0.000111))
    scans = (400 + side.due_a_sweep) * HOURS / 24
    assert dollars["NAT gateway"] == pytest.approx(HOURS * 0.05 + scans * 0.02 * 0.045)
    once = dict(side.first_bill)
    assert once["Worker tasks"] == pytest.approx(side.first.task_hours * 0.12096)
    assert once["NAT gateway"] == pytest.approx(2_000 * 0.02 * 0.045)
    assert once["Metrics, alarms, dashboard"] == 0
    assert 0 < total(side.first_bill) < total(side.bill)


def test_what_is_due_at_each_sweep_is_all_by_their_days() -> None:
    assert stale_a_sweep(SMALL, Setup(ttl_days=20)) == 100
    assert stale_a_sweep(SMALL, Setup(ttl_days=20, sweep_every=48)) == 200


def test_listing_is_as_fast_as_the_places_allow() -> None:
    """32 places at once; 100 functions are two calls of a fifth of a second, and two to begin with."""
    demand = Demand(functions=30_000, accounts=100, regions=3, changes_per_day=0)
    assert ceilings.listing_rate(demand, Setup()) == pytest.approx(32 * 100 / 0.8)
    assert ceilings.pace(demand, Setup()) == 10
    assert ceilings.pace(demand, Setup(sweep_per_minute=0)) == pytest.approx(4000 / 2 / 7)


def test_images_take_their_own_time_and_size() -> None:
    demand = Demand(functions=1, accounts=1, changes_per_day=1, zip_share=0.5, scan_seconds=60, image_scan_seconds=100)
    assert demand.mean_seconds == 80
    assert demand.mean_gb == pytest.approx(0.21)
    assert Demand(functions=1, accounts=1, changes_per_day=1, scan_seconds=20).image_seconds == 60


def test_the_document_is_json_without_infinities(side: Side, flooded: Side) -> None:
    text = json.dumps(plan_document([side, flooded], seed=1), allow_nan=False)
    document = json.loads(text)
    assert document["schemaVersion"] == 1
    first, second = document["plans"]
    assert first["demand"]["changesPerDay"] == 400
    assert first["setup"]["slotsPerAccount"] == 3
    assert first["firstCoverage"]["seconds"] == pytest.approx(side.first.seconds, abs=0.001)
    assert first["firstCoverage"]["cost"]["total"] == pytest.approx(total(side.first_bill), abs=0.01)
    assert first["binding"]["id"] == "max_tasks"
    assert first["commonDays"]["latency"]["withinTarget"] == 1.0
    assert [one["share"] for one in first["commonDays"]["limits"]] == sorted(
        (one["share"] for one in first["commonDays"]["limits"]), reverse=True
    )
    assert (second["firstCoverage"]["seconds"], second["overloaded"]) == (None, True)


def test_what_to_raise_begins_with_the_quotas(side: Side) -> None:
    first, *_, last = rows.raised_first(side)
    assert "L-3032A538" in first
    assert "20 of 6 vCPU (333 %)" in first
    assert "MaxTasks" in last


def test_the_same_seed_gives_the_same_plan(side: Side) -> None:
    assert plan(SMALL, Setup(), seed=1) == side
    assert plan(SMALL, Setup(), seed=2).first.seconds != side.first.seconds
