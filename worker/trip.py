"""Where one message stands on its journey, and how the journey ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from hub.coverage import CoverageState
from hub.message import Message
from hub.scans import ScanSummary
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.changes import Change, ChangeKind
from spoke.errors import ScanhubError
from spoke.snapshot import FunctionSnapshot


class Stage(StrEnum):
    """The steps of the journey, in their order."""

    READ = "read"
    LOOK_UP = "look up"
    WAIT = "wait"
    DESCRIBE = "describe"
    CLAIM = "claim"
    SCAN = "scan"
    STORE = "store"
    COMMIT = "commit"
    EFFECTS = "effects"
    ENDED = "ended"


class EndingKind(StrEnum):
    """How a journey ended."""

    STORED = "stored"
    COVERED = "covered"
    COALESCED = "coalesced"
    IGNORED = "ignored"
    EXCLUDED = "excluded"
    GONE = "gone"
    PARKED = "parked"
    GIVEN_BACK = "given back"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a journey ended, and with it what becomes of the message.

    Attributes:
        kind: `parked`, `given back` and `lost` (not ours any more) say so; every other kind deletes the message.
        reason: A stable word, such as `account_mismatch`; empty where the kind says it all.
        detail: One line for a person.
        delay: With `given back`: after which time it comes again.
        fault: With `given back`: what concerns more than this message (`HostFault`, `Misconfigured`).
    """

    kind: EndingKind
    reason: str = ""
    detail: str = ""
    delay: timedelta = timedelta(0)
    fault: ScanhubError | None = None


@dataclass(slots=True)
class Trip:
    """One message on its journey; the journey fills it in as it learns more.

    Attributes:
        message: As received.
        turn: Of the Qualys circuit, when it was received.
        stage: The step it is at.
        change: What the body says, once it was read.
        snapshot: What GetFunction said, once it has answered.
        scan_id: Of its own scan, once it has claimed one.
        scan_duration: The scanner's own time, once it has ended.
        exit_code: How the scanner ended, once it has left something to store.
        summary: Of the result, once it is committed.
        stored_at: When that was; where an earlier delivery did it, when its scan had ended.
        state: The coverage state that this journey has left the function in; None if it has written none, or if what
            it last wrote was older than what stood there.
        history: The failures of this message so far, once one was written down.
        lost: Whether the message is not ours any more.
        paused: Whether the service was paused before its scan had begun.
        ending: How it ended, once it did.
    """

    message: Message
    turn: int = 0
    stage: Stage = Stage.READ
    change: Change | None = None
    snapshot: FunctionSnapshot | None = None
    scan_id: str | None = None
    scan_duration: timedelta | None = None
    exit_code: str = ""
    summary: ScanSummary | None = None
    stored_at: datetime | None = None
    state: CoverageState | None = None
    history: tuple[Failure, ...] = ()
    lost: bool = False
    paused: bool = False
    ending: Ending | None = None

    @property
    def function(self) -> FunctionArn | None:
        """The function it is about, or the published version that was asked for, once that is known."""
        return self.change.function if self.change is not None else None

    @property
    def latency(self) -> timedelta | None:
        """From a change's own time to its stored result, never below zero; None where that tells nothing.

        A request of our own is no change. The archive's replay brings what happened days ago, and would only show when
        somebody began it.
        """
        change = self.change
        if self.stored_at is None or change is None or change.at is None:
            return None
        if change.kind is ChangeKind.REQUESTED or change.replay is not None:
            return None
        # CloudTrail's clock and the worker's may differ by a little.
        return max(self.stored_at - change.at, timedelta(0))

    @property
    def has_begun(self) -> bool:
        """Whether its scan has begun: from here on it is worth waiting for."""
        return self.stage in {Stage.SCAN, Stage.STORE, Stage.COMMIT, Stage.EFFECTS}


class Observer(Protocol):
    """Somebody who watches: a progress table, a test."""

    def moved(self, trip: Trip) -> None:
        """The trip reached a new stage, or ended."""
        ...


class Unobserved:
    """Nobody watches."""

    def moved(self, trip: Trip) -> None:
        """Nothing."""
