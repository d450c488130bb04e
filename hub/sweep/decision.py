"""What a sweep does about one function that it has listed, by what the ledger knows of it."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub import exclusion
from hub.coverage import RESULTS, CoverageState
from hub.settings import Settings
from hub.standing import Standing
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot

ON_THE_WAY = frozenset({CoverageState.PENDING, CoverageState.SCANNING, CoverageState.STALE})
"""A message is said to be under way, or a worker at it."""

QUEUED_FOR = timedelta(days=13)
"""For so long what was queued may still lie in a queue that is not empty: SQS keeps a message 14 days, as the templates
have it. The day less is for the sweep that comes next."""


class Verdict(StrEnum):
    """What becomes of a listed function."""

    QUEUE = "queue"
    FRESH = "fresh"
    WAITING = "waiting"
    EXCLUDED = "excluded"


class Why(StrEnum):
    """Why a function is queued."""

    MISSING = "missing"
    CHANGED = "changed"
    STALE = "stale"
    PROFILE = "profile"
    FAILED = "failed"
    LOST = "lost"

    @property
    def renews(self) -> bool:
        """Whether there is a result of this very code, which only is too old or of another profile."""
        return self in {Why.STALE, Why.PROFILE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Of a listed function, what is needed to decide, and to write down.

    Attributes:
        function: Without qualifier, or a published version.
        as_of: When it was last modified (aware, UTC).
        fingerprint: None where the list gave no hash of the code.
        runtime: See `FunctionSnapshot.runtime_name`.
    """

    function: FunctionArn
    as_of: datetime
    fingerprint: str | None = None
    runtime: str | None = None

    @classmethod
    def of(cls, snapshot: FunctionSnapshot) -> "Listed":
        """From a page of the list."""
        runtime = snapshot.runtime_name
        return cls(
            function=snapshot.arn,
            as_of=snapshot.last_modified,
            fingerprint=snapshot.fingerprint if snapshot.code_sha256 else None,
            # One text for all, instead of one for each function.
            runtime=runtime and sys.intern(runtime),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a function.

    Attributes:
        verdict: See `Verdict`.
        why: With `QUEUE`.
        reason: With `EXCLUDED`: one line.
    """

    verdict: Verdict
    why: Why | None = None
    reason: str = ""


FRESH = Decision(Verdict.FRESH)
WAITING = Decision(Verdict.WAITING)
QUEUED = {why: Decision(Verdict.QUEUE, why) for why in Why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what is decided.

    Attributes:
        settings: Of accounts, names and tags that are excluded, and after how many hours a try is repeated.
        profile_id: Of the scan profile that results must have.
        exclude: Further patterns of names, of this sweep.
        is_backlog: Whether the queue of sweeps held something that no worker had come to, when this sweep began.
    """

    settings: Settings
    profile_id: str
    exclude: tuple[str, ...] = ()
    is_backlog: bool = False

    @property
    def patience(self) -> timedelta:
        """For so long a function that is under way, or has failed, is left alone."""
        return timedelta(hours=self.settings.sweep_retry_hours)

    def excluded(self, function: FunctionArn, *, tagged: bool | None) -> str | None:
        """Why this function is not to be scanned, or None."""
        of_name = exclusion.by_account(function, self.settings) or exclusion.by_name(
            function, self.settings, also=self.exclude
        )
        return of_name or (exclusion.tagged(self.settings) if tagged else None)

    def is_by_tag(self, standing: Standing | None) -> bool:
        """Whether the function is known to carry the excluding tag."""
        return (
            standing is not None
            and standing.state is CoverageState.EXCLUDED
            and standing.reason == exclusion.tagged(self.settings)
        )


def decide(listed: Listed, standing: Standing | None, rules: Rules, *, tagged: bool | None, now: datetime) -> Decision:
    """What becomes of one listed function.

    Args:
        listed: As it is.
        standing: What the ledger knows of it; None where it knows nothing.
        rules: See `Rules`.
        tagged: Whether it carries the excluding tag; None where that is not known, since nobody asked or may ask.
        now: Aware, UTC.
    """
    reason = rules.excluded(listed.function, tagged=tagged)
    if reason is not None:
        return Decision(Verdict.EXCLUDED, reason=reason)
    if standing is None or standing.state is CoverageState.GONE:
        return QUEUED[Why.MISSING]
    if standing.state is CoverageState.EXCLUDED:
        if tagged is None and rules.is_by_tag(standing) and now - standing.at < rules.patience:
            # Only a worker, who sees the tags, can tell whether it still is; it is asked now and then.
            return Decision(Verdict.EXCLUDED, reason=standing.reason)
        return QUEUED[Why.MISSING]
    if standing.state in ON_THE_WAY and not _is_outlived(standing):
        # Whoever wrote last had the message in hand: so long at least it was not lost.
        heard = max(standing.at, standing.queued_at or standing.at)
        if _may_lie_in_the_queue(standing, rules, now):
            heard = now
        return WAITING if now - heard < rules.patience else QUEUED[Why.LOST]
    if _is_changed(listed, standing):
        return QUEUED[Why.CHANGED]
    if standing.state in RESULTS or standing.state is CoverageState.STALE:
        return _of_result(standing, rules, now)
    return WAITING if now - standing.at < rules.patience else QUEUED[Why.FAILED]


def _of_result(standing: Standing, rules: Rules, now: datetime) -> Decision:
    why = renewal(standing, rules, now)
    if why is None and standing.state is CoverageState.STALE:
        # It counts again, by the profile of now. Only a worker can tell whether it is whole.
        why = Why.STALE
    return FRESH if why is None else QUEUED[why]


def renewal(standing: Standing, rules: Rules, now: datetime) -> Why | None:
    """Why the last good result does not count any more: `PROFILE` or `STALE`; None where it does."""
    if standing.profile_id != rules.profile_id:
        return Why.PROFILE
    if standing.fresh_until is None or standing.fresh_until <= now:
        return Why.STALE
    return None


def _may_lie_in_the_queue(standing: Standing, rules: Rules, now: datetime) -> bool:
    """Whether its message may be one of those that no worker has come to yet."""
    return (
        rules.is_backlog
        and standing.state is not CoverageState.SCANNING
        and standing.queued_at is not None
        # Who has written since speaks of another message: that of a change, which lies in a queue of its own, or of
        # this one, taken out since.
        and standing.at <= standing.queued_at
        and now - standing.queued_at < QUEUED_FOR
    )


def _is_changed(listed: Listed, standing: Standing) -> bool:
    """Whether the list shows other code than what is known, and is not an older word than that."""
    return (
        listed.fingerprint is not None
        and standing.fingerprint is not None
        and listed.fingerprint != standing.fingerprint
        and (standing.as_of is None or listed.as_of >= standing.as_of)
    )


def _is_outlived(standing: Standing) -> bool:
    """Whether the state is `STALE`, but nobody has queued it: who does so notes a moment later than the state's."""
    return standing.state is CoverageState.STALE and (standing.queued_at is None or standing.queued_at < standing.at)
