"""Invariants 6 and 10: what a worker has at once, and how often it asks one account."""

from collections import deque

from spoke.arn import FunctionArn
from tests.simulation.scene import Run, Scene

BURST = 20
"""GetFunction calls per account and region within any one second: ten a second, and ten saved up."""

WINDOW = 300.0
"""Seconds in which a worker may meet only so many refusals of one account."""


class Limits:
    """Counts."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._asked: dict[tuple[str, str, str], deque[float]] = {}
        self._refused: dict[tuple[str, str], list[float]] = {}

    def scan_started(self, run: Run) -> None:
        plan, mine = self._scene.plan, [one for one in self._scene.running if one.worker == run.worker]
        if len(mine) > plan.slots:
            self._scene.violated(6, f"{run.worker} runs {len(mine)} scans in {plan.slots} slots")
        of_account = sum(one.function.account == run.function.account for one in mine)
        if of_account > plan.cap_in_force:
            self._scene.violated(
                6, f"{run.worker} runs {of_account} scans of account {run.function.account}, {plan.cap_in_force} may be"
            )

    def describing(self, worker: str, function: FunctionArn) -> None:
        now = self._scene.time()
        asked = self._asked.setdefault((worker, function.account, function.region), deque())
        asked.append(now)
        while asked[0] <= now - 1:
            asked.popleft()
        if len(asked) > BURST:
            self._scene.violated(6, f"{worker} asks {function.account} {len(asked)} times within a second")

    def started(self, worker: str) -> None:
        """A new process knows nothing of refusals."""
        for key in [key for key in self._refused if key[0] == worker]:
            del self._refused[key]

    def refused(self, worker: str, account: str) -> None:
        now = self._scene.time()
        refused = self._refused.setdefault((worker, account), [])
        refused.append(now)
        recent = [second for second in refused if second > now - WINDOW]
        self._refused[worker, account] = recent
        # 10 s, 20 s, 40 s ...: at most six pauses begin within the window, each with what was under way together.
        most = 6 + 2 * self._scene.plan.cap_in_force
        if len(recent) > most:
            self._scene.violated(10, f"{worker} asks {account} again and again: {len(recent)} refusals in {WINDOW:g} s")

    def admitted(self, worker: str, account: str) -> None:
        self._refused.pop((worker, account), None)
