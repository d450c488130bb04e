"""The coverage of a function: one state, the reason, and the last good result."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.scans import CLOCK_SKEW, ScanSummary
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

UNDER_WAY = frozenset({CoverageState.PENDING, CoverageState.SCANNING})
"""A try is to come or runs: whoever has it in hand comes back to say how it ended."""

SETTLED = frozenset({CoverageState.FAILED, CoverageState.UNREADABLE, CoverageState.EXCLUDED})
"""The last word on a message that brought no result: nobody comes back to say it again."""

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
        function: Without qualifier, or a published version.
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
        - Wherever `at` decides between what is settled and what is under way, the latter wins only if it is later by
          more than `CLOCK_SKEW`, in whichever order the two are written. Within that the clocks of two workers tell no
          order, and what is hidden of a new try for some seconds its own ending shows; a last word that is hidden is
          never said again.
        """
        if stored is None:
            return True
        if self.as_of is None:
            return stored.state is not CoverageState.GONE and self._is_later_than(stored)
        if stored.as_of is None:
            return True
        if stored.as_of != self.as_of:
            return stored.as_of < self.as_of
        if CoverageState.GONE in {stored.state, self.state}:
            return self.state is CoverageState.GONE
        if self.state in WAITING and stored.state in RESULTS:
            return False
        return self._is_later_than(stored) or (self.state in RESULTS and stored.state in PASSING)

    def _is_later_than(self, stored: "Coverage") -> bool:
        """By the clocks of those who wrote them."""
        if self.state in SETTLED and stored.state in UNDER_WAY:
            return stored.at <= self.at + CLOCK_SKEW
        if self.state in UNDER_WAY and stored.state in SETTLED:
            return stored.at < self.at - CLOCK_SKEW
        return stored.at <= self.at
