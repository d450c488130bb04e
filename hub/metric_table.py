"""Every metric that the worker and the sweep may tell, with its unit, and every dimension."""

from collections.abc import Mapping
from enum import Enum

DIMENSIONS = frozenset({"Service", "Status", "Source"})
"""Each value of a dimension is a metric of its own, and is paid for: accounts and functions go in as properties."""


class Unit(Enum):
    """The units in use, of those that CloudWatch knows (MetricDatum in its API reference)."""

    COUNT = "Count"
    SECONDS = "Seconds"
    PERCENT = "Percent"


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
    PAUSED = ("Paused", Unit.COUNT)
    TRIES_FAILED = ("TriesFailed", Unit.COUNT)
    SWEPT_FUNCTIONS = ("SweptFunctions", Unit.COUNT)
    SWEEP_QUEUED = ("SweepQueued", Unit.COUNT)
    SWEEP_FAILURES = ("SweepFailures", Unit.COUNT)
    COVERED_SHARE = ("CoveredShare", Unit.PERCENT)

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


def check(values: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
    """Every adapter of the port asks this first, so that a wrong name shows in the first test that emits it.

    Raises:
        ValueError: A metric or dimension that is not in this module's tables.
    """
    unknown = sorted((values.keys() - UNITS.keys()) | (dimensions.keys() - DIMENSIONS))
    if unknown:
        raise ValueError(f"no such metric or dimension: {', '.join(unknown)}")
