"""The figures that the worker and the sweep tell: which metrics, dimensions and properties go together on one line."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NotRequired, TypedDict

from hub.coverage import CoverageState
from hub.message import Source
from hub.metric_table import Metric
from hub.scans import ScanStatus, ScanSummary, Severity
from hub.sweeps import SweepCounts
from spoke.arn import FunctionArn
from spoke.changes import Change

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
        "function": str(function.content),
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
    paused: bool = False,
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
        paused: Whether the worker takes no work because somebody has paused the service.
    """
    values = {
        Metric.RUNNING_SCANS: running,
        Metric.HELD_MESSAGES: held,
        Metric.SLOTS: slots,
        Metric.WAITING_MESSAGES: waiting,
        Metric.ACCOUNTS_PAUSED: accounts_paused,
        Metric.ACCOUNTS_WITHOUT_ACCESS: accounts_without_access,
        Metric.QUALYS_CIRCUIT_OPEN: circuit_open,
        Metric.PAUSED: paused,
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
        figures["function"] = str(function.content)
    if exit_code:
        figures["exit_code"] = exit_code
    return figures


def sweep_figures(counts: SweepCounts, *, covered_share: float | None = None) -> LoadFigures:
    """The figures of one sweep of the whole organization that has finished: their absence tells that none has.

    Args:
        counts: Of the whole run, whichever processes have worked on it.
        covered_share: Of the functions that are neither excluded nor gone, those with a result (0 to 1), where known.
    """
    values = {
        Metric.SWEPT_FUNCTIONS.label: float(counts.functions),
        Metric.SWEEP_QUEUED.label: float(counts.due),
        Metric.SWEEP_FAILURES.label: float(counts.failed),
    }
    if covered_share is not None:
        values[Metric.COVERED_SHARE.label] = 100 * covered_share
    return {"values": values, "dimensions": {"Service": "worker"}}
