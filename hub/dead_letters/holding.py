"""Everything in the dead-letter queues, held while somebody looks at it or decides what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from hub.dead_letters.message import ParkedMessage
from hub.dead_letters.queue import DeadLetters
from spoke.errors import ScanhubError

if TYPE_CHECKING:
    from hub.message import Source

log = structlog.get_logger()

RENEWALS = 3
"""Renewals within the visibility: two may fail."""

MOST = 100_000
"""Messages held of one queue. SQS lets no more than about 120,000 of a queue be in flight (SQS quotas)."""

WAIT_SECONDS = 1
"""A long poll asks all of SQS's servers; a short one may come back empty although messages are there."""

READERS = 4
"""Receives at once: one gives ten messages at the most."""


class Holding:
    """All that lies in some dead-letter queues, invisible to others until it is deleted or let go (see `hold`).

    Args:
        queues: Of different sources.
        most: Messages held of one queue.

    Attributes:
        elsewhere: About how many more somebody else held when this began.
        is_whole: Whether everything was read; a queue may hold more than `most`.
    """

    def __init__(self, queues: Iterable[DeadLetters], *, most: int = MOST) -> None:
        self._queues: Mapping[Source, DeadLetters] = {queue.source: queue for queue in queues}
        self._most = most
        self._held: dict[Source, dict[str, ParkedMessage]] = {source: {} for source in self._queues}
        self.elsewhere = 0
        self.is_whole = True

    @property
    def messages(self) -> list[ParkedMessage]:
        """The oldest first."""
        return sorted((one for held in self._held.values() for one in held.values()), key=lambda one: one.order)

    def has(self, one: ParkedMessage) -> bool:
        """Whether it is still ours; where SQS did not prolong our hold, somebody else may see it."""
        return one.id in self._held[one.source]

    async def delete(self, messages: Iterable[ParkedMessage]) -> list[ParkedMessage]:
        """Delete them for good; returns those for which that failed, among them what is not ours any more.

        Raises:
            Throttled, Unavailable, Misconfigured: SQS did not take it.
        """
        wanted = list(messages)
        failed = [one for one in wanted if not self.has(one)]
        for source, queue in self._queues.items():
            held = self._held[source]
            # By what we hold: it may have come once more meanwhile, and only the newest handle deletes.
            ours = {one.id: held[one.id] for one in wanted if one.source is source and self.has(one)}
            undeleted = {one.id for one in await queue.delete([one.message for one in ours.values()])}
            failed += [one for one in ours.values() if one.id in undeleted]
            for deleted in ours.keys() - undeleted:
                held.pop(deleted, None)
        return failed

    async def read(self) -> None:
        """Receive until nothing more is there.

        Raises:
            Throttled, Unavailable, Misconfigured: A queue cannot be read.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for queue in self._queues.values():
                    self.elsewhere += await queue.in_flight()
                    for _ in range(READERS):
                        tasks.create_task(self._read(queue))
        except* ScanhubError as group:
            raise group.exceptions[0] from None

    async def _read(self, queue: DeadLetters) -> None:
        held = self._held[queue.source]
        while True:
            received = await queue.receive(wait=WAIT_SECONDS)
            before = len(held)
            held.update((one.id, one) for one in received)
            if len(held) == before:
                # Nothing, or nothing but duplicates of SQS's: the end.
                return
            if len(held) >= self._most:
                self.is_whole = False
                return

    async def keep(self) -> None:
        """Prolong the hold again and again, until cancelled. What cannot be prolonged is not ours any more."""
        while True:
            pause = min(queue.visibility for queue in self._queues.values()) / RENEWALS
            await asyncio.sleep(pause.total_seconds())
            for source, queue in self._queues.items():
                held = self._held[source]
                try:
                    lost = await queue.extend([one.message for one in held.values()])
                except ScanhubError as error:
                    log.warning("parked messages not held for longer", reason=error.text)
                    continue
                for one in lost:
                    held.pop(one.id, None)

    async def release(self) -> None:
        """Let go of everything that is still held."""
        for source, queue in self._queues.items():
            await queue.release([one.message for one in self._held[source].values()])
            self._held[source].clear()


@asynccontextmanager
async def hold(queues: Iterable[DeadLetters], *, most: int = MOST) -> AsyncIterator[Holding]:
    """Everything in these queues, read to the end. What was not deleted is let go at the end, however that comes.

    Args:
        queues: Of different sources.
        most: Messages held of one queue.

    Raises:
        Throttled, Unavailable, Misconfigured: A queue cannot be read.
    """
    holding = Holding(queues, most=most)
    heartbeat = asyncio.create_task(holding.keep())
    try:
        await holding.read()
        yield holding
    finally:
        heartbeat.cancel()
        await asyncio.gather(heartbeat, return_exceptions=True)
        await holding.release()
