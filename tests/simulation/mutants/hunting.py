"""A mutant in a copy of the project, and the simulator after it."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.hunt import EXIT_CAUGHT
from tests.simulation.mutants.mutant import Mutant

ROOT = Path(__file__).parents[3]
COPIED = ("spoke", "hub", "worker", "tests/simulation")
HUNT = ("-m", "tests.simulation.hunt")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: Which.
        seed: At which it was caught; None if it was not.
        invariant: That it broke.
        text: More of it; of a stale mutant, why.
    """

    mutant: Mutant
    seed: int | None = None
    invariant: int | None = None
    text: str = ""


def apply(mutant: Mutant, root: Path) -> str:
    """Change the text below `root`; returns why that cannot be done, or an empty text."""
    path = root / mutant.path
    text = path.read_text() if path.exists() else ""
    count = text.count(mutant.find)
    if count != 1 or mutant.find == mutant.put:
        return f"stale: its text is there {count} times"
    path.write_text(text.replace(mutant.find, mutant.put))
    return ""


def copy_to(root: Path) -> None:
    """What a hunt needs of the project."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests" / "__init__.py").touch()


def hunt(root: Path, seeds: int, *, skip: frozenset[int] = frozenset(), every: bool = False) -> list[dict[str, object]]:
    """What the seeds show in this copy: the first violation, or every one."""
    command = [sys.executable, *HUNT, "--seeds", str(seeds), *(["--all"] if every else [])]
    if skip:
        command += ["--skip", *map(str, sorted(skip))]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if ended.returncode not in {0, EXIT_CAUGHT}:
        # A mutant that cannot even be imported or run shows nothing of the invariants.
        return [{"seed": -1, "invariant": -1, "text": ended.stderr.strip().rpartition("\n")[2]}]
    return [json.loads(line) for line in ended.stdout.splitlines()]


def judge(mutant: Mutant, seeds: int, skip: frozenset[int]) -> Verdict:
    """Hunt one mutant."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        root = Path(folder).resolve()
        copy_to(root)
        fault = apply(mutant, root)
        if fault:
            return Verdict(mutant, text=fault)
        found = hunt(root, seeds, skip=skip)
    if not found:
        return Verdict(mutant, text="survived")
    first = found[0]
    seed, invariant = int(str(first["seed"])), int(str(first["invariant"]))
    if seed < 0:
        return Verdict(mutant, text=f"broken: {first['text']}")
    return Verdict(mutant, seed, invariant, str(first["text"]))
