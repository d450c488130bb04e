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


RESULTS = frozenset({CoverageState.COVERED, CoverageState.PARTIAL})
"""What a stored result leads to."""

WAITING = frozenset({CoverageState.PENDING, CoverageState.SCANNING, CoverageState.NO_ACCESS})
"""What a try says that came to nothing; of the same snapshot, a result says more."""

PASSING = frozenset(
    {
        CoverageState.PENDING,
        CoverageState.SCANNING,
        CoverageState.STALE,
        CoverageState.FAILED,
        CoverageState.NO_ACCESS,
        CoverageState.UNREADABLE,
    }
)
"""What is true until there is a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The state of one function.

    Attributes:
        function: Without qualifier.
        state: See `CoverageState`.
        reason: One line; empty for `COVERED`.
        at: When the state was written (aware, UTC).
        as_of: Which moment of the function it speaks of: the snapshot's `last_modified`, or when a deletion was seen.
            None where no snapshot was to be had (`NO_ACCESS`): such a state is an observation of `at`. An entry with an
            older `as_of` never replaces one with a newer.
        fingerprint: Of the snapshot, where there was one. Not kept from a coverage without `as_of`.
        last_good: The last result with status `success` or `partial`; survives every later state. None when a state is
            written means: as it was.
        runtime: Lambda's identifier, `image` for an image function. None when a state is written means: as it was.
        queued_at: When a sweep put it into the queue. None when a state is written means: as it was.
    """

    function: FunctionArn
    state: CoverageState
    at: datetime
    reason: str = ""
    as_of: datetime | None = None
    fingerprint: str | None = None
    last_good: ScanSummary | None = None
    runtime: str | None = None
    queued_at: datetime | None = None

    def replaces(self, stored: "Coverage | None") -> bool:
        """Whether this may be written over what is stored.

        - A newer `as_of` replaces an older one, never the other way round. This is the function's own time, by AWS's
          clock.
        - With equal `as_of`, `GONE` stands: a function that is there again was modified later. A result replaces what
          passes, whatever the clocks of the two workers say, and is not replaced by what waits: a worker that lost its
          message may write that late, and nobody comes to correct it. Else the later `at` wins; equal in both, the
          later write.
        - Without `as_of`, the later `at` wins, except over `GONE`: only a snapshot proves that a deleted function is
          there again, while a refused or filtered old event proves nothing.
        """
        if stored is None:
            return True
        if self.as_of is None:
            return stored.state is not CoverageState.GONE and stored.at <= self.at
        if stored.as_of is None:
            return True
        if stored.as_of != self.as_of:
            return stored.as_of < self.as_of
        if CoverageState.GONE in {stored.state, self.state}:
            return self.state is CoverageState.GONE
        if self.state in WAITING and stored.state in RESULTS:
            return False
        return stored.at <= self.at or (self.state in RESULTS and stored.state in PASSING)
