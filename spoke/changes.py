"""What the body of a message asks for, once it is read: a change of a function, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from spoke.arn import FunctionArn
from spoke.envelope import Malformed


class ChangeKind(StrEnum):
    """What happened to a function."""

    CREATED = "created"
    CODE_UPDATED = "code_updated"
    CONFIGURATION_UPDATED = "configuration_updated"
    DELETED = "deleted"
    REQUESTED = "requested"


class IgnoredReason(StrEnum):
    """Why an event asks for nothing."""

    FAILED_CALL = "failed_call"
    DRY_RUN = "dry_run"
    OWN_TAGGING = "own_tagging"
    TAGGING = "tagging"
    VERSION_DELETED = "version_deleted"
    OTHER_CALL = "other_call"
    FOREIGN_SOURCE = "foreign_source"
    FOREIGN_DETAIL_TYPE = "foreign_detail_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a function, or somebody wants it scanned.

    Attributes:
        kind: What happened.
        function: Without qualifier; in a request of our own it may be a published version. Its account may differ from
            the envelope's: whoever acts on it compares them.
        account: The envelope's account.
        region: The envelope's region.
        at: When it happened (aware, UTC); None for a request of our own, whose envelope needs no time.
        event_id: The envelope's id; None for a request of our own.
        fingerprint: Of the function after the change, where the event tells it; else None.
        last_modified: The function's, after the change, where the event tells it (aware, UTC).
        reason: `event`, or the request's `sweep`, `manual` or `rescan`.
        force: Whether a fresh result is to be renewed all the same.
        replay: The name of the archive's replay that brought it; None for an event that comes for the first time.
    """

    kind: ChangeKind
    function: FunctionArn
    account: str
    region: str
    at: datetime | None = None
    event_id: str | None = None
    fingerprint: str | None = None
    last_modified: datetime | None = None
    reason: str = "event"
    force: bool = False
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A sound event that asks for nothing. `detail` is one short line."""

    reason: IgnoredReason
    detail: str = ""


Reading = Change | Ignored | Malformed
