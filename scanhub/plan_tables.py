"""A plan as a person reads it."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.capacity import rows
from infra.capacity.plan import Side
from scanhub.tables import new_table


def show(sides: Sequence[Side], console: Console) -> None:
    """Print everything, what was asked for beside ten times that."""
    heads = ("ASKED", "TEN TIMES")[: len(sides)]
    for title, part in (
        ("THE ORGANIZATION", rows.question(sides)),
        ("THE FIRST SWEEP", rows.first(sides)),
        ("COMMON DAYS", rows.common(sides)),
        ("DOLLARS A MONTH", rows.bills(sides)),
    ):
        console.print(_table((title, *heads), part))
        console.print()
    busy = [f"{head}, {phase}" for head in heads for phase in ("FIRST", "COMMON")]
    console.print(_table(("LIMITS, SHARE IN USE", *busy), rows.limits(sides)))
    for head, side in zip(heads, sides, strict=True):
        console.print()
        console.print(Text(f"RAISE FIRST ({head})", style="bold"))
        for number, line in enumerate(rows.raised_first(side), 1):
            console.print(Text(f"{number}. {line}"), soft_wrap=True)


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    table = new_table(headings[0])
    for heading in headings[1:]:
        table.add_column(heading, justify="right", overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    return table
