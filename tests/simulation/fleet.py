"""The workers: real services, each on a machine of its own, started anew whenever one has ended."""

import asyncio
from datetime import timedelta
from random import Random

from hub.results import Results
from spoke.errors import HostFault, Misconfigured
from tests.simulation.grounds import Grounds
from tests.simulation.line import Line
from tests.simulation.links import (
    LinkedLedger,
    LinkedMetrics,
    LinkedNotifier,
    LinkedObjects,
    LinkedProtection,
    LinkedQueue,
    LinkedSpoke,
    linked_register,
)
from tests.simulation.loop import Host
from tests.simulation.scanner import LinkedScanner
from tests.simulation.scene import Machine
from tests.simulation.truth import START
from worker.memory.clock import LoopClock
from worker.service import Service
from worker.tally import Tally
from worker.world import World


class Worker:
    """One worker's place in the fleet; processes come and go in it.

    Args:
        name: For the trace.
        skew: Of its clock, in seconds.
        grounds: What it shares.
        rng: Decides what befalls it.
    """

    def __init__(self, name: str, skew: float, grounds: Grounds, rng: Random) -> None:
        self.name = name
        self.hosts: list[Host] = []
        self._skew = timedelta(seconds=skew)
        self._grounds = grounds
        self._rng = rng
        self._machine: Machine | None = None
        self._scanner: LinkedScanner | None = None
        self._service: Service | None = None
        self._is_over = False

    @property
    def machine(self) -> Machine | None:
        """The process that runs now."""
        return self._machine

    def start(self) -> None:
        """A new process: everything that it knew is forgotten."""
        grounds = self._grounds
        if self._is_over or self._machine is not None:
            return
        host = Host(self.name)
        self.hosts.append(host)
        clock = LoopClock(START, self._skew)
        rates, oracle = grounds.plan.rates, grounds.oracle
        line = Line(host, self.name, self._rng, rates, grounds.weather, oracle.trace, self.kill)
        self._machine = Machine(host, line, grounds.loop.time())
        self._scanner = LinkedScanner(
            line, clock, grounds.organization, grounds.qualys, oracle, grounds.plan, self._rng, grounds.world, self.kill
        )
        world = World(
            settings=grounds.settings,
            clock=clock,
            spoke=LinkedSpoke(line, clock, grounds.organization, oracle),
            ledger=LinkedLedger(line, grounds.ledger, oracle),
            results=Results(LinkedObjects(line, grounds.objects, oracle), now=clock.now),
            scanner=self._scanner,
            notifier=LinkedNotifier(line, grounds.notifier, oracle),
            metrics=LinkedMetrics(line, oracle),
            protection=LinkedProtection(line, oracle),
            register=linked_register(line, clock, grounds.register),
            version="0.0.0",
        )
        everything = list(grounds.queues.values())
        queues = {
            source: LinkedQueue(line, clock, queue, oracle, rates, everything, grounds.bell)
            for source, queue in grounds.queues.items()
        }
        oracle.started(self.name, self._machine)
        self._service = Service(queues, world, renew_credentials=self._renew)
        task = grounds.loop.create_task(self._service.run(), context=host.context)
        task.add_done_callback(self._ended, context=grounds.world)

    def stop(self, signals: int = 1) -> None:
        """SIGTERM, so many times."""
        if self._service is None or self._machine is None:
            return
        name, service, oracle = self.name, self._service, self._grounds.oracle

        def on_signal() -> None:
            oracle.stopping(name)
            service.stop()

        for _ in range(signals):
            self._grounds.loop.call_soon(on_signal, context=self._machine.host.context)

    def kill(self, why: str) -> None:
        """SIGKILL: its machine is gone, and what it ran."""
        if self._machine is None or self._scanner is None:
            return
        self._grounds.oracle.trace.note(self.name, "is killed", why)
        self._grounds.loop.kill(self._machine.host)
        self._machine.line.is_over = True
        self._scanner.died()
        self._gone("killed")

    def stall(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        machine = self._machine
        if machine is None or machine.is_frozen:
            return
        loop, oracle = self._grounds.loop, self._grounds.oracle
        oracle.trace.note(self.name, "stalls", seconds)
        loop.freeze(machine.host)

        def go_on() -> None:
            if machine.is_alive:
                oracle.trace.note(self.name, "goes on")
                machine.thawed_at = loop.time()
                loop.thaw(machine.host)

        loop.call_later(seconds, go_on, context=self._grounds.world)

    def cut(self, seconds: float) -> None:
        """Its network is gone for a while."""
        machine = self._machine
        if machine is None:
            return
        self._grounds.oracle.trace.note(self.name, "is cut off", seconds)
        machine.line.is_cut = True
        machine.line.trouble(seconds)

        def heal() -> None:
            machine.line.is_cut = False

        self._grounds.loop.call_later(seconds, heal, context=self._grounds.world)

    def retire(self) -> None:
        """Start no new process in this place."""
        self._is_over = True

    async def _renew(self) -> None:
        machine, scanner, grounds = self._machine, self._scanner, self._grounds
        if machine is None or scanner is None:
            raise AssertionError("a service without a process")
        await machine.line.request("secret", "read the secret")
        if grounds.qualys.secret != grounds.qualys.token and self._rng.random() < 0.1:
            grounds.oracle.outages.blamed(self.name)
            raise Misconfigured("the secret is not usable: qualys_access_token: field required")
        scanner.token = grounds.qualys.secret
        await machine.line.answer("secret", "read the secret")

    def _ended(self, task: asyncio.Task[Tally]) -> None:
        machine = self._machine
        if machine is None or machine.host.is_dead:
            return
        error = None if task.cancelled() else task.exception()
        how = "stopped"
        if isinstance(error, HostFault):
            how = "exit 1"
        elif isinstance(error, Misconfigured):
            how = "exit 2"
        elif error is not None or task.cancelled():
            self._grounds.oracle.scene.violated(0, f"{self.name} has crashed: {error!r}")
        elif machine.stopped_at is None:
            self._grounds.oracle.scene.violated(0, f"{self.name} has ended by itself")
        self._gone(how)
        if self._scanner is not None:
            self._scanner.died()
        machine.line.is_over = True

    def _gone(self, how: str) -> None:
        self._grounds.oracle.ended(self.name, how=how)
        self._machine = self._service = None
        # ECS puts another in its place.
        self._grounds.loop.call_later(self._rng.uniform(2, 60), self.start, context=self._grounds.world)
