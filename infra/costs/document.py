"""The costs in `docs/deploy.md`, between two marks."""

import re
from pathlib import Path

from infra.costs.counts import alarm_metrics, custom_metrics
from infra.costs.table import costs_table, prices_table
from infra.costs.usage import Sweeping, Workload

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"
_MARKED = re.compile(r"(<!-- (costs|prices): written by make costs -->\n).*?(<!-- end -->)", re.DOTALL)


def workloads() -> list[tuple[str, Workload]]:
    """The columns of the table."""
    metrics, alarms = custom_metrics(), alarm_metrics()
    small = Sweeping.daily(functions=1_000, accounts=10)
    large = Sweeping.daily(functions=10_000, accounts=100)
    return [
        (
            "1,000 functions and changes, `MinTasks` 0",
            Workload(changes=1_000, metrics=metrics, alarms=alarms, sweeping=small, always_on=False, arrivals=300),
        ),
        ("1,000 functions and changes", Workload(changes=1_000, metrics=metrics, alarms=alarms, sweeping=small)),
        (
            "10,000 functions, 100,000 changes",
            Workload(changes=100_000, metrics=metrics, alarms=alarms, sweeping=large),
        ),
    ]


def renewed(document: str) -> str:
    """The document with today's tables between its marks.

    Raises:
        ValueError: A mark is missing.
    """
    tables = {"costs": costs_table(workloads()), "prices": prices_table()}
    found = [mark.group(2) for mark in _MARKED.finditer(document)]
    if sorted(found) != sorted(tables):
        raise ValueError(f"docs/deploy.md has the marks {found}, not one each of {sorted(tables)}")
    return _MARKED.sub(lambda mark: f"{mark.group(1)}{tables[mark.group(2)]}{mark.group(3)}", document)
