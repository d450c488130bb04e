"""`python -m bench`: every figure in one run, as a table or as JSON; ends with 1 if a target is missed."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import measures, sweep_measures
from bench.control import Cloud
from bench.figures import Figure


def main() -> int:
    """Measure, print, and say whether every target is met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    begun = time.monotonic()
    figures = measured()
    seconds = time.monotonic() - begun
    if arguments.json:
        print(json.dumps(document(figures, seconds), indent=2))
    else:
        Console().print(table(figures))
        print(f"{machine()}; {seconds:.0f} s in all")
    return 0 if all(figure.met for figure in figures) else 1


def measured() -> list[Figure]:
    """Every figure, in the table's order."""
    begun = time.monotonic()

    def tell(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {what}\n")

    with tempfile.TemporaryDirectory(prefix="scanhub-bench-") as directory, Cloud() as cloud:
        bench = measures.Bench(cloud, Path(directory), tell)
        of_baseline = measures.baseline(bench)
        return [
            *measures.events_and_arrivals(bench, of_baseline),
            measures.held_messages(bench),
            *measures.long_scans(bench),
            *sweep_measures.unchanged(bench),
            sweep_measures.due(bench),
            *sweep_measures.memory(bench),
            *sweep_measures.counting(bench),
        ]


def table(figures: list[Figure]) -> Table:
    """The table for a person."""
    made = Table(header_style="bold")
    for heading in ("figure", "to reach", "measured", "beside it", "met?"):
        made.add_column(heading, justify="right" if heading in {"to reach", "measured"} else "left")
    for figure in figures:
        met = "[green]yes[/]" if figure.met else "[red]NO[/]"
        met = met if figure.limit is not None else ""
        made.add_row(figure.name, figure.target, figure.shown(figure.value), figure.beside, met)
    return made


def document(figures: list[Figure], seconds: float) -> dict[str, object]:
    """The same for machines."""
    return {
        "machine": machine(),
        "seconds": round(seconds, 1),
        "met": all(figure.met for figure in figures),
        "figures": [
            {
                "name": figure.name,
                "value": figure.value,
                "limit": figure.limit,
                "unit": figure.unit,
                "met": figure.met,
                "beside": figure.beside,
            }
            for figure in figures
        ],
    }


def machine() -> str:
    """On what it was measured."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"


if __name__ == "__main__":
    sys.exit(main())
