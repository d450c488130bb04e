import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.message import Source
from hub.metrics import EmbeddedMetrics, Metric, ending_figures, scan_figures
from hub.scans import ScanStatus, ScanSummary, Severity
from tests.hub.samples import FINISHED, FUNCTION, SCAN_ID
from worker.trip import EndingKind

NOW = datetime(2026, 11, 21, 10, 4, 0, 123_000, tzinfo=UTC)


def emitted(stream: io.StringIO) -> list[dict[str, Any]]:
    assert stream.getvalue() == "" or stream.getvalue().endswith("\n")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def metrics(stream: io.StringIO) -> EmbeddedMetrics:
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


class BrokenPipe(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_broken_stream_costs_a_figure_and_nothing_else() -> None:
    with capture_logs() as logged:
        metrics(BrokenPipe()).emit({"HeldMessages": 3}, dimensions={"Service": "worker"})
    assert [(one["event"], one["log_level"]) for one in logged] == [("metrics not written", "warning")]


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


def test_names_are_told_apart() -> None:
    assert len({metric.label for metric in Metric}) == len(Metric)
