import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import pytest
import structlog
from structlog.testing import capture_logs

from hub.message import Source
from hub.metrics import (
    EmbeddedMetrics,
    Metric,
    circuit_figures,
    ending_figures,
    load_figures,
    scan_figures,
    try_figures,
)
from hub.scans import ScanStatus, ScanSummary, Severity
from tests.hub.samples import FINISHED, FUNCTION, SCAN_ID
from worker.trip import EndingKind

NOW = datetime(2026, 11, 21, 10, 4, 0, 123_000, tzinfo=UTC)


def emitted(stream: io.StringIO) -> list[dict[str, Any]]:
    assert stream.getvalue() == "" or stream.getvalue().endswith("\n")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def metrics(stream: TextIO) -> EmbeddedMetrics:
    return EmbeddedMetrics(stream, now=lambda: NOW)


def summary(status: ScanStatus = ScanStatus.SUCCESS) -> ScanSummary:
    return ScanSummary(
        scan_id=SCAN_ID,
        status=status,
        manifest_key="scans/a/manifest.json",
        completed_at=FINISHED,
        fresh_until=FINISHED,
        severities={Severity.HIGH: 2, Severity.CRITICAL: 1},
        secrets=3,
        packages=41,
    )


def test_one_line_in_the_embedded_metric_format() -> None:
    stream = io.StringIO()
    metrics(stream).emit(
        {"ScansCompleted": 1, "ScanDuration": 12.5},
        dimensions={"Service": "worker", "Status": "success"},
        account="111122223333",
    )
    assert emitted(stream) == [
        {
            "_aws": {
                "Timestamp": int(NOW.timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": "scanhub",
                        "Dimensions": [["Service"], ["Service", "Status"]],
                        "Metrics": [
                            {"Name": "ScansCompleted", "Unit": "Count"},
                            {"Name": "ScanDuration", "Unit": "Seconds"},
                        ],
                    }
                ],
            },
            "account": "111122223333",
            "Service": "worker",
            "Status": "success",
            "ScansCompleted": 1,
            "ScanDuration": 12.5,
        }
    ]


@pytest.mark.parametrize(("dimensions", "sets"), [({}, [[]]), ({"Service": "worker"}, [["Service"]])])
def test_every_set_of_dimensions_names_members_of_the_line(dimensions: dict[str, str], sets: list[list[str]]) -> None:
    stream = io.StringIO()
    metrics(stream).emit({"RunningScans": 2}, dimensions=dimensions)
    (line,) = emitted(stream)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == sets


def test_what_is_no_finite_number_is_left_out() -> None:
    stream = io.StringIO()
    metrics(stream).emit({"RunningScans": float("nan"), "HeldMessages": 3}, dimensions={"Service": "worker"})
    metrics(stream).emit({"RunningScans": float("inf")}, dimensions={"Service": "worker"})
    (line,) = emitted(stream)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "HeldMessages", "Unit": "Count"}]
    assert "RunningScans" not in line


def test_a_property_neither_covers_a_figure_nor_breaks_the_line() -> None:
    stream = io.StringIO()
    metrics(stream).emit(
        {"HeldMessages": 3}, dimensions={"Service": "worker"}, HeldMessages="many", reason="a\nb" * 2000
    )
    (line,) = emitted(stream)
    assert line["HeldMessages"] == 3
    assert len(line["reason"]) == 1024


@contextmanager
def full() -> Iterator[TextIO]:
    with Path("/dev/full").open("w") as stream:
        yield stream
        with suppress(OSError):  # what is left in the buffer
            stream.close()


@contextmanager
def without_a_reader() -> Iterator[TextIO]:
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "w")
    yield stream
    with suppress(BrokenPipeError):  # what is left in the buffer
        stream.close()


@contextmanager
def closed() -> Iterator[TextIO]:
    with Path(os.devnull).open("w") as stream:
        pass
    yield stream


