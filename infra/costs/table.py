"""The costs as Markdown, for `docs/deploy.md`."""

from collections.abc import Iterable, Sequence

from infra.costs.prices import Price
from infra.costs.usage import Line, Workload, bill


def costs_table(workloads: Sequence[tuple[str, Workload]]) -> str:
    """One row an item, one column a workload, dollars a month; the sum last."""
    bills = [bill(workload) for _, workload in workloads]
    items = list(dict.fromkeys(line.item for lines in bills for line in lines))
    rows = [
        ["dollars a month", *(name for name, _ in workloads)],
        ["---", *("---:" for _ in workloads)],
        *([item, *(_money(line for line in lines if line.item == item) for lines in bills)] for item in items),
        ["**together**", *(f"**{_money(lines)}**" for lines in bills)],
    ]
    return _markdown(rows)


def prices_table() -> str:
    """One row a price, with its source."""
    rows = [["price", "of", "source"], ["---:", "---", "---"]]
    for price in Price:
        rate = price.rate
        amount = f"{rate.per:,} " if rate.per != 1 else ""
        rows.append([f"${rate.dollars:g}", amount + rate.of, f"<{rate.source}>"])
    return _markdown(rows)


def _money(lines: Iterable[Line]) -> str:
    return f"{sum(line.dollars for line in lines):,.2f}"


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
