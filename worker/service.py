"""The worker's loop: receive what there is room for, carry it, settle it, stop in good order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from hub.message import Message, Source
from hub.metrics import load_figures
from spoke.errors import HostFault, QualysFault, Retry, ScanhubError
from worker import backoff
from worker.failures import QUALYS_PAUSE
from worker.heartbeat import Heartbeat
from worker.journey import journey
from worker.ports import Queue
from worker.settlement import Settlement
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.world import World

log = structlog.get_logger()

Result = TypeVar("Result")

RECEIVE_LIMIT = 10
"""Messages a receive (SQS API reference)."""

LONG_POLL = 20.0
"""Seconds; SQS's most."""

DRAIN_LOOK = 5.0
"""Seconds. While a long scan runs, so often a drain looks for what has come meanwhile."""

LOAD_INTERVAL = 60.0
"""Seconds between two figures of what is in hand: CloudWatch's own resolution."""

LOST = "lost"
"""The word by which a journey is cancelled whose message is not ours any more."""

SHARED_POLL = 1.0
"""Seconds. With two queues each is asked in turn, so that a change never waits longer behind an empty sweep queue."""

SWEEP_PATIENCE = 10
"""Turns in which changes may take every slot while the sweep has none: then the next free one is the sweep's."""

DRAIN_POLL = 1.0
"""Seconds. Long enough that SQS asks all its servers, which a poll of zero does not."""


@dataclass(slots=True)
class Tally:
    """What became of the messages of one run.

    Attributes:
        endings: How many journeys ended in which way.
        left_behind: Ids of messages given back and not received again since.
    """

    endings: dict[EndingKind, int] = field(default_factory=dict)
    left_behind: set[str] = field(default_factory=set)

    def count(self, trip: Trip, ending: Ending) -> None:
        """One journey has ended."""
        self.endings[ending.kind] = self.endings.get(ending.kind, 0) + 1
        if ending.kind is EndingKind.GIVEN_BACK:
            self.left_behind.add(trip.message.id)