@pytest.mark.parametrize("broken", [full, without_a_reader, closed], ids=lambda one: one.__name__)
class TestBrokenStream:
    def test_it_costs_figures_and_nothing_else(self, broken: Callable[[], AbstractContextManager[TextIO]]) -> None:
        with broken() as stream, capture_logs() as logged:
            for _ in range(2):
                EmbeddedMetrics(stream).emit(**circuit_figures(open_=True))
        assert [(one["event"], one["log_level"]) for one in logged] == [("metrics not written", "warning")] * 2

    def test_also_where_the_log_goes_the_same_way(self, broken: Callable[[], AbstractContextManager[TextIO]]) -> None:
        before = structlog.get_config()
        with broken() as stream:
            structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
            try:
                EmbeddedMetrics(stream).emit(**circuit_figures(open_=True))
            finally:
                structlog.configure(**before)


def test_a_wrong_name_is_an_error_also_where_the_stream_is_closed() -> None:
    with closed() as stream, pytest.raises(ValueError, match="no such metric"):
        metrics(stream).emit({"ScansDone": 1}, dimensions={"Service": "worker"})


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (ScanStatus.SUCCESS, "ScansCompleted"),
        (ScanStatus.PARTIAL, "ScansPartial"),
        (ScanStatus.FAILED, "ScansFailed"),
    ],
)
def test_the_figures_of_a_scan(status: ScanStatus, name: str) -> None:
    figures = scan_figures(FUNCTION, summary(status), timedelta(seconds=210))
    assert figures == {
        "values": {
            name: 1,
            "ScanDuration": 210,
            "SecretsFound": 3,
            "PackagesFound": 41,
            "FindingsCritical": 1,
            "FindingsHigh": 2,
            "FindingsMedium": 0,
            "FindingsLow": 0,
            "FindingsInformational": 0,
        },
        "dimensions": {"Service": "worker", "Status": status.value},
        "account": "111122223333",
        "region": "eu-west-1",
        "function": str(FUNCTION),
        "scan_id": SCAN_ID,
    }
    metrics(io.StringIO()).emit(**figures)
    assert "ScanDuration" not in scan_figures(FUNCTION, summary(status))["values"]


@pytest.mark.parametrize("kind", EndingKind)
def test_every_ending_of_a_journey_has_its_figure(kind: EndingKind) -> None:
    figures = ending_figures(kind.value, "no_report", Source.SWEEP, timedelta(seconds=-2))
    name = "Events" + "".join(word.capitalize() for word in kind.value.split())
    assert figures == {
        "values": {name: 1, "QueueDelay": 0},
        "dimensions": {"Service": "worker", "Source": "sweep"},
        "reason": "no_report",
    }
    metrics(io.StringIO()).emit(**figures)


def test_the_load_of_a_worker() -> None:
    assert load_figures(running=2, held=5, waiting=3, accounts_paused=1, circuit_open=True) == {
        "values": {
            "RunningScans": 2,
            "HeldMessages": 5,
            "WaitingMessages": 3,
            "AccountsPaused": 1,
            "QualysCircuitOpen": 1,
        },
        "dimensions": {"Service": "worker"},
    }
    idle = load_figures(running=0, held=0)
    assert set(idle["values"].values()) == {0}
    assert all(type(value) is float for value in idle["values"].values())


@pytest.mark.parametrize(("open_", "value"), [(True, 1), (False, 0)])
def test_the_circuit_shows_at_each_turn(open_: bool, value: int) -> None:
    assert circuit_figures(open_) == {"values": {"QualysCircuitOpen": value}, "dimensions": {"Service": "worker"}}


def test_a_failed_try_carries_its_reason_beside_the_figure() -> None:
    """As a dimension each reason would be a metric of its own, and paid for."""
    stream = io.StringIO()
    metrics(stream).emit(**try_figures("scanner_crashed"))
    (line,) = emitted(stream)
    assert (line["TriesFailed"], line["Service"], line["reason"]) == (1, "worker", "scanner_crashed")
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service"]]


def test_names_are_told_apart() -> None:
    assert len({metric.label for metric in Metric}) == len(Metric)
