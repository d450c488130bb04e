"""What the service writes down of itself: its workers, whether it is paused, how fast changes were scanned."""

from dataclasses import dataclass
from datetime import date, datetime

from hub.scans import ScanProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerNote:
    """One running worker, by its own word of `seen_at`.

    Attributes:
        id: Random, of this process.
        version: Of scanhub.
        profile: What it scans with.
        slots: Scans at once.
        running: Scans that run.
        circuit: Why it takes no scans for Qualys's sake; empty where the circuit is closed.
        paused: Whether it has heeded a pause.
        started_at: Aware, UTC.
        seen_at: When it wrote this (aware, UTC). One that ends in good order takes its note away.
    """

    id: str
    version: str
    profile: ScanProfile
    slots: int
    running: int
    circuit: str = ""
    paused: bool = False
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Somebody has stopped the service from taking work.

    Attributes:
        by: Who, as AWS knows the caller (an ARN), or a local user.
        reason: One line, for people; may be empty.
        at: Aware, UTC.
    """

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveDay:
    """How fast the changes of one day were scanned, from the event's own time to the stored result.

    Attributes:
        day: By UTC, of the moment when the change was settled.
        target: Seconds within which a change is to be scanned: the longest that counted as within it on that day.
        changes: That were scanned, or given up (parked). Not: replayed ones, requests, ignored, excluded or gone ones,
            and those that another message's scan covered.
        within: Of them, scanned within the target.
        failed: Of them, given up.
        slowest: Seconds of the slowest that was scanned.
    """

    day: date
    target: int
    changes: int = 0
    within: int = 0
    failed: int = 0
    slowest: float = 0.0

    @property
    def share(self) -> float | None:
        """`within` of `changes`, 0 to 1; None on a day without changes."""
        return self.within / self.changes if self.changes else None
