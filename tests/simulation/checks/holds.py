"""Invariants 6, 7 and 8: what is held stays held, is not too much, and is given back by who stops."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.message import Message
from tests.simulation.scene import GRACE, Machine, Scene

TWELVE_HOURS = 43_000.0
"""Seconds; SQS's most, less what a worker keeps as a margin."""


@dataclass(slots=True)
class Hold:
    """One delivery in a worker's hands.

    Attributes:
        handle: Of the delivery.
        since: Second.
        kept_at: When the worker last knew that it was kept invisible for a whole visibility timeout.
        excused: Why it may come again although it is held: the worker was told, or the world has its whims.
        is_settling: Whether the worker has said what is to become of it.
    """

    handle: str
    since: float
    kept_at: float
    excused: str = ""
    is_settling: bool = False


class Holds:
    """Who holds what."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._held: dict[tuple[str, str], Hold] = {}

    def taken(self, worker: str, messages: Sequence[Message]) -> None:
        """The queue gave them out; whether the answer arrives is another matter."""
        machine = self._scene.machines[worker]
        if machine.stopped_at is not None and machine.stopped_at < self._scene.time():
            self._scene.violated(7, f"{worker} receives after it was told to stop")
        for message in messages:
            for (holder, message_id), hold in list(self._held.items()):
                if message_id == message.id:
                    self._redelivered(holder, message_id, hold)

    def _redelivered(self, holder: str, message_id: str, hold: Hold) -> None:
        now, machine = self._scene.time(), self._scene.machines[holder]
        well = machine.untroubled_since(hold.kept_at - 1)
        if hold.excused or hold.is_settling or now - hold.since > TWELVE_HOURS or not well:
            hold.excused = hold.excused or "redelivered"
            return
        self._scene.violated(8, f"message {message_id} comes again, though {holder} has held it since {hold.since:.3f}")

    def received(self, worker: str, messages: Sequence[Message]) -> None:
        now = self._scene.time()
        for message in messages:
            self._held[worker, message.id] = Hold(message.receipt_handle, now, now)
        # What a troubled worker holds cannot be seen from here: it may have given up what it could not extend.
        machine = self._scene.machines[worker]
        held = [
            hold
            for (holder, _), hold in self._held.items()
            if holder == worker
            and not hold.excused
            and not hold.is_settling
            and machine.line.troubled_until < hold.since
            # Nor what one that stood still has taken for lost.
            and machine.thawed_at < hold.since
        ]
        if len(held) > 2 * self._scene.plan.slots:
            self._scene.violated(6, f"{worker} holds {len(held)} messages with {self._scene.plan.slots} slots")

    def settling(self, worker: str, message: Message) -> None:
        """The worker is about to say what is to become of it."""
        hold = self._held.get((worker, message.id))
        if hold is not None and hold.handle == message.receipt_handle:
            hold.is_settling = True

    def parting(self, worker: str, message_id: str) -> None:
        """The worker gives up its leases: the first step of letting the message go, after which it keeps it no more."""
        hold = self._held.get((worker, message_id))
        if hold is not None:
            hold.is_settling = True

    def settled(self, worker: str, message: Message) -> None:
        """That has taken effect."""
        hold = self._held.get((worker, message.id))
        if hold is not None and hold.handle == message.receipt_handle:
            del self._held[worker, message.id]

    def extended(self, worker: str, messages: Sequence[Message], failed: Sequence[Message]) -> None:
        """The worker was told which of them it has lost."""
        lost = {message.receipt_handle for message in failed}
        for message in messages:
            hold = self._held.get((worker, message.id))
            if hold is None or hold.handle != message.receipt_handle:
                continue
            if hold.handle in lost:
                hold.excused = hold.excused or "not extended"
                self._must_end(worker, message.id)
            else:
                hold.kept_at = self._scene.time()

    def keeps(self, worker: str, message_id: str) -> bool:
        """Whether it holds the message, for all that it knows."""
        hold = self._held.get((worker, message_id))
        return hold is not None and not hold.excused

    def whim(self, message_id: str) -> None:
        """The queue delivers it again, for no reason."""
        for (_, held), hold in self._held.items():
            if held == message_id:
                hold.excused = "whim"

    def ended(self, worker: str, machine: Machine, *, how: str) -> None:
        """A process is gone."""
        now = self._scene.time()
        for (holder, message_id), hold in list(self._held.items()):
            if holder != worker:
                continue
            del self._held[holder, message_id]
            since = machine.stopped_at
            if how == "killed" or since is None or hold.excused:
                continue
            troubled = machine.line.troubled_until >= min(since, hold.since) or machine.thawed_at >= since - GRACE
            queued = self._scene.queued(message_id)
            if not troubled and queued is not None and queued[0] == hold.handle and queued[1] > now:
                self._scene.violated(7, f"{worker} has ended and left message {message_id} invisible")

    def _must_end(self, worker: str, message_id: str) -> None:
        """A scan for a message that is lost must not go on."""
        scene = self._scene
        lost = [run for run in scene.running if run.worker == worker and run.message == message_id]
        if not lost:
            return

        def look() -> None:
            if all(run.is_over for run in lost) or scene.violation is not None:
                return
            machine = scene.machines[worker]
            if machine.is_frozen or machine.thawed_at > scene.time() - GRACE:
                scene.later(GRACE, look)
            else:
                scene.violated(8, f"{worker} scans on for message {message_id}, which it has lost")

        scene.later(GRACE, look)
