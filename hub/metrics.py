"""Figures that leave as CloudWatch embedded metrics: one JSON line each, no call.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
CloudWatch Logs makes metrics of such lines by itself. The package aws-embedded-metrics was looked at: its `flush` is a
coroutine that probes for its environment and picks a sink, where a line on stdout at once is all that is wanted here.
"""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TextIO, TypedDict

import structlog

from hub.message import Source
from hub.scans import ScanStatus, ScanSummary, Severity
from spoke.arn import FunctionArn

log = structlog.get_logger()

NAMESPACE = "scanhub"
DIMENSIONS = frozenset({"Service", "Status", "Source", "Ending"})
"""Each value of a dimension is a metric of its own, and is paid for: accounts and functions go in as properties."""

_MAX_TEXT = 1024
"""Characters of a dimension's value (the specification); properties are cut alike."""


class Unit(Enum):
    """The units in use, of those that CloudWatch knows (MetricDatum in its API reference)."""

    COUNT = "Count"
    SECONDS = "Seconds"


class Metric(Enum):
    """Every metric: its name and unit."""

    SCANS_COMPLETED = ("ScansCompleted", Unit.COUNT)
    SCANS_PARTIAL = ("ScansPartial", Unit.COUNT)
    SCANS_FAILED = ("ScansFailed", Unit.COUNT)
    SCAN_DURATION = ("ScanDuration", Unit.SECONDS)
    FINDINGS_CRITICAL = ("FindingsCritical", Unit.COUNT)
    FINDINGS_HIGH = ("FindingsHigh", Unit.COUNT)
    FINDINGS_MEDIUM = ("FindingsMedium", Unit.COUNT)
    FINDINGS_LOW = ("FindingsLow", Unit.COUNT)
    FINDINGS_INFORMATIONAL = ("FindingsInformational", Unit.COUNT)
    SECRETS_FOUND = ("SecretsFound", Unit.COUNT)
    PACKAGES_FOUND = ("PackagesFound", Unit.COUNT)
    QUEUE_DELAY = ("QueueDelay", Unit.SECONDS)
    EVENTS_STORED = ("EventsStored", Unit.COUNT)
    EVENTS_COVERED = ("EventsCovered", Unit.COUNT)
    EVENTS_COALESCED = ("EventsCoalesced", Unit.COUNT)
    EVENTS_IGNORED = ("EventsIgnored", Unit.COUNT)
    EVENTS_EXCLUDED = ("EventsExcluded", Unit.COUNT)
    EVENTS_GONE = ("EventsGone", Unit.COUNT)
    EVENTS_PARKED = ("EventsParked", Unit.COUNT)
    EVENTS_GIVEN_BACK = ("EventsGivenBack", Unit.COUNT)
    EVENTS_LOST = ("EventsLost", Unit.COUNT)
    RUNNING_SCANS = ("RunningScans", Unit.COUNT)
    HELD_MESSAGES = ("HeldMessages", Unit.COUNT)
    WAITING_MESSAGES = ("WaitingMessages", Unit.COUNT)
    ACCOUNTS_PAUSED = ("AccountsPaused", Unit.COUNT)
    QUALYS_CIRCUIT_OPEN = ("QualysCircuitOpen", Unit.COUNT)
    TRIES_FAILED = ("TriesFailed", Unit.COUNT)

    @property
    def label(self) -> str:
        """Its name in CloudWatch."""
        return self.value[0]

    @property
    def unit(self) -> Unit:
        """Its unit."""
        return self.value[1]


_BY_LABEL = {metric.label: metric for metric in Metric}
_BY_SEVERITY = {
    Severity.CRITICAL: Metric.FINDINGS_CRITICAL,
    Severity.HIGH: Metric.FINDINGS_HIGH,
    Severity.MEDIUM: Metric.FINDINGS_MEDIUM,
    Severity.LOW: Metric.FINDINGS_LOW,
    Severity.INFORMATIONAL: Metric.FINDINGS_INFORMATIONAL,
}
_BY_STATUS = {
    ScanStatus.SUCCESS: Metric.SCANS_COMPLETED,
    ScanStatus.PARTIAL: Metric.SCANS_PARTIAL,
    ScanStatus.FAILED: Metric.SCANS_FAILED,
}
_BY_ENDING = {
    "stored": Metric.EVENTS_STORED,
    "covered": Metric.EVENTS_COVERED,
    "coalesced": Metric.EVENTS_COALESCED,
    "ignored": Metric.EVENTS_IGNORED,
    "excluded": Metric.EVENTS_EXCLUDED,
    "gone": Metric.EVENTS_GONE,
    "parked": Metric.EVENTS_PARKED,
    "given back": Metric.EVENTS_GIVEN_BACK,
    "lost": Metric.EVENTS_LOST,
}


class ScanFigures(TypedDict):
    """What `Metrics.emit` takes for a scan."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]
    account: str
    region: str
    function: str
    scan_id: str


class EndingFigures(TypedDict):
    """What `Metrics.emit` takes for a message whose journey ended."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]
    reason: str


class LoadFigures(TypedDict):
    """What `Metrics.emit` takes for what a worker has in hand."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]


class TryFigures(TypedDict):
    """What `Metrics.emit` takes for a try that failed."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]
    reason: str


