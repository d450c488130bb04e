"""Keeps every held message invisible to others: those that are scanned, and those that wait."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from hub.message import Message
from spoke.errors import Retry
from worker.ports import Clock, Queue

log = structlog.get_logger()

BEATS = 3
"""Beats within one visibility timeout: two may fail before a message is lost."""


@dataclass(slots=True)
class Hold:
    """One held message.

    Attributes:
        message: The delivery.
        visible_at: When it would be visible to others again.
        lose: Called once, if the message could not be kept.
    """

    message: Message
    visible_at: datetime
    lose: Callable[[], None]


class Heartbeat:
    """Extends the visibility of what is held in one queue.

    Args:
        queue: Where the messages came from.
        clock: The wall clock.
        visibility: The visibility timeout that the queue's receive has set, and that each beat sets anew.
    """

    def __init__(self, queue: Queue, clock: Clock, visibility: timedelta) -> None:
        self._queue = queue
        self._clock = clock
        self._visibility = visibility
        self._holds: dict[str, Hold] = {}
        self._beating = asyncio.Lock()

    def hold(self, message: Message, lose: Callable[[], None]) -> None:
        """Keep this message from now on; `lose` is called if that fails.

        An earlier delivery of the same message that is held here too is lost by this: its receipt handle is stale.
        """
        earlier = self._holds.get(message.id)
        self._holds[message.id] = Hold(message, message.received_at + self._visibility, lose)
        if earlier is not None:
            log.warning("message lost", message_id=message.id, reason="it was delivered again, to this very worker")
            earlier.lose()

    def let_go(self, message: Message) -> None:
        """It was deleted, parked or given back. A newer delivery of the same message is not touched."""
        held = self._holds.get(message.id)
        if held is not None and held.message.receipt_handle == message.receipt_handle:
            del self._holds[message.id]

    def kept_until(self, message: Message) -> datetime | None:
        """Before this moment nobody else receives this message; None if this delivery of it is not held here."""
        held = self._holds.get(message.id)
        if held is None or held.message.receipt_handle != message.receipt_handle:
            return None
        return held.visible_at

    async def part_with(self, message: Message) -> None:
        """Let go of it, once a beat in flight has ended: that would undo the delay with which it is given back."""
        self.let_go(message)
        async with self._beating:
            pass

    def __len__(self) -> int:
        return len(self._holds)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(self._visibility.total_seconds() / BEATS)
            await self.beat()

    async def beat(self) -> None:
        """Extend everything once. What could not be extended, and will be visible before the next beat, is lost."""
        holds = list(self._holds.values())
        if not holds:
            return
        async with self._beating:
            await self._extend(holds)

    async def _extend(self, holds: Sequence[Hold]) -> None:
        asked_at = self._clock.now()
        try:
            until_visible = min(hold.visible_at for hold in holds) - asked_at
            limit = min(self._visibility / BEATS, max(until_visible, timedelta(0)))
            async with asyncio.timeout(limit.total_seconds()):
                failed = await self._queue.extend([hold.message for hold in holds], self._visibility)
        except (Retry, TimeoutError) as error:
            log.warning("heartbeat failed", reason=str(error) or "no answer in time", held=len(holds))
            self._lose_what_ran_out()
            return
        refused = {message.receipt_handle for message in failed}
        for hold in holds:
            if hold.message.receipt_handle in refused:
                self._lose(hold)
            else:
                hold.visible_at = asked_at + self._visibility

    def _lose_what_ran_out(self) -> None:
        next_beat = self._clock.now() + self._visibility / BEATS
        for hold in list(self._holds.values()):
            if hold.visible_at <= next_beat:
                self._lose(hold)

    def _lose(self, hold: Hold) -> None:
        if self._holds.get(hold.message.id) is hold:
            del self._holds[hold.message.id]
            log.warning("message lost", message_id=hold.message.id, reason="its visibility could not be extended")
            hold.lose()
