import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import pytest
import structlog
from structlog.testing import capture_logs

from hub.figures import circuit_figures, try_figures
from hub.metrics import EmbeddedMetrics

NOW = datetime(2026, 11, 21, 10, 4, 0, 123_000, tzinfo=UTC)


def emitted(stream: io.StringIO) -> list[dict[str, Any]]:
    assert stream.getvalue() == "" or stream.getvalue().endswith("\n")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def metrics(stream: TextIO) -> EmbeddedMetrics:
    return EmbeddedMetrics(stream, now=lambda: NOW)


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


def test_a_failed_try_carries_its_reason_beside_the_figure() -> None:
    """As a dimension each reason would be a metric of its own, and paid for."""
    stream = io.StringIO()
    metrics(stream).emit(**try_figures("scanner_crashed"))
    (line,) = emitted(stream)
    assert (line["TriesFailed"], line["Service"], line["reason"]) == (1, "worker", "scanner_crashed")
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service"]]
