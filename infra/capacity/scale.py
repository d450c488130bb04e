"""The tables of `docs/scale.md`, between their marks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.capacity import rows
from infra.capacity.bill import total, wave
from infra.capacity.limits import Limits
from infra.capacity.plan import Phase, Side, first_sweep, is_overloaded, plan
from infra.capacity.workload import DAY, Demand, Setup

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
_MARKED = re.compile(r"(<!-- (\w+): written by make scale -->\n).*?(<!-- end -->)", re.DOTALL)

GRAIN = 12_000
"""Coarser than `scanhub plan`, so that all tables together take seconds."""

SMALL = Demand(functions=10_000, accounts=100, changes_per_day=1_000, busy_hours=10)
"""A hundred functions an account, of which one in ten is changed in a day, in ten hours of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A day on which every function is to be scanned.

    Attributes:
        demand: The organization.
        setup: The service.
        phase: Until all are done.
    """

    demand: Demand
    setup: Setup
    phase: Phase

    @property
    def binding(self) -> str:
        """What holds it."""
        holds = [use for use in self.phase.uses if use.kind.limit.each_scan]
        ours = (Limits.MAX_TASKS, Limits.SWEEP_PACE, Limits.LISTING)
        holds += [use for use in self.phase.uses if use.kind in ours]
        return max(holds, key=lambda use: use.share).kind.limit.name

    @property
    def cost(self) -> float:
        """Dollars until all are done, with the changes that come meanwhile."""
        days = self.phase.seconds / DAY
        hours = self.phase.seconds / 3600
        changes = self.demand.changes_per_day * days
        lines = wave(
            self.demand,
            self.setup,
            self.phase.task_hours,
            scans=self.demand.functions,
            sweep_hours=hours,
            changes=changes,
        )
        return total(lines)


def organizations() -> list[Side]:
    """A hundred, a thousand and ten thousand accounts, as the hub is by default and with more tasks."""
    asked = [(1, 10), (10, 10), (10, 100), (100, 10), (100, 400)]
    return [plan(SMALL.times(factor), Setup(max_tasks=tasks), grain=GRAIN) for factor, tasks in asked]


def log4shell(first: Side) -> list[Answer]:
    """A million functions at once, with more and more tasks and a faster sweep; begins with one that is known."""
    demand = first.demand
    setups = [
        Setup(max_tasks=400, sweep_per_minute=0),
        Setup(max_tasks=1_000, sweep_per_minute=2_000),
        Setup(max_tasks=5_000, sweep_per_minute=0),
    ]
    known = Answer(demand, first.setup, first.first)
    return [known, *(Answer(demand, setup, first_sweep(demand, setup, grain=GRAIN)) for setup in setups)]


def tables() -> dict[str, str]:
    """Each table by the name of its mark."""
    sides = organizations()
    answers = log4shell(sides[-1])
    return {
        "organizations": _organizations(sides),
        "bills": rows.markdown(["dollars a month", *map(_head, sides)], rows.bills(sides)),
        "raise": _raise(sides),
        "log4shell": _log4shell(answers),
        "limits": _limits(),
    }


def renewed(document: str) -> str:
    """The document with today's tables between its marks.

    Raises:
        ValueError: A mark is missing.
    """
    made = tables()
    found = [mark.group(2) for mark in _MARKED.finditer(document)]
    if sorted(found) != sorted(made):
        raise ValueError(f"docs/scale.md has the marks {found}, not one each of {sorted(made)}")
    return _MARKED.sub(lambda mark: f"{mark.group(1)}{made[mark.group(2)]}{mark.group(3)}", document)


def _head(side: Side) -> str:
    return f"{side.demand.accounts:,} accounts, `MaxTasks` {side.setup.max_tasks:,}"


def _organizations(sides: Sequence[Side]) -> str:
    first = [(f"first sweep: {name}", *cells) for name, *cells in rows.first(sides)]
    common = [(f"common days: {name}", *cells) for name, *cells in rows.common(sides)]
    lines = [*rows.question(sides)[::2], *first, *common]
    return rows.markdown(["", *map(_head, sides)], lines)


def _raise(sides: Sequence[Side]) -> str:
    return "".join(
        f"- **{_head(side)}**\n" + "".join(f"  {number}. {line}\n" for number, line in enumerate(advice, 1))
        for side in sides
        for advice in [rows.raised_first(side)]
    )


def _log4shell(answers: Sequence[Answer]) -> str:
    heads = [f"`MaxTasks` {one.setup.max_tasks:,}, {_pace(one.setup)}" for one in answers]
    lines = [
        ("until all are done", *(rows.time_of(one.phase) for one in answers)),
        ("tasks, mean and most", *(rows.tasks_of(one.phase) for one in answers)),
        ("vCPU at the most", *(f"{one.phase.peak_tasks * one.setup.task_cpus:,}" for one in answers)),
        (
            "change to result, median, p95, p99",
            *(
                rows.latency_of(one.phase.latency, is_overloaded=is_overloaded(one.demand, one.setup))
                for one in answers
            ),
        ),
        ("changes within the target", *(rows.percent(one.phase.latency.within_target) for one in answers)),
        ("cost of it", *(rows.dollars(one.cost) for one in answers)),
        ("what holds it", *(one.binding for one in answers)),
    ]
    return rows.markdown(["a million functions at once", *heads], lines)


def _pace(setup: Setup) -> str:
    return f"{setup.sweep_per_minute:,} a minute" if setup.sweep_per_minute else "no pace"


def _limits() -> str:
    heads = ["limit", "by default", "source", "to raise it"]
    made = []
    for kind in Limits:
        limit = kind.limit
        link = f"<{limit.address}>" if limit.address.startswith("https") else f"[{limit.source}]({limit.source})"
        made.append((limit.name, f"{limit.value:,g} {limit.unit}" if limit.value else "yours", link, limit.raised))
    return "".join(f"| {' | '.join(line)} |\n" for line in (heads, ["---"] * 4, *made))
