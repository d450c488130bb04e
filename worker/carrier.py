"""What a worker has in hand: each message is carried from its receipt to its settlement."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import structlog

from hub.message import Message, Source
from spoke.errors import Retry, ScanhubError
from worker.attendance import HEEDED
from worker.failures import circuit_open
from worker.heartbeat import Heartbeat
from worker.journey import journey
from worker.objective import Objective
from worker.ports import Queue
from worker.settlement import Settlement
from worker.tally import Tally
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.world import World

log = structlog.get_logger()

BUSY = "account_busy"
BUSY_PAUSE = 0.5
"""Seconds. A long queue of one account is not received and given back as fast as the network can."""


class Carrier:
    """Everything that is in hand: kept, carried, settled.

    Args:
        queues: By source.
        world: Of this worker.
        stopping: Set once what has not begun is to be given back.
        is_paused: Whether somebody has paused the service.
        on_end: Called when a message is not in hand any more.
        on_fault: Called with what this worker cannot go on with.
        objective: Counts what was settled.
        tally: Of this run.

    Attributes:
        running: What is in hand: a live view.
        drain: Whether the run ends when the queues are empty.
        calm_at: By the loop's time; before it nothing should be received, since it would only be given back.
    """

    def __init__(
        self,
        queues: Mapping[Source, Queue],
        world: World,
        *,
        stopping: asyncio.Event,
        is_paused: Callable[[], bool],
        on_end: Callable[[], object],
        on_fault: Callable[[ScanhubError], object],
        objective: Objective,
        tally: Tally,
    ) -> None:
        self.drain = False
        self.calm_at = 0.0
        self._running: dict[asyncio.Task[None], Trip] = {}
        self.running: Mapping[asyncio.Task[None], Trip] = MappingProxyType(self._running)
        self._world = world
        self._stopping = stopping
        self._is_paused = is_paused
        self._on_end = on_end
        self._on_fault = on_fault
        self._objective = objective
        self._tally = tally
        visibility = timedelta(seconds=world.settings.visibility_timeout)
        self._heartbeats = {source: Heartbeat(queue, world.clock, visibility) for source, queue in queues.items()}
        self._settlements = {source: Settlement(queue, world) for source, queue in queues.items()}

    def beats(self) -> list[Coroutine[Any, Any, None]]:
        """What keeps the messages in hand; without it others would receive them too."""
        return [heartbeat.run() for heartbeat in self._heartbeats.values()]

    def start(self, message: Message) -> None:
        """Carry this message from now on."""
        trip = Trip(message, turn=self._world.circuit.turn)
        self._tally.left_behind.discard(message.id)
        task = asyncio.get_running_loop().create_task(self._carry(trip), name=f"message {message.id}")
        self._running[task] = trip
        task.add_done_callback(self._ended)

        def lose() -> None:
            # What is being settled is as good as gone: to break that off would only hide how it ended.
            if trip.ending is None:
                trip.lost = True
                task.cancel()

        self._heartbeats[message.source].hold(message, lose)

    def give_back_waiting(self, *, paused: bool = False) -> None:
        """Give back what does not scan yet: the service is paused, or Qualys takes no scans.

        What has only just been received sees for itself how things are; cancelled now it would never run at all.
        """
        for task, trip in self._running.items():
            if trip.stage is not Stage.READ and not trip.has_begun and trip.ending is None:
                trip.paused = trip.paused or paused
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        trip = self._running.pop(task)
        # However it ended: what nobody carries must not be kept from the others.
        self._heartbeats[trip.message.source].let_go(trip.message)
        self._on_end()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of our own in the settling: the message comes again by its visibility.
            log.error("journey not settled", exc_info=error)

    async def _carry(self, trip: Trip) -> None:
        """One message, from its receipt to its settlement."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(message_id=trip.message.id)
        self._world.observer.moved(trip)
        # It may have been received in the very moment of the pause.
        ending = _paused() if self._is_paused() else await self._journey(trip)
        if ending.reason == BUSY:
            self.calm_at = asyncio.get_running_loop().time() + BUSY_PAUSE
        # Before the message is given back: this worker's own receive, still in flight, would only fetch it again.
        if ending.fault is not None:
            self._on_fault(ending.fault)
        trip.ending = ending
        ending = await self._settle(trip, ending)
        trip.stage, trip.ending = Stage.ENDED, ending
        self._tally.count(trip, ending)
        if not self.drain and not self._stopping.is_set():
            self._tally.left_behind.discard(trip.message.id)
        self._world.observer.moved(trip)

    async def _journey(self, trip: Trip) -> Ending:
        try:
            return await journey(trip, self._world)
        except asyncio.CancelledError:
            # Cancelled by this worker, for one of four reasons; the task goes on, to settle its message.
            _carry_on()
            if trip.lost:
                return Ending(kind=EndingKind.LOST)
            if trip.paused:
                return _paused()
            if self._stopping.is_set():
                return Ending(kind=EndingKind.GIVEN_BACK, reason="stop")
            return circuit_open(self._world)

    async def _settle(self, trip: Trip, ending: Ending) -> Ending:
        """Do with the message what the ending says; where that fails it comes again by its visibility."""
        heartbeat, settlement = self._heartbeats[trip.message.source], self._settlements[trip.message.source]
        kept_until = heartbeat.kept_until(trip.message)
        try:
            if ending.kind is EndingKind.GIVEN_BACK:
                await heartbeat.part_with(trip.message)
            is_done = await settlement.settle(trip, ending)
            # Deleted, it cannot be extended any more: then what was known before stands.
            kept_until = heartbeat.kept_until(trip.message) or kept_until
            # SQS calls it a success also by a stale handle: answered later than this, another may have the last word.
            if is_done and kept_until is not None and self._world.clock.now() < kept_until:
                self._objective.count(trip, ending)
        except asyncio.CancelledError:
            _carry_on()
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail="stopped while it was settled")
        except ScanhubError as error:
            log.warning("message not settled, it comes again", reason=error.text, ending=ending.kind.value)
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail=error.text)
            if not isinstance(error, Retry):
                self._on_fault(error)
        return ending


def _paused() -> Ending:
    return Ending(kind=EndingKind.GIVEN_BACK, reason="paused", detail="the service is paused", delay=HEEDED)


def _carry_on() -> None:
    """Let a task that was cancelled, and knows it, wait for things again."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
