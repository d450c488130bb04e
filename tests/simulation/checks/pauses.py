"""Invariant 13: while the service is paused no worker takes messages."""

from tests.simulation.scene import Scene

HEEDED = 15.0 + 5.0
"""Seconds within which each worker has seen a pause: its look, and the way there and back."""


class Pauses:
    """Watches who takes what while it is paused."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._since: list[float] = []

    def began(self) -> None:
        """Somebody has paused the service."""
        self._scene.trace.note("world", "is paused")
        self._since.append(self._scene.time())

    def ceased(self) -> None:
        """It takes work again. One resumption ends every pause before it."""
        self._scene.trace.note("world", "is resumed")
        self._since.clear()

    def taken(self, worker: str) -> None:
        """Messages were received."""
        if not self._since:
            return
        machine, since = self._scene.machines[worker], self._since[0]
        # One that has started since has looked before it received anything.
        if self._scene.time() > since + HEEDED and machine.untroubled_since(max(since, machine.started_at)):
            self._scene.violated(13, f"{worker} takes messages, though the service is paused since {since:.3f}")