class Service:
    """One worker.

    Args:
        queues: By source; `changes` is there always, `sweep` may be.
        world: What the journeys need.
        renew_credentials: Reads the Qualys secret anew; called after Qualys refused the token.
    """

    def __init__(
        self, queues: Mapping[Source, Queue], world: World, *, renew_credentials: Callable[[], Awaitable[None]]
    ) -> None:
        self._world = world
        self._queues = queues
        self._renew_credentials = renew_credentials
        visibility = timedelta(seconds=world.settings.visibility_timeout)
        self._heartbeats = {source: Heartbeat(queue, world.clock, visibility) for source, queue in queues.items()}
        self._settlements = {source: Settlement(queue, world) for source, queue in queues.items()}
        self._slots = world.settings.max_concurrent_scans
        self._running: dict[asyncio.Task[None], Trip] = {}
        self._room = asyncio.Event()
        self._stopping = asyncio.Event()
        self._draining = False
        self._passed_over = 0
        self._paused_until: datetime | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._fault: ScanhubError | None = None
        self.tally = Tally()

    def stop(self) -> None:
        """Receive nothing more, give back what has not begun, let scans finish within the drain time, end."""
        self._stopping.set()
        self._interrupt()

    async def run(self, *, drain: bool = False) -> Tally:
        """Work until stopped or, with `drain`, until there is nothing to receive and nothing runs.

        Raises:
            HostFault, Misconfigured: This worker cannot go on. What it held was given back.
            QualysFault: With `drain` only: Qualys refuses the token or is down; without, the worker waits for it.
        """
        self._draining = drain
        loop = asyncio.get_running_loop()
        beats = [loop.create_task(beat.run()) for beat in self._heartbeats.values()]
        for beat in beats:
            beat.add_done_callback(self._beat_ended)
        beats.append(loop.create_task(self._tell_load()))
        try:
            await (self._until_empty() if drain else self._until_stopped())
        finally:
            await self._wind_up()
            for beat in beats:
                beat.cancel()
            await asyncio.gather(*beats, return_exceptions=True)
        if self._fault is not None:
            raise self._fault
        return self.tally

    async def _until_stopped(self) -> None:
        wait = LONG_POLL if len(self._queues) == 1 else SHARED_POLL
        failures = 0
        while not self._stopping.is_set():
            try:
                for source in self._queues:
                    await self._take(source, wait)
                failures = 0
            except Retry as error:
                failures += 1
                pause = backoff.after_failure(failures).total_seconds()
                log.warning("nothing received", reason=error.text, pause=round(pause, 1))
                await self._interruptible(asyncio.sleep(pause))

    async def _until_empty(self) -> None:
        while not self._stopping.is_set():
            taken = [await self._take(source, DRAIN_POLL) for source in self._queues]
            if any(taken):
                continue
            if self._running:
                running = asyncio.wait(list(self._running), timeout=DRAIN_LOOK, return_when=asyncio.FIRST_COMPLETED)
                await self._interruptible(running)
            elif not any([(await queue.depth()).visible for queue in self._queues.values()]):
                return

    async def _take(self, source: Source, wait: float) -> int:
        """Receive as much as there is room for and send it on its way; returns how much that was."""
        if self._paused_until is not None:
            await self._interruptible(self._pause(self._paused_until))
            return 0
        room = await self._interruptible(self._wait_for_room(source))
        if not room or self._stopping.is_set():
            return 0
        messages = await self._interruptible(self._queues[source].receive(min(room, RECEIVE_LIMIT), wait=wait))
        for message in messages or ():
            self._start(message)
        return len(messages or ())

    async def _pause(self, until: datetime) -> None:
        """While Qualys refuses the token nothing is received; then the secret is read anew."""
        await asyncio.sleep(max(0.0, (until - self._world.clock.now()).total_seconds()))
        await self._renew_credentials()
        self._paused_until = None

    async def _wait_for_room(self, source: Source) -> int:
        # Half of the slots are out of the sweep's reach, so that a change finds one free.
        reserved = self._slots // 2 if source is Source.SWEEP else 0
        if source is Source.SWEEP and self._slots - reserved - len(self._running) <= 0:
            swept = any(trip.message.source is Source.SWEEP for trip in self._running.values())
            self._passed_over = 0 if swept else self._passed_over + 1
            if self._passed_over < SWEEP_PATIENCE:
                return 0
            # Changes have had every slot for so many turns: the next one that is free is the sweep's.
            self._passed_over = 0
            while len(self._running) >= self._slots:
                self._room.clear()
                await self._room.wait()
            return 1
        while (room := self._slots - reserved - len(self._running)) <= 0:
            self._room.clear()
            await self._room.wait()
        return room

    async def _interruptible(self, work: Awaitable[Result]) -> Result | None:
        """The result, or None if the work was interrupted: by a stop, or because Qualys takes no scans."""
        task = self._waiting = asyncio.ensure_future(work)
        if self._stopping.is_set():
            task.cancel()
        try:
            await asyncio.wait({task})
        finally:
            self._waiting = None
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def _interrupt(self) -> None:
        # At once, not by a flag that is read later: a long poll in flight would take messages that nobody handles.
        if self._waiting is not None:
            self._waiting.cancel()

    def _start(self, message: Message) -> None:
        trip = Trip(message)
        self.tally.left_behind.discard(message.id)
        task = asyncio.get_running_loop().create_task(self._carry(trip), name=f"message {message.id}")
        self._running[task] = trip
        task.add_done_callback(self._ended)

        def lose() -> None:
            task.cancel(LOST)

        self._heartbeats[message.source].hold(message, lose)

    def _ended(self, task: asyncio.Task[None]) -> None:
        trip = self._running.pop(task)
        # However it ended: what nobody carries must not be kept from the others.
        self._heartbeats[trip.message.source].let_go(trip.message)
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of our own in the settling: the message comes again by its visibility.
            log.error("journey not settled", exc_info=error)

    def _beat_ended(self, beat: asyncio.Task[None]) -> None:
        if beat.cancelled() or (error := beat.exception()) is None:
            return
        # Without its heartbeat a worker would scan what others receive too.
        self._stop_for(error if isinstance(error, ScanhubError) else HostFault(f"the heartbeat ended: {error}"))

    async def _tell_load(self) -> None:
        while True:
            await asyncio.sleep(LOAD_INTERVAL)
            running = sum(trip.has_begun for trip in self._running.values())
            self._world.metrics.emit(**load_figures(running=running, held=len(self._running)))

    async def _carry(self, trip: Trip) -> None:
        """One message, from its receipt to its settlement."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(message_id=trip.message.id)
        self._world.observer.moved(trip)
        ending = await self._journey(trip)
        # Before the message is given back: this worker's own receive, still in flight, would only fetch it again.
        self._heed(ending.fault)
        trip.ending = ending
        ending = await self._settle(trip, ending)
        trip.stage, trip.ending = Stage.ENDED, ending
        self.tally.count(trip, ending)
        self._world.observer.moved(trip)

    async def _journey(self, trip: Trip) -> Ending:
        try:
            return await journey(trip, self._world)
        except asyncio.CancelledError as cancelled:
            # Cancelled by this service, for one of two reasons; the task goes on, to settle its message.
            _carry_on()
            lost = LOST in cancelled.args
            return Ending(kind=EndingKind.LOST if lost else EndingKind.GIVEN_BACK, reason="" if lost else "stop")

    async def _settle(self, trip: Trip, ending: Ending) -> Ending:
        """Do with the message what the ending says; where that fails it comes again by its visibility."""
        try:
            await self._settlements[trip.message.source].settle(trip, ending)
        except asyncio.CancelledError:
            _carry_on()
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail="stopped while it was settled")
        except ScanhubError as error:
            log.warning("message not settled, it comes again", reason=error.text, ending=ending.kind.value)
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail=error.text)
            if not isinstance(error, Retry):
                self._stop_for(error)
        return ending

    def _heed(self, fault: ScanhubError | None) -> None:
        """A fault that concerns more than one message."""
        if isinstance(fault, QualysFault) and not self._draining:
            log.error("qualys does not take our scans; nothing is received for a while", reason=fault.text)
            self._paused_until = self._world.clock.now() + QUALYS_PAUSE
            self._interrupt()
        elif fault is not None:
            self._stop_for(fault)

    def _stop_for(self, fault: ScanhubError) -> None:
        if self._fault is None:
            log.error("this worker stops", reason=fault.text)
            self._fault = fault
        self.stop()

    async def _wind_up(self) -> None:
        """Give back what has not begun; let scans end within the drain time, then end them and give back."""
        self._stopping.set()
        # A task that is cancelled before its first step never runs, and would never give its message back.
        await asyncio.sleep(0)
        for task, trip in self._running.items():
            # One that has ended already is about to be deleted, parked or given back: let it.
            if not trip.has_begun and trip.ending is None:
                task.cancel()
        if self._running:
            log.info("draining", running=len(self._running), seconds=self._world.settings.drain_timeout)
            await asyncio.wait(list(self._running), timeout=self._world.settings.drain_timeout)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running))


def _carry_on() -> None:
    """Let a task that was cancelled, and knows it, wait for things again."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
