"""One message as received, and what is known of a queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.tries import Failure

MAX_VISIBILITY_SECONDS = 43_200
"""SQS keeps a message invisible for at most 12 hours, counted from the receive (SQS quotas)."""

MARGIN_SECONDS = 60
"""SQS counts from before its answer reached us; a minute covers the way, a retry and a clock that was set right."""


class Source(StrEnum):
    """Which queue a message came from."""

    CHANGES = "changes"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of one message.

    Attributes:
        id: The same for every delivery.
        body: An EventBridge envelope, untrusted.
        receipt_handle: Of this delivery; only the newest deletes.
        receive_count: 1 at the first delivery.
        sent_at: When it entered the queue (aware, UTC).
        received_at: When this delivery was received, by the worker's clock; the 12 hours count from here.
        source: Its queue.
    """

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    sent_at: datetime
    received_at: datetime
    source: Source = Source.CHANGES

    def visibility(self, wanted: timedelta, now: datetime) -> int:
        """Whole seconds to ask of SQS now: `wanted`, cut to what is left of the 12 hours; 0 if nothing is."""
        held = max(now - self.received_at, timedelta(0))  # a clock may have been set back
        left = timedelta(seconds=MAX_VISIBILITY_SECONDS - MARGIN_SECONDS) - held
        return max(int(min(wanted, left).total_seconds()), 0)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds; SQS's figures are approximate."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Parking:
    """Why a message goes to the dead-letter queue. Becomes its attributes.

    Attributes:
        reason: A stable word, such as `malformed` or `account_mismatch`.
        detail: One line or a redacted tail of stderr; cut to what an attribute may hold.
        function: The ARN without qualifier, or of a published version; empty where the body named none.
        attempts: How often the message was received.
        at: When it was parked (aware, UTC).
        history: Every failed try, oldest first; empty for what is parked without a try.
    """

    reason: str
    detail: str
    function: str
    attempts: int
    at: datetime
    history: tuple[Failure, ...] = ()
