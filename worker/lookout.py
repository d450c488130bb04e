"""Notes when each account and region was last heard of, beside the journeys and at next to no cost."""

import asyncio

import structlog

from hub.message import Message
from hub.sightings import Sighting
from spoke.errors import ScanhubError
from spoke.events import Change, ChangeKind
from worker.ports import Ledger

log = structlog.get_logger()

EVERY = 3600.0
"""Seconds between two writes for one account and region: silence is judged by days, and each write is paid for."""

LAST_WORDS = 2.0
"""Seconds that a worker which stops gives to what is being written."""

Place = tuple[str, str]


class Lookout:
    """Writes sightings down, one at a time, so that they take no connection from the journeys but one.

    Whatever goes wrong with it costs a line in the log: the next event of that account and region tries again.

    Args:
        ledger: Where they are written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rest_until: dict[Place, float] = {}
        self._waiting: dict[Place, Sighting] = {}
        self._writing: asyncio.Task[None] | None = None

    def saw(self, change: Change, message: Message) -> None:
        """An event has come, whatever becomes of it. Returns at once.

        Only what came the whole way counts: not a request of our own, nor what the archive's replay brings.
        """
        place = change.account, change.region
        loop = asyncio.get_running_loop()
        if self._rest_until.get(place, 0.0) > loop.time():
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
        if self._writing is None:
            self._writing = loop.create_task(self._write())

    async def settled(self) -> None:
        """Wait until what was seen is written, but not for long; then give it up."""
        if self._writing is not None:
            _, late = await asyncio.wait([self._writing], timeout=LAST_WORDS)
            for task in late:
                task.cancel()

    async def _write(self) -> None:
        # It goes on for others than the journey that began it.
        structlog.contextvars.clear_contextvars()
        try:
            while self._waiting:
                place, sighting = next(iter(self._waiting.items()))
                del self._waiting[place]
                self._rest_until[place] = asyncio.get_running_loop().time() + EVERY
                await self._try(place, sighting)
        finally:
            self._writing = None

    async def _try(self, place: Place, sighting: Sighting) -> None:
        try:
            await self._ledger.sight(sighting)
        except Exception as error:  # noqa: BLE001  # no journey may suffer for it
            del self._rest_until[place]
            why = error.text if isinstance(error, ScanhubError) else repr(error)
            log.warning("sighting not written", account=sighting.account, region=sighting.region, reason=why)
