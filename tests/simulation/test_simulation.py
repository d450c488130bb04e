"""The real worker through some hundred worlds of faults, and the same seed twice."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from tests.simulation import campaign
from tests.simulation.campaign import chunks, reports, run_chunk
from tests.simulation.planner import plan
from tests.simulation.run import run

SEEDS = 300
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seeds", chunks(0, SEEDS), ids=str)
def test_every_invariant_holds(seeds: range) -> None:
    report = run_chunk(seeds)
    told = [f"seed {failure.seed} ({failure.theme}): {failure.violation}" for failure in report.failures]
    assert not told, "\n".join([*report.failures[0].lines[-20:], *told])
    assert report.seeds == len(seeds)


@pytest.mark.parametrize("seed", [2, 9, 31])
def test_a_seed_replays_to_the_letter(seed: int) -> None:
    first, second = run(seed), run(seed)
    assert first.trace.text() == second.trace.text()
    assert first.turns == second.turns
    assert len(first.trace.lines) > 100


def test_a_seed_replays_in_another_process_with_other_hashes() -> None:
    program = "from tests.simulation.run import run; print(run(9).trace.digest())"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "4242")
    }
    assert answers == {run(9).trace.digest()}


def test_a_run_leaves_chance_and_logs_as_they_were() -> None:
    random.seed(7)
    before, configured = random.getstate(), structlog.get_config()
    run(3)
    assert random.getstate() == before
    assert structlog.get_config() == configured


def test_plans_are_decided_by_their_seed_alone() -> None:
    assert [plan(seed) for seed in range(40)] == [plan(seed) for seed in range(40)]
    assert len({repr(plan(seed)) for seed in range(200)}) == 200
    assert {plan(seed).theme for seed in range(200)} > {"calm", "network", "deaths", "stops", "stalls", "qualys"}


def test_a_campaign_in_two_processes_sees_what_one_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    # Three portions, the last one smaller.
    monkeypatch.setattr(campaign, "CHUNK", 8)
    one, two = [list(reports(0, 20, jobs)) for jobs in (1, 2)]
    assert [len(one), len(two)] == [3, 3]
    assert sum(report.seeds for report in one) == sum(report.seeds for report in two) == 20
    counts = [sum((report.counts for report in several), one[0].counts.__class__()) for several in (one, two)]
    assert counts[0] == counts[1]
    assert counts[0]["scan"] > 100
