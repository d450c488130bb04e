"""Invariant 9: while Qualys takes no scans, next to nothing is begun, nobody pays, and people are told once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.notification import Notification
from tests.simulation.scene import Machine, Run, Scene

QUIET = 3600.0
"""Seconds; within them an outage is not told again."""

PAUSES = (60.0, 120.0, 240.0, 480.0, 900.0)
"""The least time between two probes; the last one goes on."""

SOON = 150.0
"""Seconds after which a worker's figures must tell that a scan has passed; it tells them every minute."""

BLAMED = {"UploadFailed", "QualysFault"}


UPLOADS_TO_OPEN = 3
"""So many messages, one after another, whose upload failed open the circuit; one refused token does at once."""


@dataclass(slots=True)
class Ordeal:
    """What one process has met in this outage.

    Attributes:
        machine: The process.
        messages: Those whose upload failed.
        open_since: From when on it must know.
        begun: Scans begun since.
    """

    machine: Machine
    messages: set[str] = field(default_factory=set)
    open_since: float | None = None
    begun: int = 0


class Outages:
    """Counts what is begun while Qualys is away.

    Attributes:
        since: When it went away; None while it is there.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.since: float | None = None
        self._ordeals: dict[str, Ordeal] = {}
        self._told_at: float | None = None
        self._told_in_trouble = False
        self._failed_at: dict[tuple[int, str], float] = {}
        self._passed_at: dict[int, float] = {}
        self._is_open: dict[str, bool] = {}
        self._blamed_at: dict[str, float] = {}
        self._opened = 0

    def began(self) -> None:
        self.since = self._scene.time()
        self._ordeals = {}

    def ceased(self) -> None:
        self.since = None

    def scan_failed(self, run: Run, why: str) -> None:
        """The scanner says so; its worker knows in this moment, unless it is frozen."""
        if why not in BLAMED:
            return
        is_to_blame = self._is_to_blame(run)
        self._blamed_at[run.worker] = self._scene.time()
        if self.since is None:
            return
        ordeal = self._ordeal(run.worker)
        ordeal.messages.add(run.message)
        if is_to_blame:
            return
        if ordeal.open_since is None and (why == "QualysFault" or len(ordeal.messages) >= UPLOADS_TO_OPEN):
            ordeal.open_since = self._scene.time()

    def _is_to_blame(self, run: Run) -> bool:
        """Whether it failed for Qualys's sake before, and others of its worker have passed since: then it is itself."""
        key = (id(self._scene.machines[run.worker]), run.message)
        before, self._failed_at[key] = self._failed_at.get(key), self._scene.time()
        return before is not None and self._passed_at.get(key[0], -1.0) > before

    def scan_started(self, run: Run) -> None:
        if self.since is None:
            return
        ordeal, now = self._ordeal(run.worker), self._scene.time()
        # It gives its lease up first, and what is under way meanwhile goes on.
        if ordeal.open_since is None or now <= ordeal.open_since + 1:
            return
        ordeal.begun += 1
        most = self._most(now - ordeal.open_since)
        if ordeal.begun > most and ordeal.machine.untroubled_since(ordeal.open_since):
            self._scene.violated(
                9, f"{run.worker} has begun {ordeal.begun} scans since it knows, {most} may be: Qualys is away"
            )

    def _ordeal(self, worker: str) -> Ordeal:
        machine, known = self._scene.machines[worker], self._ordeals.get(worker)
        if known is None or known.machine is not machine:
            known = self._ordeals[worker] = Ordeal(machine)
        return known

    def _most(self, seconds: float) -> int:
        """One a probe; a probe that fails for another reason may be tried again."""
        passed, probes = 0.0, 0
        while passed < seconds:
            passed += PAUSES[min(probes, len(PAUSES) - 1)]
            probes += 1
        return 1 + 2 * (probes - 1)

    def scan_passed(self, run: Run) -> None:
        """Qualys has taken it: whoever thought otherwise knows better now."""
        scene = self._scene
        self._passed_at[id(scene.machines[run.worker])] = scene.time()
        blamed_at, machine = self._blamed_at.get(run.worker), scene.machines[run.worker]
        if blamed_at is None or blamed_at > run.started_at or not self._is_open.get(run.worker):
            return
        passed_at = scene.time()

        def look() -> None:
            has_failed = self._blamed_at[run.worker] > passed_at or scene.machines[run.worker] is not machine
            well = machine.untroubled_since(passed_at) and machine.stopped_at is None
            if well and not has_failed and self._is_open.get(run.worker):
                scene.violated(9, f"{run.worker} keeps its circuit open, though a scan has passed at {passed_at:.0f}")

        scene.later(SOON, look)

    def blamed(self, worker: str) -> None:
        """It cannot read the secret: a reason to wait on."""
        self._blamed_at[worker] = self._scene.time()

    def started(self, worker: str) -> None:
        """A new process begins with a closed circuit."""
        self._is_open.pop(worker, None)

    def measured(self, worker: str, values: Mapping[str, float]) -> None:
        figure = values.get("QualysCircuitOpen")
        if figure is None:
            return
        if figure and not self._is_open.get(worker):
            self._opened += 1
            self._scene.trace.count("circuit: opened")
        self._is_open[worker] = bool(figure)

    def notified(self, worker: str, notification: Notification) -> None:
        if notification.kind.value != "circuit":
            return
        now, line = self._scene.time(), self._scene.machines[worker].line
        self._scene.trace.count("circuit: told")
        # Who cannot ask the ledger tells all the same; and then nobody knows that it has been told.
        in_trouble, before = line.troubled_until > now - 120, self._told_in_trouble
        self._told_in_trouble = in_trouble
        is_soon = self._told_at is not None and now - self._told_at < QUIET - 10
        if is_soon and not before and not in_trouble and line.troubled_until < (self._told_at or now) - 60:
            self._scene.violated(9, f"{worker} tells of the outage at {now:.0f}, it was told at {self._told_at:.0f}")
        self._told_at = now

    def finished(self) -> None:
        """Whoever opened a circuit has told it, unless the wire or the worker broke."""
        if self._opened and self._told_at is None and not self._scene.plan.rates.any and self._is_quiet_plan():
            self._scene.violated(9, "a circuit was open, and nobody was told")

    def _is_quiet_plan(self) -> bool:
        return not any(
            getattr(happening, "kind", "") in {"kill", "stop", "stall", "cut", "ledger", "notifier"}
            for _, happening in self._scene.plan.happenings
        )
