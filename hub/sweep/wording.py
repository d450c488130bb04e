"""What a sweep writes into the ledger and into the queue."""

from datetime import datetime

from hub.coverage import Coverage, CoverageState
from hub.scans import CLOCK_SKEW
from hub.standing import Standing
from hub.sweep.decision import Listed, Why
from spoke.arn import FunctionArn
from spoke.own_requests import RequestReason, scan_request

_QUEUED = {
    Why.MISSING: "queued by a sweep: it has no result",
    Why.CHANGED: "queued by a sweep: its code has changed",
    Why.STALE: "queued by a sweep: its result is too old",
    Why.PROFILE: "queued by a sweep: its result is of another scan profile",
    Why.FAILED: "queued by a sweep: the last try failed",
    Why.LOST: "queued by a sweep again: nothing came of the last message",
}

_OUTLIVED = {
    Why.STALE: "its result is too old, and ",
    Why.PROFILE: "its result is of another scan profile, and ",
}


def request(function: FunctionArn, why: Why) -> tuple[str, str]:
    """The body for the queue, and its group."""
    reason = RequestReason.RESCAN if why.renews else RequestReason.SWEEP
    return scan_request(function, reason=reason), function.account


def queued(listed: Listed, standing: Standing | None, why: Why, now: datetime) -> Coverage:
    """That the function waits for a scan. A last good result, if there is one, stays noted with it."""
    as_of, fingerprint = _content(listed, standing)
    return Coverage(
        function=listed.function,
        state=CoverageState.STALE if why.renews else CoverageState.PENDING,
        reason=_QUEUED[why],
        # The message is out already: a worker with a clock that is behind ours may have the last word on it any moment.
        at=now - CLOCK_SKEW,
        as_of=as_of,
        fingerprint=fingerprint,
        runtime=listed.runtime,
        queued_at=now,
    )


def excluded(listed: Listed, standing: Standing | None, reason: str, now: datetime) -> Coverage:
    """That the function is not to be scanned."""
    as_of, fingerprint = _content(listed, standing)
    return Coverage(
        function=listed.function,
        state=CoverageState.EXCLUDED,
        reason=reason,
        at=now,
        as_of=as_of,
        fingerprint=fingerprint,
        runtime=listed.runtime,
    )


def gone(function: FunctionArn, reason: str, *, began: datetime, now: datetime) -> Coverage:
    """That the function was not there when it was looked for.

    Args:
        function: As the ledger knows it.
        reason: One line.
        began: When the list began in which it is missing: what was created later may be missing too.
        now: Aware, UTC.
    """
    return Coverage(function=function, state=CoverageState.GONE, reason=reason, at=now, as_of=began)


def outlived(standing: Standing, why: Why, hindrance: str, now: datetime) -> Coverage:
    """That the function's result does not count any more. It stays noted, with what else is known of the function.

    Args:
        standing: What is known.
        why: `STALE` or `PROFILE`.
        hindrance: Why it is not renewed, as the end of a sentence.
        now: Aware, UTC. Later than whatever sweep has queued it: so it is seen that no message is under way.
    """
    return Coverage(
        function=standing.function, state=CoverageState.STALE, reason=f"{_OUTLIVED[why]}{hindrance}", at=now
    )


def is_outlived(reason: str) -> bool:
    """Whether a reason is one that `outlived` gave."""
    return reason.startswith(tuple(_OUTLIVED.values()))


def _content(listed: Listed, standing: Standing | None) -> tuple[datetime, str | None]:
    """Of which moment and code the new state speaks: the newer word, and of a function that was gone, the list's."""
    if (
        standing is None
        or standing.state is CoverageState.GONE
        or standing.as_of is None
        or listed.as_of >= standing.as_of
    ):
        return listed.as_of, listed.fingerprint
    return standing.as_of, standing.fingerprint
