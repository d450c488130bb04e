"""What the ledger knows of many functions at once, in short: what the sweep compares and what coverage counts."""

from dataclasses import dataclass
from datetime import datetime

from hub.coverage import CoverageState
from spoke.arn import FunctionArn


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One function, as a sweep needs it: enough to tell whether its result is missing, stale or of other code.

    Attributes:
        function: Without qualifier, or a published version.
        state: See `CoverageState`.
        at: When the state was written (aware, UTC): with `state` it tells whether somebody has written since.
        reason: As `Coverage.reason`.
        as_of: As `Coverage.as_of`.
        fingerprint: Of the code that the state speaks of.
        profile_id: Of the scan profile of the last good result; None where there is no result, or none that says.
        fresh_until: Until when the last good result needs no renewal; None where there is none.
        queued_at: When a sweep last queued it; None if none ever did.
    """

    function: FunctionArn
    state: CoverageState
    at: datetime
    reason: str = ""
    as_of: datetime | None = None
    fingerprint: str | None = None
    profile_id: str | None = None
    fresh_until: datetime | None = None
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """One function in the index by account: what lists and counts of coverage need, and no more.

    Attributes:
        function: Without qualifier, or a published version.
        state: See `CoverageState`.
        at: When the state was written (aware, UTC).
        reason: As `Coverage.reason`.
        runtime: Lambda's identifier, `image` for an image function; None where nobody has seen the function itself.
        result_at: When the last good result was completed (aware, UTC); None where there is none.
    """

    function: FunctionArn
    state: CoverageState
    at: datetime
    reason: str = ""
    runtime: str | None = None
    result_at: datetime | None = None
