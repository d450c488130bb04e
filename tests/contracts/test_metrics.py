"""What every metrics adapter does, whichever stands behind it."""

import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.figures import LoadFigures, circuit_figures, ending_figures, load_figures, try_figures
from hub.message import Source
from hub.metrics import EmbeddedMetrics
from worker.memory.metrics import MemoryMetrics
from worker.ports import Metrics

Emitted = Callable[[], list[tuple[dict[str, float], dict[str, str], dict[str, str]]]]
"""What was emitted so far, as (values, dimensions, properties)."""


@pytest.fixture(params=["memory", "embedded"])
def metrics(request: pytest.FixtureRequest) -> tuple[Metrics, Emitted]:
    if request.param == "memory":
        memory = MemoryMetrics()
        return memory, lambda: [
            (dict(one.values), dict(one.dimensions), dict(one.properties)) for one in memory.emitted
        ]
    stream = io.StringIO()

    def read() -> list[tuple[dict[str, float], dict[str, str], dict[str, str]]]:
        found = []
        for line in map(json.loads, stream.getvalue().splitlines()):
            (directive,) = line.pop("_aws")["CloudWatchMetrics"]
            values = {one["Name"]: line.pop(one["Name"]) for one in directive["Metrics"]}
            dimensions = {name: line.pop(name) for name in directive["Dimensions"][-1]}
            found.append((values, dimensions, line))
        return found

    return EmbeddedMetrics(stream), read


def test_figures_dimensions_and_properties_are_kept(metrics: tuple[Metrics, Emitted]) -> None:
    adapter, emitted = metrics
    adapter.emit({"SecretsFound": 2, "ScanDuration": 1.5}, dimensions={"Service": "worker"}, account="111122223333")
    adapter.emit({"EventsParked": 1}, dimensions={"Service": "worker", "Source": "sweep"})
    assert emitted() == [
        ({"SecretsFound": 2, "ScanDuration": 1.5}, {"Service": "worker"}, {"account": "111122223333"}),
        ({"EventsParked": 1}, {"Service": "worker", "Source": "sweep"}, {}),
    ]


@pytest.mark.parametrize(
    ("values", "dimensions"), [({"ScansDone": 1}, {"Service": "worker"}), ({"EventsParked": 1}, {"Account": "1"})]
)
def test_names_that_stand_in_no_table_are_refused(
    metrics: tuple[Metrics, Emitted], values: dict[str, float], dimensions: dict[str, str]
) -> None:
    adapter, emitted = metrics
    with pytest.raises(ValueError, match=r"no such metric or dimension: (ScansDone|Account)"):
        adapter.emit(values, dimensions=dimensions)
    assert emitted() == []


@pytest.mark.parametrize(
    "figures",
    [
        circuit_figures(open_=True),
        try_figures("scanner_crashed", exit_code="SIGKILL"),
        load_figures(running=1, held=4, slots=8, waiting=2, accounts_paused=3, accounts_without_access=1),
        ending_figures("stored", "success", Source.CHANGES, timedelta(seconds=9), latency=timedelta(seconds=30)),
    ],
    ids=["circuit", "try", "load", "ending"],
)
def test_the_figures_of_a_worker_are_taken(metrics: tuple[Metrics, Emitted], figures: LoadFigures) -> None:
    adapter, emitted = metrics
    adapter.emit(**figures)
    properties = {name: value for name, value in figures.items() if name not in {"values", "dimensions"}}
    assert emitted() == [(figures["values"], figures["dimensions"], properties)]


def test_the_memory_adapter_sums_up() -> None:
    memory = MemoryMetrics()
    for count in (1, 2):
        memory.emit({"SecretsFound": count}, dimensions={"Service": "worker"})
    assert memory.total("SecretsFound") == 3
    assert memory.total("EventsParked") == 0
