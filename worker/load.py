"""What a worker has in hand, told once a minute."""

import asyncio
from collections.abc import Callable, Collection

from hub.figures import load_figures
from worker.trip import Trip
from worker.world import World

INTERVAL = 60.0
"""Seconds between two figures of what is in hand: CloudWatch's own resolution."""


class Load:
    """Counts and tells.

    Args:
        running: The trips in hand; a live view.
        world: Of this worker.
        is_paused: Whether it takes no work because somebody has paused the service.
    """

    def __init__(self, running: Collection[Trip], world: World, *, is_paused: Callable[[], bool]) -> None:
        self._running = running
        self._world = world
        self._is_paused = is_paused

    @property
    def begun(self) -> int:
        """Scans that have begun."""
        return sum(trip.has_begun for trip in self._running)

    async def run(self) -> None:
        """Tell it once a minute, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            self._world.metrics.emit(
                **load_figures(
                    running=self.begun,
                    held=len(self._running),
                    slots=self._world.settings.max_concurrent_scans,
                    waiting=self._world.places.waiting,
                    accounts_paused=self._world.accounts.paused,
                    accounts_without_access=self._world.accounts.without_access,
                    circuit_open=not self._world.circuit.is_closed,
                    paused=self._is_paused(),
                )
            )
