"""What becomes of a message once its journey has ended."""

from collections.abc import Mapping, Sequence

import structlog

from hub.figures import ending_figures
from hub.message import Message, Parking
from worker.batcher import Batcher
from worker.ports import Queue
from worker.trip import Ending, EndingKind, Trip
from worker.world import World

log = structlog.get_logger()

DELETES_A_CALL = 10
"""Entries of DeleteMessageBatch (SQS API reference)."""

DELETE_LINGER = 0.01
"""Seconds. What was covered already ends together, so that one call deletes a whole receive."""


class Settlement:
    """Deletes, parks or gives back the messages of one queue."""

    def __init__(self, queue: Queue, world: World) -> None:
        self._queue = queue
        self._world = world
        self._deletes = Batcher[Message, bool](self._delete, size=DELETES_A_CALL, linger=DELETE_LINGER)

    async def settle(self, trip: Trip, ending: Ending) -> bool:
        """Do with the message what the ending says. Always the journey's last call.

        Returns:
            Whether that was done; False where the message was not deleted, and comes again.
        """
        is_done = True
        message = trip.message
        if ending.kind not in {EndingKind.GIVEN_BACK, EndingKind.LOST}:
            await self._leave_no_lease(trip, ending)
        if ending.kind is EndingKind.PARKED:
            await self._queue.park(message, self._parking(trip, ending))
        elif ending.kind is EndingKind.GIVEN_BACK:
            await self._queue.give_back(message, ending.delay)
        elif ending.kind is not EndingKind.LOST and not await self._deletes.ask(message):
            is_done = False
            log.warning("message not deleted, it comes again")
        waited = self._world.clock.now() - message.sent_at
        self._world.metrics.emit(
            **ending_figures(
                ending.kind.value,
                ending.reason,
                message.source,
                waited,
                change=trip.change,
                state=trip.state,
                latency=trip.latency if ending.kind is EndingKind.STORED else None,
            )
        )
        log.info(
            "journey ended",
            ending=ending.kind.value,
            reason=ending.reason,
            detail=ending.detail.partition("\n")[0],
            attempt=message.receive_count,
            delay=round(ending.delay.total_seconds(), 1),
        )
        return is_done

    async def _leave_no_lease(self, trip: Trip, ending: Ending) -> None:
        """Others join the message that has a lease, and are deleted: so it must not go before its leases do.

        An earlier delivery may have left one on other code, when its worker died; or this one, when that failed.
        """
        may_have = trip.message.receive_count > 1 or (trip.scan_id is not None and ending.kind is not EndingKind.STORED)
        if may_have and trip.function is not None:
            await self._world.ledger.release_all(trip.function, message_id=trip.message.id)

    def _parking(self, trip: Trip, ending: Ending) -> Parking:
        return Parking(
            reason=ending.reason,
            detail=ending.detail,
            function=str(trip.function) if trip.function is not None else "",
            attempts=trip.message.receive_count,
            at=self._world.clock.now(),
            history=trip.history,
        )

    async def _delete(self, messages: Sequence[Message]) -> Mapping[Message, bool]:
        failed = set(await self._queue.delete(messages))
        return {message: message not in failed for message in messages}
