"""When the hub last heard of each account and region: the newest change event that reached it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The newest change event of one account and region, as far as it was written down.

    A worker writes at most once an hour for each, so what really came last may be up to an hour newer. Replayed events
    and requests of our own do not count: they say nothing of the way from the account to the hub.

    Attributes:
        account: Twelve digits, by the event's envelope.
        region: Of the envelope.
        event_at: The event's own time, CloudTrail's `eventTime` (aware, UTC); never later than `received_at`.
        received_at: When it entered the hub's queue, by SQS's clock (aware, UTC).
    """

    account: str
    region: str
    event_at: datetime
    received_at: datetime
