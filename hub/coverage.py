"""The coverage of a function: one state, the reason, and the last good result."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.scans import ScanSummary
from spoke.arn import FunctionArn


class CoverageState(StrEnum):
    """Every function seen has exactly one."""

    PENDING = "PENDING"
    SCANNING = "SCANNING"
    COVERED = "COVERED"
    PARTIAL = "PARTIAL"
    STALE = "STALE"
    FAILED = "FAILED"
    EXCLUDED = "EXCLUDED"
    NO_ACCESS = "NO_ACCESS"
    UNREADABLE = "UNREADABLE"
    GONE = "GONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The state of one function.

    Attributes:
        function: Without qualifier.
        state: See `CoverageState`.
        reason: One line; empty for `COVERED`.
        at: When the state was written (aware, UTC).
        as_of: Which moment of the function it speaks of: the snapshot's `last_modified`, or when a deletion was seen.
            None where no snapshot was to be had (`NO_ACCESS`): such a state is an observation of now. An entry with an
            older `as_of` never replaces one with a newer.
        fingerprint: Of the snapshot, where there was one.
        last_good: The last result with status `success` or `partial`; survives every later state.
    """

    function: FunctionArn
    state: CoverageState
    at: datetime
    reason: str = ""
    as_of: datetime | None = None
    fingerprint: str | None = None
    last_good: ScanSummary | None = None
