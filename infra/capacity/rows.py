"""A plan's answers as rows of text, for the terminal and for `docs/scale.md` alike."""

import math
from collections.abc import Iterable, Sequence

from infra.capacity.bill import Lines, total
from infra.capacity.limits import Limits, Use
from infra.capacity.plan import Latency, Phase, Side

Row = tuple[str, ...]

SHOWN_SHARE = 0.01
"""A limit of which less is used is left out."""


def question(sides: Sequence[Side]) -> list[Row]:
    """What was asked."""
    return [
        ("functions", *(f"{side.demand.functions:,}" for side in sides)),
        ("accounts", *(f"{side.demand.accounts:,}" for side in sides)),
        ("changes a day", *(f"{side.demand.changes_per_day:,.0f}" for side in sides)),
    ]


def first(sides: Sequence[Side]) -> list[Row]:
    """The first sweep."""
    return [
        ("time to first full coverage", *(time_of(side.first) for side in sides)),
        ("tasks meanwhile, mean and most", *(tasks_of(side.first) for side in sides)),
        ("task hours", *(_number(side.first.task_hours) for side in sides)),
        (
            "change to result, median, p95, p99",
            *(latency_of(side.first.latency, is_overloaded=side.is_overloaded) for side in sides),
        ),
        ("changes within the target", *(percent(side.first.latency.within_target) for side in sides)),
        ("cost of it, once", *(dollars(total(side.first_bill)) for side in sides)),
        ("tasks that keep its pace", *(_count(side.tasks_for_pace) for side in sides)),
        ("what holds it", *(side.binding.kind.limit.name for side in sides)),
    ]


def common(sides: Sequence[Side]) -> list[Row]:
    """The days after it."""
    return [
        ("functions that are due at each sweep", *(f"{side.due_a_sweep:,}" for side in sides)),
        ("tasks, mean and most", *(tasks_of(side.common) for side in sides)),
        ("task hours a month", *(_number(side.common.mean_tasks * 730) for side in sides)),
        (
            "change to result, median, p95, p99",
            *(latency_of(side.common.latency, is_overloaded=side.is_overloaded) for side in sides),
        ),
        ("changes within the target", *(percent(side.common.latency.within_target) for side in sides)),
    ]


def bills(sides: Sequence[Side]) -> list[Row]:
    """Dollars a month, item by item, and together."""
    items = dict.fromkeys(item for side in sides for item, _ in side.bill)
    rows = [(item, *(_amount(side.bill, item) for side in sides)) for item in items]
    return [*rows, ("together", *(f"{total(side.bill):,.2f}" for side in sides))]


def limits(sides: Sequence[Side]) -> list[Row]:
    """Every limit of which at least a hundredth is used: its share in the first sweep and on common days, by side."""
    shares = {
        kind: [share for side in sides for share in (side.first.share(kind), side.common.share(kind))]
        for kind in Limits
    }
    ordered = sorted(shares, key=lambda kind: -max(shares[kind]))
    return [
        (kind.limit.name, *(percent(share) for share in shares[kind]))
        for kind in ordered
        if max(shares[kind]) >= SHOWN_SHARE
    ]


def raised_first(side: Side) -> list[str]:
    """What to raise, the most urgent first: quotas that the plan needs more of, then what holds the first sweep."""
    quotas = [use for use in side.beyond if use.kind not in {side.binding.kind, Limits.RETENTION}]
    queues = [use for use in side.beyond if use.kind is Limits.RETENTION]
    return [_advice(use) for use in (*quotas, side.binding, *queues)]


def time_of(phase: Phase) -> str:
    """How long a phase takes; marked where that is longer than what was simulated."""
    if not math.isfinite(phase.seconds):
        return "never"
    hours = phase.seconds / 3600
    text = f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"
    return f"about {text}" if phase.is_projected else text


def tasks_of(phase: Phase) -> str:
    """Tasks on average, and at the most."""
    return f"{phase.mean_tasks:,.1f}, {phase.peak_tasks:,}"


def latency_of(latency: Latency, *, is_overloaded: bool) -> str:
    """Median, 95 and 99 of a hundred."""
    if is_overloaded:
        return "grows without end"
    return ", ".join(_seconds(one) for one in (latency.median, latency.p95, latency.p99))


def dollars(amount: float) -> str:
    """Whole dollars."""
    return f"${amount:,.0f}" if math.isfinite(amount) else "-"


def _advice(use: Use) -> str:
    limit = use.kind.limit
    figures = f"{_figure(use.used)} of {_figure(use.available)} {limit.unit} ({percent(use.share)})"
    return f"{limit.name}: {figures}; {limit.raised}"


def _amount(lines: Lines, item: str) -> str:
    return f"{dict(lines).get(item, 0.0):,.2f}"


def _seconds(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 600
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def percent(share: float) -> str:
    """A share, with a decimal where it is small, or nearly all."""
    if not math.isfinite(share):
        return "without end"
    return f"{share * 100:.1f} %" if share < 0.0995 or 0.99 < share < 0.9995 else f"{share * 100:,.0f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "-"


def _figure(value: float) -> str:
    return f"{value:,.1f}" if value < 100 and value != int(value) else _number(value)


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def markdown(headings: Iterable[str], rows: Iterable[Row]) -> str:
    """A table in Markdown; figures to the right."""
    heads = list(headings)
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
