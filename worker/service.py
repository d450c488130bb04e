"""The worker's loop: receive what there is room for, carry it, settle it, stop in good order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from hub.message import Message, Source
from spoke.errors import HostFault, QualysFault, Retry, ScanhubError
from worker import backoff
from worker.attendance import HEEDED, Attendance
from worker.failures import circuit_open
from worker.heartbeat import Heartbeat
from worker.journey import journey
from worker.load import Load
from worker.objective import Objective
from worker.outage import Outage
from worker.ports import Queue
from worker.room import Room
from worker.settlement import Settlement
from worker.tally import Tally
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.vitals import HealthState
from worker.world import World

log = structlog.get_logger()

Result = TypeVar("Result")

RECEIVE_LIMIT = 10
"""Messages a receive (SQS API reference)."""

DRAIN_LOOK = 5.0
"""Seconds. While a long scan runs, so often a drain looks for what has come meanwhile."""

BUSY = "account_busy"
BUSY_PAUSE = 0.5
"""Seconds. A long queue of one account is not received and given back as fast as the network can."""

LAST_CALLS = 20.0
"""Seconds after the drain time for scans to be ended and for the last calls about their messages."""

DRAIN_POLL = 1.0
"""Seconds. Long enough that SQS asks all its servers, which a poll of zero does not."""


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
        self._running: dict[asyncio.Task[None], Trip] = {}
        self._room = Room(self._running.values(), world, sources=queues.keys())
        self._stopping = asyncio.Event()
        self._asked_to_stop = False
        self._hurried = asyncio.Event()
        self._draining = False
        self._calm_at = 0.0
        self._outage = Outage(world)
        load = Load(self._running.values(), world, is_paused=lambda: self._attendance.is_paused)
        self._attendance = Attendance(world, load, on_change=self._pause_changed)
        self._objective = Objective(world.register, world.clock, target=world.settings.change_target)
        self._beside = (load, world.guardian)
        world.circuit.on_change = self._circuit_changed
        self._waiting: asyncio.Future[Any] | None = None
        self._fault: ScanhubError | None = None
        self.tally = Tally()

    def stop(self) -> None:
        """Receive nothing more, give back what has not begun, let scans finish within the drain time, end.

        Asked a second time, it does not wait for scans: they are ended, and their messages given back.
        """
        if self._asked_to_stop:
            self._hurried.set()
        self._asked_to_stop = True
        self._stop()

    async def run(self, *, drain: bool = False) -> Tally:
        """Work until stopped or, with `drain`, until there is nothing to receive and nothing runs.

        While the service is paused nothing is received. With `drain` it then ends as soon as nothing runs, and the
        tally says so: what somebody wanted is no error.

        Raises:
            HostFault, Misconfigured: This worker cannot go on. What it held was given back.
            QualysFault: With `drain` only: Qualys refuses the token or is down; without, the worker waits for it.
        """
        self._draining = drain
        self._room.drain = self._world.places.patient = drain
        loop = asyncio.get_running_loop()
        beats = [loop.create_task(beat.run()) for beat in self._heartbeats.values()]
        for beat in beats:
            beat.add_done_callback(self._beat_ended)
        beats += [loop.create_task(one.run()) for one in self._beside]
        self._attendance.begin()
        self._objective.begin()
        try:
            # Not one message is to be taken before it is known that the service is not paused.
            await self._interruptible(self._attendance.looked())
            await (self._until_empty() if drain else self._until_stopped())
        finally:
            await self._wind_up()
            for beat in beats:
                beat.cancel()
            await asyncio.gather(*beats, return_exceptions=True)
            await asyncio.gather(*self._last_words(), return_exceptions=True)
        if self._fault is not None:
            raise self._fault
        return self.tally

    def _last_words(self) -> Sequence[Awaitable[None]]:
        world = self._world
        return (
            self._outage.told(),
            world.lookout.settled(),
            world.newcomers.settled(),
            self._objective.settled(),
            self._attendance.left(),
        )

    async def _until_stopped(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                for source in self._queues:
                    await self._take(source, self._room.poll(source))
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
            elif self._attendance.is_paused:
                self.tally.paused = self._attendance.pause
                return
            elif not any([(await queue.depth()).visible for queue in self._queues.values()]):
                return

    async def _take(self, source: Source, wait: float) -> int:
        """Receive as much as there is room for and send it on its way; returns how much that was."""
        if self._attendance.is_paused:
            if not self._draining:
                await self._interruptible(self._attendance.resumed())
            return 0
        if self._world.circuit.is_open:
            await self._interruptible(self._outage.wait_for_probe(self._renew_credentials))
            return 0
        if (restless := self._calm_at - asyncio.get_running_loop().time()) > 0:
            await self._interruptible(asyncio.sleep(restless))
        room = await self._interruptible(self._room.wait(source))
        # Things may have changed between the look at the room and here.
        if not room or self._takes_nothing:
            return 0
        messages = await self._interruptible(self._queues[source].receive(min(room, RECEIVE_LIMIT), wait=wait))
        for message in messages or ():
            self._start(message)
        self._room.took(source, len(messages or ()))
        return len(messages or ())

    @property
    def _takes_nothing(self) -> bool:
        return self._stopping.is_set() or self._attendance.is_paused or self._world.circuit.is_open

    async def _interruptible(self, work: Awaitable[Result]) -> Result | None:
        """The result, or None if the work was interrupted: by a stop, a pause, or because Qualys takes no scans."""
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
        trip = Trip(message, turn=self._world.circuit.turn)
        self.tally.left_behind.discard(message.id)
        task = asyncio.get_running_loop().create_task(self._carry(trip), name=f"message {message.id}")
        self._running[task] = trip
        task.add_done_callback(self._ended)

        def lose() -> None:
            # What is being settled is as good as gone: to break that off would only hide how it ended.
            if trip.ending is None:
                trip.lost = True
                task.cancel()

        self._heartbeats[message.source].hold(message, lose)

    def _ended(self, task: asyncio.Task[None]) -> None:
        trip = self._running.pop(task)
        # However it ended: what nobody carries must not be kept from the others.
        self._heartbeats[trip.message.source].let_go(trip.message)
        self._room.look_again()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake of our own in the settling: the message comes again by its visibility.
            log.error("journey not settled", exc_info=error)

    def _beat_ended(self, beat: asyncio.Task[None]) -> None:
        if beat.cancelled() or (error := beat.exception()) is None:
            return
        # Without its heartbeat a worker would scan what others receive too.
        self._stop_for(error if isinstance(error, ScanhubError) else HostFault(f"the heartbeat ended: {error}"))

    async def _carry(self, trip: Trip) -> None:
        """One message, from its receipt to its settlement."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(message_id=trip.message.id)
        self._world.observer.moved(trip)
        # It may have been received in the very moment of the pause.
        ending = _paused() if self._attendance.is_paused else await self._journey(trip)
        if ending.reason == BUSY:
            self._calm_at = asyncio.get_running_loop().time() + BUSY_PAUSE
        # Before the message is given back: this worker's own receive, still in flight, would only fetch it again.
        if ending.fault is not None:
            self._stop_for(ending.fault)
        trip.ending = ending
        ending = await self._settle(trip, ending)
        trip.stage, trip.ending = Stage.ENDED, ending
        self.tally.count(trip, ending)
        if not self._draining and not self._stopping.is_set():
            self.tally.left_behind.discard(trip.message.id)
        self._world.observer.moved(trip)

    async def _journey(self, trip: Trip) -> Ending:
        try:
            return await journey(trip, self._world)
        except asyncio.CancelledError:
            # Cancelled by this service, for one of four reasons; the task goes on, to settle its message.
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
        try:
            if ending.kind is EndingKind.GIVEN_BACK:
                await self._heartbeats[trip.message.source].part_with(trip.message)
            if await self._settlements[trip.message.source].settle(trip, ending):
                self._objective.count(trip, ending)
        except asyncio.CancelledError:
            _carry_on()
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail="stopped while it was settled")
        except ScanhubError as error:
            log.warning("message not settled, it comes again", reason=error.text, ending=ending.kind.value)
            ending = Ending(kind=EndingKind.LOST, reason="not_settled", detail=error.text)
            if not isinstance(error, Retry):
                self._stop_for(error)
        return ending

    def _circuit_changed(self) -> None:
        """Qualys does not take our scans, or does again."""
        self._room.look_again()
        circuit = self._world.circuit
        if circuit.is_open and self._draining:
            self._stop_for(QualysFault(circuit.reason))
        elif circuit.is_open:
            self._interrupt()
            for task, _ in self._not_begun():
                task.cancel()
        self._outage.turned()
        self._attendance.changed()

    def _pause_changed(self) -> None:
        """Somebody has paused the service, or lets it go on."""
        if not self._attendance.is_paused:
            return
        self._interrupt()
        for task, trip in self._not_begun():
            trip.paused = True
            task.cancel()

    def _not_begun(self) -> Sequence[tuple[asyncio.Task[None], Trip]]:
        """What is held and does not scan yet, but for what has only just been received.

        That sees for itself how things are; cancelled now it would never run at all.
        """
        return [
            (task, trip)
            for task, trip in self._running.items()
            if trip.stage is not Stage.READ and not trip.has_begun and trip.ending is None
        ]

    def _stop_for(self, fault: ScanhubError) -> None:
        if self._fault is None:
            log.error("this worker stops", reason=fault.text)
            self._world.health.say(HealthState.UNHEALTHY, fault.text)
            self._fault = fault
        self._stop()

    def _stop(self) -> None:
        self._world.health.say(HealthState.STOPPING)
        self._stopping.set()
        self._interrupt()

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
            await self._drained(list(self._running))
        for task, trip in self._running.items():
            if trip.ending is None:
                task.cancel()
        if self._running:
            # What has ended is deleted, parked or given back also when there was no time to drain at all.
            await asyncio.wait(list(self._running), timeout=LAST_CALLS)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running))

    async def _drained(self, running: list[asyncio.Task[None]]) -> None:
        """All have ended, or the drain time is over, or somebody is in a hurry."""
        hurry = asyncio.ensure_future(self._hurried.wait())
        ended = asyncio.ensure_future(asyncio.wait(running))
        await asyncio.wait(
            {hurry, ended}, timeout=self._world.settings.drain_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        for waiter in (hurry, ended):
            waiter.cancel()


def _paused() -> Ending:
    return Ending(kind=EndingKind.GIVEN_BACK, reason="paused", detail="the service is paused", delay=HEEDED)


def _carry_on() -> None:
    """Let a task that was cancelled, and knows it, wait for things again."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
