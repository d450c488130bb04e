"""How many messages may be received now, and from which queue."""

from collections.abc import Collection

from hub.message import Source
from worker.circuit import CircuitState
from worker.trip import Stage, Trip
from worker.world import World

LONG_POLL = 20.0
"""Seconds; SQS's most."""

SHARED_POLL = 1.0
"""Seconds. With two queues each is asked in turn, so that a change never waits longer behind an empty sweep queue.

While the sweep queue gives nothing the changes have the long poll: what is swept is in no hurry to be noticed. While
the changes give something, the sweep has a short one: it asks some of SQS's servers, and the others the next time."""

SHORT_POLL = 0.0

SWEEP_PATIENCE = 10
"""Turns in which changes may take every slot while the sweep has none: then the next free one is the sweep's."""


class Room:
    """A worker's slots, shared between changes and the sweep.

    Args:
        running: The trips in hand; a live view.
        world: Of this worker.
        sources: The queues that there are.

    Attributes:
        drain: Whether the run ends when the queues are empty.
    """

    def __init__(self, running: Collection[Trip], world: World, *, sources: Collection[Source]) -> None:
        self.drain = False
        self._running = running
        self._world = world
        self._slots = world.settings.max_concurrent_scans
        self._changed = world.places.changed
        self._passed_over = 0
        self._is_idle = dict.fromkeys(sources, False)

    @property
    def free(self) -> int:
        """Slots without a message. What waits for its account's share takes none; while probing there is but one."""
        circuit = self._world.circuit
        if circuit.state is CircuitState.PROBING:
            return 0 if any(trip.turn == circuit.turn and trip.stage is not Stage.WAIT for trip in self._running) else 1
        waiting = self._world.places.waiting
        if self.drain and waiting >= self._slots:
            # A drain does not look for other accounts behind a busy one: what is in the queue is all there is.
            return 0
        return self._slots - (len(self._running) - waiting)

    def look_again(self) -> None:
        """Something has changed that whoever waits for room should know."""
        self._changed.set()

    def poll(self, source: Source) -> float:
        """Seconds to wait for a message of this queue."""
        if source is Source.CHANGES:
            return LONG_POLL if self._is_idle.get(Source.SWEEP, True) else SHARED_POLL
        return SHARED_POLL if self._is_idle[Source.CHANGES] else SHORT_POLL

    def took(self, source: Source, count: int) -> None:
        """So many messages of this queue were received in its turn."""
        self._is_idle[source] = not count

    async def wait(self, source: Source) -> int:
        """How many messages of this queue may be received. Changes wait until it is one; the sweep may get none."""
        if source is Source.CHANGES:
            return await self._wait_for_one()
        if self._world.circuit.state is CircuitState.PROBING:
            return max(self.free, 0)
        # It is the sweep's share that counts, not how many slots the changes leave idle.
        swept = sum(trip.message.source is Source.SWEEP for trip in self._running)
        if (room := min(self.free, self._slots - self._kept - swept)) > 0:
            return room
        self._passed_over = 0 if swept else self._passed_over + 1
        if self._passed_over < SWEEP_PATIENCE:
            return 0
        # Changes have had every slot for so many turns: the next one that is free is the sweep's.
        self._passed_over = 0
        await self._wait_for_one()
        return 1

    @property
    def _kept(self) -> int:
        """Slots out of the sweep's reach, so that a change finds one free: half, or a quarter while none is in sight.

        One that is in hand counts as in sight: after the first of several the next is to find a slot as well.
        """
        half = self._slots // 2
        if not self._is_idle[Source.CHANGES] or any(trip.message.source is Source.CHANGES for trip in self._running):
            return half
        return min(half, max(1, self._slots // 4))

    async def _wait_for_one(self) -> int:
        while (room := self.free) <= 0:
            self._changed.clear()
            await self._changed.wait()
        return room
