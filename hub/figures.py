"""The figures that the worker tells: each metric with its unit, and which of them go together on one line."""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import NotRequired, TypedDict

from hub.coverage import CoverageState
from hub.message import Source
from hub.scans import ScanStatus, ScanSummary, Severity
from spoke.arn import FunctionArn
from spoke.events import Change

DIMENSIONS = frozenset({"Service", "Status", "Source", "Ending"})
"""Each value of a dimension is a metric of its own, and is paid for: accounts and functions go in as properties."""


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
    CHANGE_LATENCY = ("ChangeLatency", Unit.SECONDS)
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
    SLOTS = ("Slots", Unit.COUNT)
    ACCOUNTS_PAUSED = ("AccountsPaused", Unit.COUNT)
    ACCOUNTS_WITHOUT_ACCESS = ("AccountsWithoutAccess", Unit.COUNT)
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


UNITS = {metric.label: metric.unit for metric in Metric}
"""The unit of each metric by its name in CloudWatch."""

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


class LoadFigures(TypedDict):
    """What `Metrics.emit` takes for what a worker has in hand."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]


class ScanFigures(LoadFigures):
    """What `Metrics.emit` takes for a scan."""

    account: str
    region: str
    function: str
    scan_id: str
    exit_code: NotRequired[str]


class EndingFigures(LoadFigures):
    """What `Metrics.emit` takes for a message whose journey ended."""

    reason: str
    account: NotRequired[str]
    region: NotRequired[str]
    function: NotRequired[str]
    state: NotRequired[str]


class TryFigures(LoadFigures):
    """What `Metrics.emit` takes for a try that failed."""

    reason: str
    account: NotRequired[str]
    region: NotRequired[str]
    function: NotRequired[str]
    exit_code: NotRequired[str]


def scan_figures(
    function: FunctionArn, summary: ScanSummary, duration: timedelta | None = None, *, exit_code: str = ""
) -> ScanFigures:
    """The figures of one stored scan.

    Args:
        function: Which was scanned.
        summary: Of its result.
        duration: The scanner's own time, where it is known.
        exit_code: How the scanner ended: a number, the name of a signal, `timeout`; empty where that is not known.
    """
    values = {
        _BY_STATUS[summary.status].label: 1.0,
        Metric.SECRETS_FOUND.label: float(summary.secrets),
        Metric.PACKAGES_FOUND.label: float(summary.packages),
    }
    for severity, metric in _BY_SEVERITY.items():
        values[metric.label] = float(summary.severities.get(severity, 0))
    if duration is not None:
        values[Metric.SCAN_DURATION.label] = duration.total_seconds()
    figures: ScanFigures = {
        "values": values,
        "dimensions": {"Service": "worker", "Status": summary.status.value},
        "account": function.account,
        "region": function.region,
        "function": str(function.unqualified),
        "scan_id": summary.scan_id,
    }
    if exit_code:
        figures["exit_code"] = exit_code
    return figures


def ending_figures(
    ending: str,
    reason: str,
    source: Source,
    waited: timedelta,
    *,
    change: Change | None = None,
    state: CoverageState | None = None,
    latency: timedelta | None = None,
) -> EndingFigures:
    """The figures of one journey that ended.

    Args:
        ending: `stored`, `covered`, `coalesced`, `ignored`, `excluded`, `gone`, `parked`, `given back` or `lost`.
        reason: A stable word, or empty.
        source: The message's queue.
        waited: From when the message entered the queue until now.
        change: What the message said, where it could be read. Account and region are the envelope's: AWS's own word.
        state: The coverage state that the journey has left the function in, if it has written one.
        latency: From the change itself to its stored result, where there are both.
    """
    # A clock that is a little behind SQS's must not show as a negative wait.
    values = {_BY_ENDING[ending].label: 1.0, Metric.QUEUE_DELAY.label: max(0.0, waited.total_seconds())}
    if latency is not None:
        values[Metric.CHANGE_LATENCY.label] = max(0.0, latency.total_seconds())
    figures: EndingFigures = {
        "values": values,
        "dimensions": {"Service": "worker", "Source": source.value},
        "reason": reason,
    }
    if change is not None:
        figures["account"], figures["region"] = change.account, change.region
        figures["function"] = str(change.function)
    if state is not None:
        figures["state"] = state.value
    return figures


def load_figures(
    *,
    running: int,
    held: int,
    slots: int,
    waiting: int = 0,
    accounts_paused: int = 0,
    accounts_without_access: int = 0,
    circuit_open: bool = False,
) -> LoadFigures:
    """The figures of one worker at one moment.

    Args:
        running: Scans that have begun.
        held: Messages in hand, those included that wait.
        slots: Scans that this worker may run at once.
        waiting: Of the messages held, the ones that wait because their account has its share of scans.
        accounts_paused: Accounts that refused or throttled this worker, and are left alone for a while.
        accounts_without_access: Accounts that deny this worker access, also between a pause and the next try.
        circuit_open: Whether Qualys takes no scans at the moment.
    """
    values = {
        Metric.RUNNING_SCANS: running,
        Metric.HELD_MESSAGES: held,
        Metric.SLOTS: slots,
        Metric.WAITING_MESSAGES: waiting,
        Metric.ACCOUNTS_PAUSED: accounts_paused,
        Metric.ACCOUNTS_WITHOUT_ACCESS: accounts_without_access,
        Metric.QUALYS_CIRCUIT_OPEN: circuit_open,
    }
    return {
        "values": {metric.label: float(value) for metric, value in values.items()},
        "dimensions": {"Service": "worker"},
    }


def circuit_figures(open_: bool) -> LoadFigures:  # noqa: FBT001  # the function's name says what the flag is
    """The figure of the Qualys circuit at one of its turns: 1 while it is open or probed, else 0."""
    return {"values": {Metric.QUALYS_CIRCUIT_OPEN.label: float(open_)}, "dimensions": {"Service": "worker"}}


def try_figures(reason: str, *, function: FunctionArn | None = None, exit_code: str = "") -> TryFigures:
    """The figure of one try that failed, whether or not the message is tried again.

    Args:
        reason: A stable word.
        function: Where it is known.
        exit_code: As with `scan_figures`, where it was the scanner that failed.
    """
    figures: TryFigures = {
        "values": {Metric.TRIES_FAILED.label: 1.0},
        "dimensions": {"Service": "worker"},
        "reason": reason,
    }
    if function is not None:
        figures["account"], figures["region"] = function.account, function.region
        figures["function"] = str(function.unqualified)
    if exit_code:
        figures["exit_code"] = exit_code
    return figures


def check(values: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Every adapter of the port asks this first, so that a wrong name shows in the first test that emits it.

    Raises:
        ValueError: A metric or dimension that is not in this module's tables.
    """
    unknown = sorted((values.keys() - UNITS.keys()) | (dimensions.keys() - DIMENSIONS))
    if unknown:
        raise ValueError(f"no such metric or dimension: {', '.join(unknown)}")
