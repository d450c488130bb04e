"""A queue in memory: visibility by the clock, receive counts, stale receipt handles, as in SQS."""

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES
from hub.message import Depth, Message, Parking, Source
from worker.memory.hooks import OnCall, operation
from worker.ports import Clock

ENTRIES_A_RECEIVE = 10
"""SQS gives so many messages in one receive."""

ENTRIES_A_BATCH = 10
"""SQS takes so many messages in one call (SQS quotas)."""

DELETED_KEPT = 1000
"""So many deleted messages, the newest, can be brought back."""


@dataclass(slots=True, kw_only=True)
class StoredMessage:
    """One message in the queue.

    Attributes:
        id: The same for every delivery.
        body: As sent.
        group: The account, for SQS's fair queues; empty where none was named.
        sent_at: Aware, UTC.
        visible_at: From then on it can be received.
        receive_count: How often it was.
        receipt_handle: Of the newest delivery; empty before the first.
        brought_back: Whether it was deleted once already; the next time is for good.
    """

    id: str
    body: str
    group: str
    sent_at: datetime
    visible_at: datetime
    receive_count: int = 0
    receipt_handle: str = ""
    brought_back: bool = False


class MemoryQueue:
    """A standard queue and its dead-letter queue.

    Args:
        source: Which of the two queues this is.
        clock: Decides what is visible. A receive that waits does so by the event loop's time.
        visibility: For how long a received message stays invisible unless it is extended.
        on_call: Awaited before and after the effect of each operation.

    Attributes:
        parked: The bodies in the dead-letter queue, each with why it is there.
    """

    def __init__(self, *, source: Source, clock: Clock, visibility: timedelta, on_call: OnCall | None = None) -> None:
        self.parked: list[tuple[str, Parking]] = []
        self.on_call = on_call
        self._source = source
        self._clock = clock
        self._visibility = visibility
        self._stored: dict[str, StoredMessage] = {}
        self._deleted: dict[str, StoredMessage] = {}
        self._handles: set[str] = set()
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    @property
    def source(self) -> Source:
        """Which of the two queues this is."""
        return self._source

    @property
    def messages(self) -> Sequence[StoredMessage]:
        """What is in the queue, visible or not, oldest first."""
        return tuple(self._stored.values())

    @property
    def deleted(self) -> Sequence[str]:
        """The ids of deleted messages that can be brought back, in the order of their deletion."""
        return tuple(self._deleted)

    async def receive(self, limit: int, *, wait: float) -> Sequence[Message]:
        """Up to `limit` (1-10) messages, oldest first; waits up to `wait` seconds for the first."""
        async with operation("receive", self.on_call):
            deadline = asyncio.get_running_loop().time() + wait
            while not (received := self._take(min(limit, ENTRIES_A_RECEIVE))):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    break
                await self._change_within(min(left, self._until_next()))
        return received

    async def extend(self, messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
        """Keep them invisible for `visibility` from now, within the 12 hours of each; returns those that failed."""
        failed = []
        async with operation("extend", self.on_call):
            now = self._clock.now()
            for message in messages:
                stored, seconds = self._in_flight(message, now), message.visibility(visibility, now)
                if stored is None or not seconds:
                    failed.append(message)
                else:
                    stored.visible_at = now + timedelta(seconds=seconds)
        return failed

    async def give_back(self, message: Message, delay: timedelta) -> None:
        """Let it come again after `delay`, within its 12 hours. One that is not ours any more is not an error."""
        async with operation("give_back", self.on_call):
            now = self._clock.now()
            stored = self._in_flight(message, now)
            if stored is not None:
                stored.visible_at = now + timedelta(seconds=message.visibility(delay, now))
                self._wake()

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Delete them; returns those for which that failed.

        A stale receipt handle is what SQS warns of: the call succeeds, and the message stays.
        """
        async with operation("delete", self.on_call):
            return [message for message in messages if not self._delete(message)]

    async def park(self, message: Message, parking: Parking) -> None:
        """Put it into the dead-letter queue, then delete it here."""
        async with operation("park", self.on_call):
            self.parked.append((message.body, parking))
            self._delete(message)

    async def send(self, body: str, *, group: str = "") -> None:
        """Put a body into the queue."""
        async with operation("send", self.on_call):
            self._put(body, group)

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Put (body, group) pairs into the queue, ten in a call; returns those that were not taken: too long ones."""
        sendable = [one for one in requests if len(one[0].encode()) <= MAX_MESSAGE_BYTES]
        for start in range(0, len(sendable), ENTRIES_A_BATCH):
            async with operation("send_all", self.on_call):
                for body, group in sendable[start : start + ENTRIES_A_BATCH]:
                    self._put(body, group)
        return [one for one in requests if one not in sendable]

    async def depth(self) -> Depth:
        """How much lies in it."""
        async with operation("depth", self.on_call):
            now = self._clock.now()
            visible = sum(one.visible_at <= now for one in self._stored.values())
        return Depth(visible=visible, in_flight=len(self._stored) - visible, delayed=0)

    def deliver_again(self, message_id: str) -> None:
        """Make a message visible at once, though somebody holds it: SQS delivers at least once, not exactly once."""
        self._stored[message_id].visible_at = self._clock.now()
        self._wake()

    def deliver_deleted(self, message_id: str) -> None:
        """Make a deleted message visible: its deletion did not reach a server that was away and has a copy.

        SQS's guide tells of that under "at-least-once delivery". It works once for each message; the copy then is a
        message as any other, until it is deleted too.

        Raises:
            KeyError: No such message was deleted, or it was brought back before, or too many were deleted since.
        """
        stored = self._deleted.pop(message_id)
        # The handle that deleted the message does not delete its copy.
        stored.receipt_handle, stored.visible_at, stored.brought_back = "", self._clock.now(), True
        self._stored[message_id] = stored
        self._wake()

    def _put(self, body: str, group: str) -> None:
        now, number = self._clock.now(), next(self._numbers)
        # Repeatable, and as unique among queues as SQS's own: a lease names a message by its id alone.
        message_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._source.value}/{number}"))
        self._stored[message_id] = StoredMessage(id=message_id, body=body, group=group, sent_at=now, visible_at=now)
        self._wake()

    def _take(self, limit: int) -> list[Message]:
        now = self._clock.now()
        due = (one for one in self._stored.values() if one.visible_at <= now)
        received = []
        for one in itertools.islice(due, limit):
            one.receive_count += 1
            one.receipt_handle = f"{one.id}#{one.receive_count}"
            one.visible_at = now + self._visibility
            self._handles.add(one.receipt_handle)
            received.append(
                Message(
                    id=one.id,
                    body=one.body,
                    receipt_handle=one.receipt_handle,
                    receive_count=one.receive_count,
                    sent_at=one.sent_at,
                    received_at=now,
                    source=self._source,
                )
            )
        return received

    def _in_flight(self, message: Message, now: datetime) -> StoredMessage | None:
        stored = self._stored.get(message.id)
        if stored is None or stored.receipt_handle != message.receipt_handle or stored.visible_at <= now:
            return None
        return stored

    def _delete(self, message: Message) -> bool:
        """Whether SQS would call it a success: for any handle that it once gave, also a stale one."""
        stored = self._stored.get(message.id)
        if stored is not None and stored.receipt_handle == message.receipt_handle:
            del self._stored[message.id]
            if not stored.brought_back:
                self._deleted[message.id] = stored
            if len(self._deleted) > DELETED_KEPT:
                del self._deleted[next(iter(self._deleted))]
        return message.receipt_handle in self._handles

    def _until_next(self) -> float:
        """Seconds until something becomes visible by itself."""
        now = self._clock.now()
        return min(((one.visible_at - now).total_seconds() for one in self._stored.values()), default=float("inf"))

    async def _change_within(self, seconds: float) -> None:
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            pass

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