def scan_figures(function: FunctionArn, summary: ScanSummary, duration: timedelta | None = None) -> ScanFigures:
    """The figures of one stored scan; `duration` is the scanner's own time, where it is known."""
    values = {
        _BY_STATUS[summary.status].label: 1.0,
        Metric.SECRETS_FOUND.label: float(summary.secrets),
        Metric.PACKAGES_FOUND.label: float(summary.packages),
    }
    for severity, metric in _BY_SEVERITY.items():
        values[metric.label] = float(summary.severities.get(severity, 0))
    if duration is not None:
        values[Metric.SCAN_DURATION.label] = duration.total_seconds()
    return {
        "values": values,
        "dimensions": {"Service": "worker", "Status": summary.status.value},
        "account": function.account,
        "region": function.region,
        "function": str(function.unqualified),
        "scan_id": summary.scan_id,
    }


def ending_figures(ending: str, reason: str, source: Source, waited: timedelta) -> EndingFigures:
    """The figures of one journey that ended.

    Args:
        ending: `stored`, `covered`, `coalesced`, `ignored`, `excluded`, `gone`, `parked`, `given back` or `lost`.
        reason: A stable word, or empty.
        source: The message's queue.
        waited: From when the message entered the queue until now.
    """
    # A clock that is a little behind SQS's must not show as a negative wait.
    delay = max(0.0, waited.total_seconds())
    return {
        "values": {_BY_ENDING[ending].label: 1.0, Metric.QUEUE_DELAY.label: delay},
        "dimensions": {"Service": "worker", "Source": source.value},
        "reason": reason,
    }


def load_figures(
    *, running: int, held: int, waiting: int = 0, accounts_paused: int = 0, circuit_open: bool = False
) -> LoadFigures:
    """The figures of one worker at one moment.

    Args:
        running: Scans that have begun.
        held: Messages in hand, those included that wait.
        waiting: Of those, the ones that wait because their account has its share of scans.
        accounts_paused: Accounts that refused or throttled this worker, and are left alone for a while.
        circuit_open: Whether Qualys takes no scans at the moment.
    """
    values = {
        Metric.RUNNING_SCANS: running,
        Metric.HELD_MESSAGES: held,
        Metric.WAITING_MESSAGES: waiting,
        Metric.ACCOUNTS_PAUSED: accounts_paused,
        Metric.QUALYS_CIRCUIT_OPEN: circuit_open,
    }
    return {
        "values": {metric.label: float(value) for metric, value in values.items()},
        "dimensions": {"Service": "worker"},
    }


def circuit_figures(open_: bool) -> LoadFigures:  # noqa: FBT001  # the function's name says what the flag is
    """The figure of the Qualys circuit at one of its turns: 1 while it is open or probed, else 0."""
    return {"values": {Metric.QUALYS_CIRCUIT_OPEN.label: float(open_)}, "dimensions": {"Service": "worker"}}


def try_figures(reason: str) -> TryFigures:
    """The figure of one try that failed, whether or not the message is tried again; `reason` is a stable word."""
    return {"values": {Metric.TRIES_FAILED.label: 1.0}, "dimensions": {"Service": "worker"}, "reason": reason}


def check(values: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Every adapter of the port asks this first, so that a wrong name shows in the first test that emits it.

    Raises:
        ValueError: A metric or dimension that is not in this module's tables.
    """
    unknown = sorted((values.keys() - _BY_LABEL.keys()) | (dimensions.keys() - DIMENSIONS))
    if unknown:
        raise ValueError(f"no such metric or dimension: {', '.join(unknown)}")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedMetrics:
    """Writes embedded metrics to a stream; implements `worker.ports.Metrics`.

    Args:
        stream: The process's stdout, which the log driver carries to CloudWatch Logs.
        namespace: In CloudWatch.
        now: For the timestamp.
    """

    def __init__(self, stream: TextIO, namespace: str = NAMESPACE, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._stream = stream
        self._namespace = namespace
        self._now = now

    def emit(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], **properties: str) -> None:
        """Write one line. Figures are summed up by the first dimension alone and by all of them together.

        Args:
            values: Figures by the names in `Metric`; one that is not a finite number is left out.
            dimensions: Of `DIMENSIONS`.
            **properties: Stand beside the figures and can be searched for.

        Raises:
            ValueError: A name is in no table.
        """
        check(values, dimensions)
        finite = {label: value for label, value in values.items() if math.isfinite(value)}
        if not finite:
            return
        sets = [list(dimensions)[:1], list(dimensions)] if len(dimensions) > 1 else [list(dimensions)]
        document = {
            "_aws": {
                "Timestamp": int(self._now().timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": sets,
                        "Metrics": [{"Name": label, "Unit": _BY_LABEL[label].unit.value} for label in finite],
                    }
                ],
            },
            # What a caller calls a property must not cover a figure.
            **{name: text[:_MAX_TEXT] for name, text in properties.items()},
            **{name: text[:_MAX_TEXT] for name, text in dimensions.items()},
            **finite,
        }
        try:
            # One write, so that no log line gets in between.
            self._stream.write(json.dumps(document) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            # A full, broken or closed pipe costs a figure, never a message; the log may go the same way.
            with suppress(OSError, ValueError):
                log.warning("metrics not written", reason=str(error))
