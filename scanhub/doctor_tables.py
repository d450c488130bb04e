"""What `scanhub doctor` found, as a person reads it."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub.diagnosis import Check, Verdict
from infra.doctor.report import counts

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "bold red", Verdict.UNKNOWN: "magenta"}
FOLDED_FROM = 4
"""So many checks of one kind that are well are told as one, unless all are wanted: there may be thousands."""


def told(checks: Sequence[Check], console: Console, *, everything: bool) -> None:
    """Group by group; below what is not well stands what to do.

    Args:
        checks: What was found.
        console: Where to.
        everything: Whether each check that is well is told by itself.
    """
    order = {group: at for at, group in enumerate(dict.fromkeys(check.group for check in checks))}
    for group, of_group in groupby(sorted(checks, key=lambda check: order[check.group]), lambda check: check.group):
        console.print(Text(f"\n{group}", style="bold"))
        console.print(_table(_folded(list(of_group), everything=everything)))
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts(checks).items() if count)
    console.print(f"\n{found}")


def _table(checks: Iterable[Check]) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for check in checks:
        text = Text(f"{check.subject}: {check.reason}")
        for line in check.evidence:
            text.append(f"\n  {line}", style="dim")
        if check.fix and check.verdict is not Verdict.OK:
            text.append(f"\n→ {check.fix}", style="cyan")
        table.add_row(Text(check.verdict.value, style=STYLES[check.verdict]), Text(check.name), text)
    return Padding(table, (0, 0, 0, 2))


def _folded(checks: Sequence[Check], *, everything: bool) -> list[Check]:
    by_kind: dict[str, list[Check]] = {}
    for check in checks:
        by_kind.setdefault(check.name, []).append(check)
    shown = []
    for of_kind in by_kind.values():
        well = [check for check in of_kind if check.verdict is Verdict.OK]
        shown += [check for check in of_kind if check.verdict is not Verdict.OK]
        if everything or len(well) < FOLDED_FROM:
            shown += well
        else:
            shown.append(_together(well))
    return shown


def _together(checks: Sequence[Check]) -> Check:
    first = checks[0]
    subject = f"{len(checks)} of them"
    return Check(name=first.name, group=first.group, subject=subject, verdict=Verdict.OK, reason="as they should be")
