"""`python -m tests.simulation`: run many seeds, or one and show what happened."""

import argparse
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.simulation.campaign import LAST_LINES, Report, reports
from tests.simulation.run import run

SHOWN = 5
"""Failures of which everything is shown; of more only the first line."""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: everything that happened")
    parser.add_argument("--fail-fast", action="store_true", help="end with the first failure")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    if options.seed is not None:
        return _one(console, options.seed, whole=options.trace)
    return _many(console, options.first, options.seeds, options.jobs, fail_fast=options.fail_fast)


def _one(console: Console, seed: int, *, whole: bool) -> int:
    outcome = run(seed)
    for line in outcome.trace.text(None if whole else LAST_LINES):
        console.print(line, markup=False)
    console.print(f"seed {seed} ({outcome.theme}): {outcome.virtual:.0f} s of virtual time, {outcome.turns} turns")
    console.print(f"trace {outcome.trace.digest()}")
    if outcome.violation is None:
        console.print("every invariant held")
        return 0
    console.print(str(outcome.violation), markup=False)
    return 1


def _many(console: Console, first: int, count: int, jobs: int, *, fail_fast: bool) -> int:
    total, began = Report(), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("seeds", total=count)
        for report in reports(first, count, jobs):
            total.add(report)
            progress.update(task, advance=report.seeds, description=f"seeds, {len(total.failures)} failed")
            if fail_fast and total.failures:
                break
    took = time.monotonic() - began
    _summary(console, total)
    console.print(
        f"{total.seeds} seeds from {first} on in {took:.0f} s: {total.seeds / took:.1f} a second, "
        f"{total.cpu / total.seeds:.3f} s of CPU each, {total.virtual / 86400:.0f} days of virtual time"
    )
    if not total.failures:
        console.print("every invariant held")
        return 0
    total.failures.sort(key=lambda failure: failure.seed)
    for failure in total.failures[:SHOWN]:
        console.print()
        for line in failure.lines:
            console.print(line, markup=False)
        console.print(f"seed {failure.seed} ({failure.theme}): {failure.violation}", markup=False)
        console.print(f"replay: python -m tests.simulation --seed {failure.seed} --trace", markup=False)
    for failure in total.failures[SHOWN:]:
        console.print(f"seed {failure.seed} ({failure.theme}): {failure.violation}", markup=False)
    console.print(f"{len(total.failures)} seeds failed")
    return 1


def _summary(console: Console, total: Report) -> None:
    """What was exercised: a kind of fault that never happens is not tested."""
    groups: dict[str, list[str]] = {}
    for name, count in sorted(total.counts.items()):
        group, _, kind = name.partition(": ")
        groups.setdefault(group if kind else "other", []).append(f"{kind or group} {count}")
    table = Table(title="what happened", show_header=False, box=None, padding=(0, 2, 0, 0))
    for group, kinds in groups.items():
        table.add_row(group, ", ".join(kinds))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
