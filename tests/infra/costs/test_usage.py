import pytest

from infra.costs.prices import Price
from infra.costs.usage import HOURS, Sweeping, Task, Workload, bill


def month(changes: int = 0, **others: object) -> Workload:
    return Workload(changes=changes, metrics=10, alarms=4, **others)  # type: ignore[arg-type]  # a test's shorthand


def units(workload: Workload, price: Price) -> float:
    return sum(line.units for line in bill(workload) if line.price is price)


def test_an_idle_month_pays_one_task_the_network_and_what_stands() -> None:
    lines = bill(month())
    tasks = sum(line.dollars for line in lines if line.item == "Worker tasks")
    # Fargate's own arithmetic: 730 h of 2 vCPU, 8 GB and 40 GB of disk beyond the 20 that are included.
    assert tasks == pytest.approx(730 * (2 * 0.04048 + 8 * 0.004445 + 40 * 0.000111))
    assert sum(line.dollars for line in lines if line.item == "NAT gateway") == pytest.approx(730 * (0.045 + 0.005))
    assert sum(line.dollars for line in lines if line.item == "Metrics, alarms, dashboard") == pytest.approx(6.4)
    assert not [line for line in lines if line.item in {"Events", "Results", "Sweep"} and line.dollars]
    # Its note and its counts, and whether the service is paused: 0.13 dollars.
    assert sum(line.dollars for line in lines if line.item == "Ledger") == pytest.approx(
        730 * (120 * 0.625 + 240 * 0.125) / 1e6
    )


def test_a_million_changes_pay_for_each_request_at_its_price() -> None:
    workload = month(1_000_000)
    assert units(workload, Price.EVENT) == 1_000_000
    # Of each change 24 for its scan and 1 that its account was heard of; of the worker 120 an hour.
    expected = 25_000_000 + workload.task_hours * 120
    assert units(workload, Price.WRITE) == pytest.approx(expected)
    assert units(workload, Price.PUT) == 9_000_000


def test_tasks_run_for_as_long_as_the_scans_need() -> None:
    # 4 at once, 60 s each: 240 an hour.
    assert month(240_000).task_hours == pytest.approx(1000)
    assert month(24).task_hours == HOURS
    assert month(240_000, task=Task(slots=8)).task_hours == HOURS


def test_down_to_zero_pays_for_the_scans_and_for_each_start() -> None:
    workload = month(240, always_on=False, arrivals=30, awake_seconds=1200)
    assert workload.task_hours == pytest.approx(1 + 10)
    # Never more than a task that is always there.
    assert month(240, always_on=False, arrivals=100_000).task_hours == HOURS
    assert month(240_000, always_on=False, arrivals=10).task_hours == pytest.approx(1000)


def test_a_network_of_ones_own_pays_no_nat() -> None:
    assert not [line for line in bill(month(network=False)) if line.item == "NAT gateway"]


def test_a_sweep_pays_for_what_it_lists_queues_and_has_scanned() -> None:
    sweeping = Sweeping(functions=1_000_000, listed=30_000_000, queued=1_000_000, accounts=300_000, hours=100)
    lines = bill(month(worked_hours=0.0, sweeping=sweeping))

    def of(price: Price, item: str) -> float:
        return sum(line.units for line in lines if line.price is price and line.item == item)

    assert of(Price.WRITE, "Sweep") == 7 * 1_000_000 + 3 * 300_000
    assert of(Price.READ, "Sweep") == pytest.approx(31_200_000)
    assert (of(Price.VCPU, "Sweep"), of(Price.MEMORY, "Sweep")) == (50, 100)
    assert of(Price.QUEUE, "Sweep") == pytest.approx(3_100_000)
    # What it has queued is scanned as a change is, but brings no event and no sighting.
    assert of(Price.WRITE, "Ledger") == 24_000_000
    assert of(Price.PUT, "Results") == 9_000_000
    assert of(Price.NAT_DATA, "NAT gateway") == pytest.approx(20_000)
    assert not of(Price.EVENT, "Events")
    assert of(Price.TABLE, "Ledger") == pytest.approx(6.0)


def test_a_change_that_is_covered_pays_for_its_look_up_alone() -> None:
    covered = month(1_000_000, scanned_share=0.25)
    assert covered.scans == 250_000
    assert units(covered, Price.PUT) == 9 * 250_000
    assert units(covered, Price.EVENT) == 1_000_000
    assert covered.task_hours == pytest.approx(250_000 / 240)


def test_a_daily_sweep_lists_all_and_queues_what_grows_old() -> None:
    daily = Sweeping.daily(functions=3000, accounts=10, ttl_days=30, minutes=60)
    assert daily.listed == pytest.approx(3000 * 730 / 24)
    assert daily.queued == pytest.approx(100 * 730 / 24)
    assert daily.accounts == pytest.approx(10 * 730 / 24)
    assert daily.hours == pytest.approx(730 / 24)
