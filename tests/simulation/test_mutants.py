"""Each mutant can still be made, and the hunt for one finds it."""

from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.hunting import ROOT, apply, judge
from tests.simulation.mutants.mutant import Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_no_mutant_is_stale(mutant: Mutant, tmp_path: Path) -> None:
    copy = tmp_path / mutant.path
    copy.parent.mkdir(parents=True)
    copy.write_text((ROOT / mutant.path).read_text())
    assert apply(mutant, tmp_path) == ""
    compile(copy.read_text(), mutant.path, "exec")


def test_names_of_mutants_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 18


def test_a_text_that_is_not_there_is_told() -> None:
    stale = Mutant("stale", "worker/heartbeat.py", "no such text", "")
    assert judge(stale, 1, frozenset()).text == "stale: its text is there 0 times"


def test_a_mutant_is_caught_and_its_original_is_not_touched() -> None:
    mutant = next(one for one in MUTANTS if one.name == "never beats")
    original = (ROOT / mutant.path).read_text()
    verdict = judge(mutant, 30, frozenset())
    assert verdict.invariant == 8, verdict
    assert (ROOT / mutant.path).read_text() == original


def test_a_mutant_that_changes_nothing_survives() -> None:
    harmless = Mutant("harmless", "worker/heartbeat.py", "BEATS = 3\n", "BEATS = 3 + 0\n")
    verdict = judge(harmless, 4, frozenset())
    assert (verdict.seed, verdict.text) == (None, "survived")


def test_a_mutant_that_does_not_run_is_not_taken_for_caught() -> None:
    broken = Mutant("broken", "worker/heartbeat.py", "BEATS = 3\n", "BEATS = no_such_name\n")
    verdict = judge(broken, 4, frozenset())
    assert verdict.seed is None
    assert verdict.text.startswith("broken: NameError")
