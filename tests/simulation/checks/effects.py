"""Invariants 3 and 9: what a result owes is done before it is marked, and once, unless a fault came between."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.notification import Notification
from spoke.arn import FunctionArn
from tests.simulation.scene import Item, Machine, Scene
from tests.simulation.truth import moment

TIMESTAMP = "QualysScanTimestamp"


@dataclass(slots=True)
class Deed:
    """One effect of one result that was performed."""

    machine: Machine
    at: float


class Effects:
    """Remembers what was performed."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._deeds: dict[tuple[str, str], Deed] = {}
        self._whims: dict[str, float] = {}

    def tagged(self, worker: str, function: FunctionArn, tags: Mapping[str, str]) -> None:
        self._done(worker, "tag", f"{function} {tags[TIMESTAMP]} {tags['QualysScanStatus']}")

    def notified(self, worker: str, notification: Notification) -> None:
        if notification.kind.value == "findings" and notification.summary is not None:
            self._done(worker, "notify", notification.summary.scan_id)

    def measured(self, worker: str, scan_id: str, values: Mapping[str, float]) -> None:
        if "ScansFailed" not in values:
            self._done(worker, "metrics", scan_id)

    def whim(self, function: FunctionArn) -> None:
        """The queue delivers a message about it again."""
        self._whims[str(function)] = self._scene.time()

    def written(self, pk: str, before: Item, after: Item) -> None:
        """An item of a scan key was written: is an effect marked that was not performed?"""
        summary = after.get("summary")
        if summary is None or before.get("summary") != summary:
            return
        for effect in before.get("owed", frozenset()) - after.get("owed", frozenset()):
            function = pk.removeprefix("function#")
            if effect == "tag":
                if not self._is_tagged(function, summary):
                    self._scene.violated(3, f"the tags of {function} are marked as written, and are not")
            elif (effect, summary["scanId"]) not in self._deeds:
                self._scene.violated(3, f"{effect} of {summary['scanId']} is marked as done, and is not")

    def _is_tagged(self, function: str, summary: Item) -> bool:
        completed = f"{moment(0).fromtimestamp(summary['completedAt'] / 1000, moment(0).tzinfo):%Y-%m-%dT%H:%M:%SZ}"
        if ("tag", f"{function} {completed} {summary['status']}") in self._deeds:
            return True
        truth = next((one for one in self._scene.organization.functions.values() if str(one.arn) == function), None)
        return truth is None or truth.tags.get(TIMESTAMP) == completed

    def _done(self, worker: str, effect: str, what: str) -> None:
        scene, machine = self._scene, self._scene.machines[worker]
        first = self._deeds.get((effect, what))
        self._deeds[effect, what] = Deed(machine, scene.time())
        if first is None:
            return
        scene.trace.count(f"repeated: {effect}")
        # Who stood still meanwhile could not know that another has finished it.
        if not self._may_have_failed(first) and machine.thawed_at < first.at:
            scene.violated(9, f"{effect} of {what} is performed a second time, though nothing went wrong")

    def _may_have_failed(self, first: Deed) -> bool:
        machine = first.machine
        return (
            not machine.is_alive
            or machine.stopped_at is not None
            or machine.line.is_cut
            or machine.line.troubled_until >= first.at - 1
            or machine.thawed_at >= first.at - 1
            or machine.is_frozen
            # Two deliveries of one message may both finish what is owed.
            or any(second >= first.at - self._scene.plan.visibility - 60 for second in self._whims.values())
        )
