"""`python -m tests.simulation.hunt`: run seeds one by one until an invariant does not hold; says so in one JSON line.

It runs against whatever packages lie in the current directory: that is how a mutant is hunted.
"""

import argparse
import gc
import json
import sys
from pathlib import Path

import worker
from tests.simulation.run import run

EXIT_CAUGHT = 10
"""Something was found. Not 1, by which Python ends when it cannot even import."""


def main() -> int:
    """The command line: see `EXIT_CAUGHT`; 3 if the packages are others than meant."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.hunt", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--skip", type=int, nargs="*", default=[])
    parser.add_argument("--all", action="store_true", help="go on after the first one")
    options = parser.parse_args()
    if Path(worker.__file__).parents[1] != Path.cwd():
        sys.stderr.write(f"{worker.__file__} is not in {Path.cwd()}\n")
        return 3
    found = 0
    gc.disable()
    for seed in range(options.seeds):
        if seed in options.skip:
            continue
        outcome = run(seed)
        if outcome.violation is not None:
            found += 1
            line = {"seed": seed, "invariant": outcome.violation.invariant, "text": outcome.violation.text}
            sys.stdout.write(json.dumps(line) + "\n")
            if not options.all:
                break
        if seed % 25 == 0:
            gc.collect()
    return EXIT_CAUGHT if found else 0


if __name__ == "__main__":
    sys.exit(main())
