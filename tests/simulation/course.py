"""The course of one run: the functions settle in, the workers start, faults come and go, and all comes to rest."""

import asyncio
from random import Random

from tests.simulation.feed import Feed
from tests.simulation.fleet import Worker
from tests.simulation.grounds import laid_out
from tests.simulation.loop import SimulationLoop
from tests.simulation.origins import settle_in
from tests.simulation.plan import RETRY_HOURS, Change, Plan, Sending, Trouble
from tests.simulation.scene import Scene
from tests.simulation.sweepers import Sweepers
from tests.simulation.trace import Trace
from tests.simulation.troubles import Troubles

REST = 90.0
"""Seconds after which nothing is under way any more."""

LOOK = 15.0
"""Seconds between two looks at whether the queues are empty."""


class Course:
    """Everything that happens by one plan.

    Args:
        decided: The plan.
        loop: On which it all runs.
    """

    def __init__(self, decided: Plan, loop: SimulationLoop) -> None:
        self.strays: list[str] = []
        self._plan = decided
        self._loop = loop
        self._over = loop.create_future()
        self._grounds = laid_out(decided, loop, on_violation=self._end)
        self.workers = [
            Worker(f"w{number}", skew, self._grounds, Random(f"worker {decided.seed} {number}"))  # noqa: S311  # repeatable on purpose
            for number, skew in enumerate(decided.skews, 1)
        ]
        self._feed = Feed(self._grounds)
        self.sweepers = Sweepers(self._grounds)
        self._troubles = Troubles(self._grounds, self.workers, self.sweepers)

    @property
    def scene(self) -> Scene:
        """What the oracle sees, and the violation if there is one."""
        return self._grounds.scene

    @property
    def trace(self) -> Trace:
        """Everything that happened."""
        return self._grounds.trace

    async def main(self) -> None:
        """Everything that happens, until all is quiet again and every worker has ended."""
        grounds, loop = self._grounds, self._loop
        for function in self._plan.functions:
            await settle_in(function, grounds)
        for number, worker in enumerate(self.workers):
            loop.call_later(0.3 * number, worker.start, context=grounds.world)
        for second, happening in self._plan.happenings:
            loop.call_at(second, self._happen, happening, context=grounds.world)
        await self._passed(self._plan.calm_from)
        grounds.weather.calm = True
        self.trace.note("world", "is calm")
        await self._empty(bound=self._plan.calm_from + self._patience())
        if self._plan.is_swept:
            await self._last_sweeps()
        await self._passed(loop.time() + REST)
        if not self._over.done():
            grounds.oracle.finished()
        await self._stop_all()
        self.strays = list(loop.strays)

    def close(self) -> None:
        """Nothing more is seen or done; what is left may end."""
        self._end()
        self.sweepers.kill()
        for worker in self.workers:
            worker.retire()
            if worker.machine is not None:
                worker.machine.line.is_over = True

    def _happen(self, happening: Sending | Change | Trouble) -> None:
        if self._over.done():
            return
        if isinstance(happening, Sending):
            self._loop.create_task(self._feed.send(happening))
        elif isinstance(happening, Change):
            self._feed.change(happening)
        else:
            self._troubles.befall(happening)

    async def _last_sweeps(self) -> None:
        """What failed or was lost is queued again after a while; then all is true, and a sweep finds nothing to do."""
        loop = self._loop
        await self.sweepers.ended()
        await self._passed(loop.time() + RETRY_HOURS * 3600 + REST)
        began = loop.time()
        anew = 0
        while anew < 2 and not self._over.done():
            self.trace.note("world", "sweeps for the last time")
            self.sweepers.begin(is_last=True)
            await self.sweepers.ended()
            await self._empty(bound=loop.time() + self._patience())
            # One that ends what another had begun leaves out what that has done, however long ago.
            anew += not self.sweepers.went_on
        if not self._over.done():
            self._grounds.oracle.sweeps.finished(since=began)

    async def _empty(self, *, bound: float) -> None:
        """Wait until the queues are empty; after this second they must be."""
        queues = self._grounds.queues.values()
        while not self._over.done() and any(queue.messages for queue in queues):
            if self._loop.time() > bound:
                left = [one.id for queue in queues for one in queue.messages]
                self.scene.violated(7, f"{len(left)} messages are left long after the last fault: {left[:3]}")
            await self._passed(self._loop.time() + LOOK)

    def _patience(self) -> float:
        """Within so many seconds after the last fault everything must have ended."""
        plan = self._plan
        scans = len(plan.happenings) * 60 * plan.pace / (len(self.workers) * plan.slots)
        return 4 * 3600 + 2 * plan.scan_timeout + scans

    async def _stop_all(self) -> None:
        for worker in self.workers:
            worker.retire()
            worker.stop()
        deadline = self._loop.time() + self._plan.drain + 90
        while not self._over.done() and any(worker.machine is not None for worker in self.workers):
            if self._loop.time() > deadline:
                self.scene.violated(7, "a worker that has nothing to do does not stop")
            await self._passed(self._loop.time() + 1)

    async def _passed(self, second: float) -> None:
        """Wait until then, or until it is over."""
        if not self._over.done():
            await asyncio.wait([self._over], timeout=max(0.0, second - self._loop.time()))

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
