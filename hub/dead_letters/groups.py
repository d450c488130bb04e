"""Parked messages, counted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.dead_letters.message import ParkedMessage
from hub.message import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many of one queue, reason and account.

    Attributes:
        source: The queue that they were parked from.
        reason: See `ParkedMessage`.
        account: See `ParkedMessage`.
        count: How many.
        oldest: When the first of them was parked (aware, UTC),
        newest: and the last one.
    """

    source: Source
    reason: str
    account: str | None
    count: int
    oldest: datetime
    newest: datetime


def grouped(messages: Iterable[ParkedMessage]) -> list[Group]:
    """The counts, the largest first."""
    members: dict[tuple[Source, str, str | None], list[datetime]] = defaultdict(list)
    for one in messages:
        members[one.source, one.reason, one.account].append(one.at)
    groups = [
        Group(source=source, reason=reason, account=account, count=len(at), oldest=min(at), newest=max(at))
        for (source, reason, account), at in members.items()
    ]
    return sorted(groups, key=lambda one: (-one.count, one.source, one.reason, one.account or ""))
