"""The measures of the sweep, at small scale: they see to it that what is counted is what is meant."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import sweep_measures
from bench.control import Cloud
from bench.estate import Estate
from bench.figures import Figure
from bench.measures import Bench

SMALL = Estate(accounts=2, regions=2, functions=60)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Cloud() as cloud:
        yield Bench(cloud, tmp_path, lambda _: None)


def test_unchanged_functions_are_listed_looked_up_and_left_alone(bench: Bench) -> None:
    [swept, again], calls = sweep_measures._swept(bench, "together", SMALL, delay=0.0, rounds=2)
    assert swept["fresh"] == again["fresh"] == SMALL.total
    assert calls["sts:AssumeRole"] == 2, "a session serves both rounds"
    assert calls["dynamodb:BatchGetItem"] >= 2 * -(-SMALL.total // 100)
    assert bench.cloud.calls() == calls


def test_one_after_another_makes_the_same_calls_to_lambda(bench: Bench) -> None:
    [alone], calls = sweep_measures._swept(bench, "alone", SMALL, delay=0.001, rounds=1)
    assert alone["wall"] > 0.001 * calls.total()
    assert calls["lambda:ListFunctions"] == 8


def test_unknown_functions_are_all_queued_and_noted(bench: Bench) -> None:
    unknown = replace(SMALL, known=False)
    _, calls = sweep_measures._swept(bench, "together", unknown, delay=0.0, rounds=1)
    assert calls["resourcegroupstaggingapi:GetResources"] == 4
    assert calls["sqs:SendMessageBatch"] == 24


def test_a_sweep_that_finds_something_else_gives_no_figure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = sweep_measures._run
    less = replace(SMALL, functions=59)
    monkeypatch.setattr(sweep_measures, "_run", lambda bench, how, _, **more: run(bench, how, less, **more))
    with pytest.raises(AssertionError, match="all were to be alike"):
        sweep_measures._swept(bench, "together", SMALL, delay=0.0, rounds=1)


@pytest.mark.parametrize("known", [True, False])
def test_in_memory_all_are_found_and_what_is_missing_is_queued(bench: Bench, known: bool) -> None:
    told = sweep_measures._in_memory(bench, replace(SMALL, known=known), known=known)
    assert 20 < told["before"] <= told["peak"]


def test_coverage_is_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_measures, "COUNTED", (SMALL,))
    [figure] = sweep_measures.counting(bench)
    assert figure.beside.startswith("2 AWS calls")
    assert (figure.met, figure.target) == (True, "")


def test_a_figure_may_have_to_be_reached_from_below() -> None:
    ratio = Figure(name="ratio", value=19.9, limit=20, least=True)
    assert (ratio.met, ratio.target) == (False, "at least 20")
    assert replace(ratio, value=20).met
