"""`python -m tests.simulation.mutants`: deliberate faults, one at a time; the simulator must catch each of them.

A simulator that cannot fail shows nothing. Each mutant replaces a piece of the product's text, in a copy; the piece
must be there exactly once, or the mutant has gone stale, which is an error too.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.hunting import copy_to, hunt, judge

SEEDS = 300


def main() -> int:
    """The command line: 1 if a mutant survives, is stale, or if the product itself is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="those with this in their name")
    options = parser.parse_args()
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="original-") as folder:
        root = Path(folder).resolve()
        copy_to(root)
        caught = hunt(root, options.seeds, every=True)
    for one in caught:
        console.print(f"without any mutant, seed {one['seed']}: invariant {one['invariant']}: {one['text']}")
    skip = frozenset(int(str(one["seed"])) for one in caught)
    chosen = [mutant for mutant in MUTANTS if options.only is None or options.only in mutant.name]
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(lambda mutant: judge(mutant, options.seeds, skip), chosen))
    table = Table("mutant", "invariant", "seed", "how it showed")
    for verdict in verdicts:
        shown = [str(one) if one is not None else "-" for one in (verdict.invariant, verdict.seed)]
        table.add_row(verdict.mutant.name, *shown, verdict.text[:90])
    console.print(table)
    left = [verdict for verdict in verdicts if verdict.seed is None]
    console.print(f"{len(verdicts) - len(left)} of {len(verdicts)} mutants caught within {options.seeds} seeds")
    return 1 if left or caught else 0


if __name__ == "__main__":
    sys.exit(main())
