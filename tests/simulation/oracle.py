"""Sees every effect on the world, and asks each check whether the invariants hold."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hub.message import Message, Parking
from hub.notification import Notification
from hub.scans import Lease
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from tests.simulation.checks.effects import Effects
from tests.simulation.checks.fates import Fates
from tests.simulation.checks.holds import Holds
from tests.simulation.checks.leases import Leases
from tests.simulation.checks.limits import Limits
from tests.simulation.checks.objective import ObjectiveCheck
from tests.simulation.checks.outages import Outages
from tests.simulation.checks.pauses import Pauses
from tests.simulation.checks.protection import ProtectionCheck
from tests.simulation.checks.results import ResultsCheck
from tests.simulation.checks.sightings import SightingsCheck
from tests.simulation.checks.sweeps import Sweeps
from tests.simulation.scene import GRACE, Item, Machine, Run, Scene
from tests.simulation.trace import Trace
from tests.simulation.truth import Function


class Oracle:
    """One run's judge."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.leases = Leases(scene)
        self.fates = Fates(scene, self.leases)
        self.holds = Holds(scene)
        self.limits = Limits(scene)
        self.results = ResultsCheck(scene)
        self.effects = Effects(scene)
        self.outages = Outages(scene)
        self.protection = ProtectionCheck(scene)
        self.sightings = SightingsCheck(scene)
        self.pauses = Pauses(scene)
        self.sweeps = Sweeps(scene)
        self.objective = ObjectiveCheck(scene)

    @property
    def trace(self) -> Trace:
        return self.scene.trace

    def item_written(self, pk: str, sk: str, before: Item, after: Item) -> None:
        if sk == "state":
            self.trace.note("ledger", "state", pk, after.get("state"), after.get("asOf"))
            self.results.state_written(pk, before, after)
            self.sweeps.state_written(pk, before, after)
        elif sk.startswith("scan#"):
            self.trace.note("ledger", "scan key", pk, sk[:17], after.get("leaseOwner"), sorted(after.get("owed", ())))
            self.leases.written(pk, sk, before, after)
            self.results.committed(pk, sk, before, after)
            self.effects.written(pk, before, after)
            self.objective.written(after)
        elif pk == "sightings":
            self.trace.note("ledger", "sighting", sk, after.get("eventAt"))
            self.trace.count("sighting")
            self.sightings.written(sk, before, after)
        elif pk == "accounts":
            self.trace.note("ledger", "account", sk, after.get("claimOwner"), after.get("sweptAt"))
            self.sweeps.account_written(sk, before, after)
        elif sk == "tries":
            for name in after.keys() - before.keys():
                if name.startswith("try#"):
                    self.trace.note("ledger", "try", pk, name)
                    self.trace.count(f"try: {name.split('#')[2]}")

    def claimed(self, worker: str, lease: Lease) -> None:
        self.trace.note(worker, "claimed", lease.key.function, lease.key.fingerprint[:12], lease.owner)
        self.leases.claimed(worker, lease)

    def taken(self, worker: str, messages: Sequence[Message]) -> None:
        for message in messages:
            self.trace.note(worker, "takes", message.id, message.receive_count)
            self.fates.taken(message)
            if message.receive_count > 1:
                self.trace.count("redelivery")
        self.holds.taken(worker, messages)
        self.pauses.taken(worker)

    def received(self, worker: str, messages: Sequence[Message]) -> None:
        self.holds.received(worker, messages)

    def extended(self, worker: str, messages: Sequence[Message], failed: Sequence[Message]) -> None:
        for message in failed:
            self.trace.note(worker, "lost", message.id)
            self.trace.count("message lost")
        self.holds.extended(worker, messages, failed)

    def settling(self, worker: str, message: Message) -> None:
        self.holds.settling(worker, message)

    def parting(self, worker: str, message_id: str) -> None:
        self.holds.parting(worker, message_id)

    def given_back(self, worker: str, message: Message, delay: timedelta) -> None:
        self.trace.note(worker, "gives back", message.id, round(delay.total_seconds(), 3))
        self.trace.count("given back")
        self.holds.settled(worker, message)

    def deleted(self, worker: str, message: Message, *, effective: bool) -> None:
        self.trace.note(worker, "deletes", message.id, effective)
        self.holds.settled(worker, message)
        if effective:
            self.fates.deleted(worker, message)
        else:
            self.trace.count("stale delete")

    def parked(self, worker: str, message: Message, parking: Parking, *, effective: bool) -> None:
        self.trace.note(worker, "parks", message.id, parking.reason, effective)
        self.holds.settled(worker, message)
        self.fates.parked(worker, message, parking, effective=effective)

    def swept(self, sweeper: str, function: Function, message_id: str, *, since: float) -> None:
        """A sweep has queued a function; its process began at that second."""
        self.trace.note(sweeper, "queues", function.arn.name, message_id)
        self.trace.count("sent: by a sweep")
        self.sweeps.sent(sweeper, function, since)

    def describing(self, worker: str, function: FunctionArn) -> None:
        self.trace.note(worker, "describes", function.name)
        self.limits.describing(worker, function)

    def refused(self, worker: str, account: str) -> None:
        self.trace.count("account refuses")
        self.limits.refused(worker, account)

    def admitted(self, worker: str, account: str) -> None:
        self.limits.admitted(worker, account)

    def stored(self, worker: str, key: str) -> None:
        self.trace.note(worker, "stores", key)
        self.results.stored(worker, key)

    def tagged(self, worker: str, function: FunctionArn, tags: Mapping[str, str]) -> None:
        self.trace.note(worker, "tags", function.name)
        self.effects.tagged(worker, function, tags)

    def notified(self, worker: str, notification: Notification) -> None:
        self.trace.note(worker, "tells", notification.kind.value)
        self.effects.notified(worker, notification)
        self.outages.notified(worker, notification)

    def measured(self, worker: str, values: Mapping[str, float], properties: Mapping[str, str]) -> None:
        if "scan_id" in properties:
            self.effects.measured(worker, properties["scan_id"], values)
        self.outages.measured(worker, values)

    def protected(self, worker: str, *, until: float | None) -> None:
        self.trace.note(worker, "protected" if until else "unprotected")
        self.trace.count("protected" if until else "unprotected")
        self.protection.set(worker, until)

    def scan_started(self, worker: str, snapshot: FunctionSnapshot, session: str) -> Run:
        scene = self.scene
        run = Run(worker, snapshot.arn.unqualified, snapshot.fingerprint, session, scene.time())
        scene.runs.append(run)
        scene.running.append(run)
        self.trace.note(worker, "scans", run.function.name, run.content[:12])
        self.trace.count("scan")
        self.leases.scan_started(run)
        self.results.scan_started(run)
        self.limits.scan_started(run)
        self.outages.scan_started(run)
        self.protection.scan_started(run)
        return run

    def scan_failed(self, run: Run, why: str) -> None:
        self.trace.note(run.worker, "scan fails", run.function.name, why)
        self.trace.count(f"scan: {why}")
        if self.holds.keeps(run.worker, run.message):
            self.outages.scan_failed(run, why)

    def scan_passed(self, run: Run) -> None:
        self.outages.scan_passed(run)

    def scan_ended(self, run: Run, marker: str | None) -> None:
        run.ended_at, run.marker = self.scene.time(), marker
        self.scene.running.remove(run)
        self.trace.note(run.worker, "scan ends", run.function.name, marker)

    def started(self, worker: str, machine: Machine) -> None:
        self.trace.note(worker, "starts")
        self.scene.machines[worker] = machine
        self.limits.started(worker)
        self.protection.started(worker)
        self.outages.started(worker)

    def stopping(self, worker: str) -> None:
        """The signal has reached the process."""
        machine = self.scene.machines[worker]
        self.trace.note(worker, "is told to stop")
        if machine.stopped_at is None:
            machine.stopped_at = self.scene.time()

    def ended(self, worker: str, *, how: str) -> None:
        """A process is gone: "killed", "stopped", "exit 1" or "exit 2"."""
        machine = self.scene.machines[worker]
        machine.ended_at = self.scene.time()
        self.trace.note(worker, "ends", how)
        self.trace.count(f"worker: {how}")
        if how != "killed":
            for run in self.scene.running:
                if run.worker == worker and not machine.line.troubled_until >= machine.ended_at - GRACE:
                    self.scene.violated(7, f"{worker} has ended while it scans {run.function}")
            self._in_time(worker, machine)
        self.holds.ended(worker, machine, how=how)

    def _in_time(self, worker: str, machine: Machine) -> None:
        since = machine.stopped_at
        if since is None or machine.line.troubled_until >= since or machine.thawed_at >= since:
            return
        took = self.scene.time() - since
        if took > self.scene.plan.drain + 60:
            self.scene.violated(7, f"{worker} took {took:.0f} s to stop, {self.scene.plan.drain} s are allowed")

    def whim(self, message_id: str) -> None:
        """The queue is about to deliver a message again, for no reason."""
        self.trace.note("queue", "delivers again", message_id)
        self.trace.count("whim")
        self.holds.whim(message_id)
        self.objective.whim()
        self.effects.whim(self.scene.letters[message_id].function.arn)

    def finished(self) -> None:
        """The world is at rest."""
        self.fates.finished()
        self.outages.finished()
        self.protection.finished()
        self.sightings.finished()
        self.objective.finished()
