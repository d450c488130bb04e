"""Notes when each account and region was last heard of, beside the journeys and at next to no cost."""

import asyncio
from collections.abc import Awaitable

import structlog

from hub.message import Message
from hub.sightings import Sighting
from spoke.changes import Change, ChangeKind
from spoke.errors import words_of
from worker.ports import Ledger
from worker.side_writer import SideWriter

log = structlog.get_logger()

EVERY = 3600.0
"""Seconds between two writes for one account and region: silence is judged by days, and each write is paid for."""

Place = tuple[str, str]


class Lookout:
    """Writes sightings down, one at a time.

    Whatever goes wrong with it costs a line in the log: the next event of that account and region tries again.

    Args:
        ledger: Where they are written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rest_until: dict[Place, float] = {}
        self._waiting: dict[Place, Sighting] = {}
        self._writer = SideWriter(self._next)

    def saw(self, change: Change, message: Message) -> None:
        """An event has come, whatever becomes of it. Returns at once.

        Only what came the whole way counts: not a request of our own, nor what the archive's replay brings.
        """
        place = change.account, change.region
        if self._rest_until.get(place, 0.0) > asyncio.get_running_loop().time():
            return
        if change.kind is ChangeKind.REQUESTED or change.replay is not None or change.at is None:
            return
        waiting = self._waiting.get(place)
        # Nothing was received before it happened; a time ahead of ours would hide all that comes after it.
        event_at = min(change.at, message.sent_at)
        if waiting is not None and waiting.event_at >= event_at:
            return
        self._waiting[place] = Sighting(
            account=change.account, region=change.region, event_at=event_at, received_at=message.sent_at
        )
        self._writer.begin()

    async def settled(self) -> None:
        """Wait until what was seen is written, but not for long; then give it up."""
        await self._writer.settled()

    def _next(self) -> Awaitable[None] | None:
        if not self._waiting:
            return None
        place, sighting = next(iter(self._waiting.items()))
        del self._waiting[place]
        self._rest_until[place] = asyncio.get_running_loop().time() + EVERY
        return self._try(place, sighting)

    async def _try(self, place: Place, sighting: Sighting) -> None:
        try:
            await self._ledger.sight(sighting)
        except Exception as error:  # noqa: BLE001  # no journey may suffer for it
            del self._rest_until[place]
            reason = words_of(error)
            log.warning("sighting not written", account=sighting.account, region=sighting.region, reason=reason)
