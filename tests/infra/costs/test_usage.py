import pytest

from infra.costs.prices import Price
from infra.costs.usage import HOURS, Task, Workload, bill


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
    assert not [line for line in lines if line.item in {"Ledger", "Events"} and line.dollars]


def test_a_million_changes_pay_for_each_request_at_its_price() -> None:
    workload = month(1_000_000)
    assert units(workload, Price.EVENT) == 1_000_000
    assert Price.WRITE.rate.cost(units(workload, Price.WRITE)) == pytest.approx(22 * 0.625)
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
