"""Invariant 7, its other half: while a scan runs, its task is protected from being ended; an idle one is not."""

from tests.simulation.scene import Run, Scene

SOON = 45.0
"""Seconds by which a worker must have asked for it, or given it up, if nothing is wrong with its wire."""


class ProtectionCheck:
    """Knows until when each task is protected."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._until: dict[str, float] = {}

    def started(self, worker: str) -> None:
        """A new task is not protected."""
        self._until.pop(worker, None)

    def set(self, worker: str, until: float | None) -> None:
        if until is None:
            self._until.pop(worker, None)
            scans = [run for run in self._scene.running if run.worker == worker]
            if any(run.started_at < self._scene.time() - SOON for run in scans) and self._is_well(worker):
                self._scene.violated(7, f"{worker} gives up its protection while it scans")
        else:
            self._until[worker] = until

    def scan_started(self, run: Run) -> None:
        self._scene.later(SOON, lambda: self._look(run))

    def finished(self) -> None:
        """Nothing has run for a while."""
        for worker, machine in self._scene.machines.items():
            if machine.is_alive and worker in self._until and self._is_well(worker):
                self._scene.violated(7, f"{worker} is idle and protected until {self._until[worker]:.0f}")

    def _look(self, run: Run) -> None:
        if run.is_over or self._scene.violation is not None:
            return
        if self._is_well(run.worker) and self._until.get(run.worker, 0.0) < self._scene.time():
            self._scene.violated(7, f"{run.worker} scans {run.function} and its task is not protected")
        self._scene.later(10 * SOON, lambda: self._look(run))

    def _is_well(self, worker: str) -> bool:
        machine, now = self._scene.machines[worker], self._scene.time()
        # After a failure it is asked for again after a minute at the most.
        return machine.stopped_at is None and machine.untroubled_since(now - SOON - 75)
