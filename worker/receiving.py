"""Receives what there is room for: until stopped, or until there is nothing more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from hub.message import Source
from spoke.errors import Retry
from worker import backoff
from worker.attendance import Attendance
from worker.carrier import Carrier
from worker.interruption import Interruption
from worker.outage import Outage
from worker.ports import Queue
from worker.room import Room
from worker.tally import Tally
from worker.world import World

log = structlog.get_logger()

RECEIVE_LIMIT = 10
"""Messages a receive (SQS API reference)."""

DRAIN_LOOK = 5.0
"""Seconds. While a long scan runs, so often a drain looks for what has come meanwhile."""

DRAIN_POLL = 1.0
"""Seconds. Long enough that SQS asks all its servers, which a poll of zero does not."""


class Receiving:
    """A worker's receiving loop.

    Args:
        queues: By source, in the order in which they are asked.
        world: Of this worker.
        interruption: Breaks off whatever the loop waits for; once it is final, nothing more is received.
        room: How much may be received.
        carrier: Takes what was received.
        attendance: Knows whether the service is paused.
        outage: Waits for Qualys.
        renew_credentials: Reads the Qualys secret anew; called after Qualys refused the token.
    """

    def __init__(
        self,
        queues: Mapping[Source, Queue],
        world: World,
        *,
        interruption: Interruption,
        room: Room,
        carrier: Carrier,
        attendance: Attendance,
        outage: Outage,
        renew_credentials: Callable[[], Awaitable[None]],
    ) -> None:
        self._queues = queues
        self._world = world
        self._interruption = interruption
        self._room = room
        self._carrier = carrier
        self._attendance = attendance
        self._outage = outage
        self._renew_credentials = renew_credentials

    async def until_stopped(self) -> None:
        """Receive on and on. A queue that does not answer is asked again after a growing pause."""
        failures = 0
        while not self._interruption.is_final:
            try:
                for source in self._queues:
                    if self._attendance.is_paused:
                        await self._interruption.of(self._attendance.resumed())
                    else:
                        await self._take(source, self._room.poll(source))
                failures = 0
            except Retry as error:
                failures += 1
                pause = backoff.after_failure(failures).total_seconds()
                log.warning("nothing received", reason=error.text, pause=round(pause, 1))
                await self._interruption.of(asyncio.sleep(pause))

    async def until_empty(self, tally: Tally) -> None:
        """Receive until there is nothing to receive and nothing runs.

        While the service is paused it is enough that nothing runs; the tally then says who has paused it.

        Raises:
            Retry: A queue does not answer.
        """
        while not self._interruption.is_final:
            taken = [await self._take(source, DRAIN_POLL) for source in self._queues]
            if any(taken):
                continue
            if running := list(self._carrier.running):
                ended = asyncio.wait(running, timeout=DRAIN_LOOK, return_when=asyncio.FIRST_COMPLETED)
                await self._interruption.of(ended)
            elif self._attendance.is_paused:
                tally.paused = self._attendance.pause
                return
            elif not any([(await queue.depth()).visible for queue in self._queues.values()]):
                return

    async def _take(self, source: Source, wait: float) -> int:
        """Receive as much as there is room for and send it on its way; returns how much that was."""
        if self._attendance.is_paused:
            return 0
        if self._world.circuit.is_open:
            await self._interruption.of(self._outage.wait_for_probe(self._renew_credentials))
            return 0
        if (restless := self._carrier.calm_at - asyncio.get_running_loop().time()) > 0:
            await self._interruption.of(asyncio.sleep(restless))
        room = await self._interruption.of(self._room.wait(source))
        # Things may have changed between the look at the room and here.
        if not room or self._takes_nothing:
            return 0
        receiving = self._queues[source].receive(min(room, RECEIVE_LIMIT), wait=wait)
        messages = await self._interruption.of(receiving) or ()
        for message in messages:
            self._carrier.start(message)
        self._room.took(source, len(messages))
        return len(messages)

    @property
    def _takes_nothing(self) -> bool:
        return self._interruption.is_final or self._attendance.is_paused or self._world.circuit.is_open
