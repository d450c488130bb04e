"""Who sweeps: a process for each sweep, several of which may run at once, and each of which may be killed."""

import asyncio
from datetime import timedelta
from random import Random

from hub.sweep.course import SweepWorld
from hub.sweep.report import SweepReport
from hub.sweep.sweep import Sweep
from hub.sweeps import SweepScope
from spoke.errors import Retry
from tests.simulation.checks.sweeps import CLOCKS
from tests.simulation.grounds import Grounds
from tests.simulation.line import Line
from tests.simulation.links import LinkedObjects, linked_register
from tests.simulation.loop import Host
from tests.simulation.sweep_links import LinkedSweepLedger, LinkedSweepQueue, linked_estate
from tests.simulation.truth import PROFILE, START, moment
from worker.memory.clock import LoopClock


class Sweepers:
    """All sweeps of one run.

    Args:
        grounds: What they share with the workers.

    Attributes:
        hosts: Of every process that there was.
        went_on: Whether the one that ended last has gone on with a run that another had begun before it was there.
    """

    def __init__(self, grounds: Grounds) -> None:
        self.hosts: list[Host] = []
        self.went_on = False
        self._grounds = grounds
        self._rng = Random(f"sweeps {grounds.plan.seed}")  # noqa: S311  # repeatable on purpose
        self._running: dict[asyncio.Task[SweepReport], tuple[str, Host, Line]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self, *, killed_after: float = 0.0, is_last: bool = False) -> None:
        """A process that sweeps everything.

        Args:
            killed_after: Seconds; 0: it is not killed on purpose.
            is_last: Whether nothing may go wrong with it any more.
        """
        grounds, rng = self._grounds, self._rng
        name = f"s{len(self.hosts) + 1}"
        host = Host(name)
        clock = LoopClock(START, timedelta(seconds=rng.uniform(-3, 3)))
        line = Line(
            host, name, rng, grounds.plan.rates, grounds.weather, grounds.trace, lambda why: self._kill(name, why)
        )
        sweep = Sweep(
            SweepWorld(
                estate=linked_estate(line, grounds),
                ledger=LinkedSweepLedger(line, grounds),
                register=linked_register(line, clock, grounds.register),
                queue=LinkedSweepQueue(line, grounds, since=grounds.loop.time()),
                objects=LinkedObjects(line, grounds.objects, grounds.oracle),
                settings=grounds.settings,
                clock=clock,
            ),
            shuffle=rng.shuffle,
        )
        accounts = sorted({one.arn.account for one in grounds.plan.functions})
        self.hosts.append(host)
        grounds.trace.note(name, "begins to sweep")
        working = sweep.run(SweepScope(profile_id=PROFILE.id), accounts, is_organization=True)
        task = grounds.loop.create_task(working, context=host.context)
        self._running[task] = name, host, line
        self._idle.clear()
        since = grounds.loop.time()
        task.add_done_callback(lambda ended: self._ended(ended, since, is_last=is_last), context=grounds.world)
        if killed_after:
            grounds.loop.call_later(killed_after, self._kill, name, "from outside", context=grounds.world)

    async def ended(self) -> None:
        """Wait until none runs."""
        await self._idle.wait()

    def kill(self) -> None:
        """All of them."""
        for name, _, _ in list(self._running.values()):
            self._kill(name, "at the end")

    def _kill(self, name: str, why: str) -> None:
        for task, (one, host, line) in list(self._running.items()):
            if one == name:
                self._grounds.trace.note(name, "is killed", why)
                self._grounds.trace.count("sweep: killed")
                self._grounds.loop.kill(host)
                line.is_over = True
                self._forget(task)

    def _ended(self, task: asyncio.Task[SweepReport], since: float, *, is_last: bool) -> None:
        if task not in self._running:
            return
        name, _, _ = self._running[task]
        grounds, how = self._grounds, "crashed"
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            report = task.result()
            how = "stopped" if report.stopped else "done" if report.is_complete else "done in part"
            if is_last:
                grounds.oracle.sweeps.last_ended(name, report, since)
            self.went_on = report.run is not None and report.run.started_at < moment(since - CLOCKS)
            grounds.trace.note(name, "ends", how, report.counts)
        elif isinstance(error, Retry) and not is_last:
            how = "gave up"
        else:
            grounds.scene.violated(0, f"{name} has crashed: {error!r}")
        grounds.trace.count(f"sweep: {how}")
        self._forget(task)

    def _forget(self, task: asyncio.Task[SweepReport]) -> None:
        self._running.pop(task, None)
        if not self._running:
            self._idle.set()
