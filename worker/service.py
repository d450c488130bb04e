"""One worker, put together: it receives, carries and settles until it is stopped, and stops in good order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from hub.message import Source
from spoke.errors import HostFault, QualysFault, ScanhubError
from worker.attendance import Attendance
from worker.carrier import Carrier
from worker.interruption import Interruption
from worker.load import Load
from worker.objective import Objective
from worker.outage import Outage
from worker.ports import Queue
from worker.receiving import Receiving
from worker.room import Room
from worker.tally import Tally
from worker.vitals import HealthState
from worker.winding_up import wind_up
from worker.world import World

log = structlog.get_logger()


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
        self.tally = Tally()
        self._world = world
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()
        self._asked_to_stop = False
        self._draining = False
        self._fault: ScanhubError | None = None
        self._interruption = Interruption(self._stopping)
        self._objective = Objective(world.register, world.clock, target=world.settings.change_target)
        self._carrier = Carrier(
            queues,
            world,
            stopping=self._stopping,
            is_paused=lambda: self._attendance.is_paused,
            on_end=self._slot_freed,
            on_fault=self._stop_for,
            objective=self._objective,
            tally=self.tally,
        )
        in_hand = self._carrier.running.values()
        self._room = Room(in_hand, world, sources=queues.keys())
        self._outage = Outage(world)
        load = Load(in_hand, world, is_paused=lambda: self._attendance.is_paused)
        self._attendance = Attendance(world, load, on_change=self._pause_changed)
        self._receiving = Receiving(
            queues,
            world,
            interruption=self._interruption,
            room=self._room,
            carrier=self._carrier,
            attendance=self._attendance,
            outage=self._outage,
            renew_credentials=renew_credentials,
        )
        self._beside = (load, world.guardian)
        world.circuit.on_change = self._circuit_changed

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
        self._draining = self._carrier.drain = self._room.drain = self._world.places.patient = drain
        loop = asyncio.get_running_loop()
        beats = [loop.create_task(beat) for beat in self._carrier.beats()]
        for beat in beats:
            beat.add_done_callback(self._beat_ended)
        beats += [loop.create_task(one.run()) for one in self._beside]
        self._attendance.begin()
        self._objective.begin()
        try:
            # Not one message is to be taken before it is known that the service is not paused.
            await self._interruption.of(self._attendance.looked())
            await (self._receiving.until_empty(self.tally) if drain else self._receiving.until_stopped())
        finally:
            self._stopping.set()
            drain_timeout = self._world.settings.drain_timeout
            await wind_up(self._carrier.running, drain_timeout=drain_timeout, hurried=self._hurried)
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

    def _slot_freed(self) -> None:
        self._room.look_again()

    def _circuit_changed(self) -> None:
        """Qualys does not take our scans, or does again."""
        self._room.look_again()
        circuit = self._world.circuit
        if circuit.is_open and self._draining:
            self._stop_for(QualysFault(circuit.reason))
        elif circuit.is_open:
            self._interruption.now()
            self._carrier.give_back_waiting()
        self._outage.turned()
        self._attendance.changed()

    def _pause_changed(self) -> None:
        """Somebody has paused the service, or lets it go on."""
        if self._attendance.is_paused:
            self._interruption.now()
            self._carrier.give_back_waiting(paused=True)

    def _beat_ended(self, beat: asyncio.Task[None]) -> None:
        if beat.cancelled() or (error := beat.exception()) is None:
            return
        # Without its heartbeat a worker would scan what others receive too.
        self._stop_for(error if isinstance(error, ScanhubError) else HostFault(f"the heartbeat ended: {error}"))

    def _stop_for(self, fault: ScanhubError) -> None:
        if self._fault is None:
            log.error("this worker stops", reason=fault.text)
            self._world.health.say(HealthState.UNHEALTHY, fault.text)
            self._fault = fault
        self._stop()

    def _stop(self) -> None:
        self._world.health.say(HealthState.STOPPING)
        self._stopping.set()
        self._interruption.now()
