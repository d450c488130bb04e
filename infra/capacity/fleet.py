"""The running tasks as one pool of slots, and who may have the next one: as `worker.room` and `worker.places` do it."""

from dataclasses import dataclass, field

from infra.capacity.overhead import SWEEP_PATIENCE
from infra.capacity.workload import Setup


@dataclass(slots=True, kw_only=True)
class Fleet:
    """What runs. Messages are taken to be spread over the tasks at random, as SQS's receivers get them.

    Attributes:
        setup: Of the tasks.
        accounts: That share the slots.
        most: Scans at once that AWS's limits allow, whatever the tasks could; None for any number.
        tasks: That receive.
        changes: Slots that hold changes.
        swept: Slots that hold what the sweep has queued.
        unseen: Slots that the sweep has left and that no worker has looked at since.
    """

    setup: Setup
    accounts: int
    most: int | None = None
    tasks: int = 0
    changes: int = 0
    swept: int = 0
    unseen: int = 0
    _passed_over: float = 0.0
    _each: int = field(init=False)
    _swept_each: int = field(init=False)
    _swept_beside: int = field(init=False)

    def __post_init__(self) -> None:
        share = self.accounts * self.setup.sweep_slots_an_account
        self._each = min(self.setup.slots, self.accounts * self.setup.account_slots)
        self._swept_each = min(self.setup.sweep_slots, share)
        self._swept_beside = min(self.setup.sweep_slots_beside_changes, share)

    @property
    def slots(self) -> int:
        """All that can be used at once. One account has no more than its share of each task."""
        slots = self.tasks * self._each
        return slots if self.most is None or slots < self.most else self.most

    @property
    def free(self) -> int:
        """Slots without a message; after a task has gone it may be none for a while."""
        return max(0, self.slots - self.changes - self.swept)

    @property
    def sweep_slots(self) -> int:
        """All that the sweep may have at once: more in each task that has no change in hand."""
        if not self.tasks:
            return 0
        without = self.tasks * (1 - 1 / self.tasks) ** self.changes
        more = int(without * (self._swept_each - self._swept_beside) + 1e-9)
        return min(self.tasks * self._swept_beside + more, self.slots)

    @property
    def sweep_room(self) -> int:
        """Slots that the sweep may take now."""
        return max(0, min(self.free, self.sweep_slots - self.swept - self.unseen))

    @property
    def owes_the_sweep(self) -> bool:
        """Changes have had every slot for so many turns that the next one is the sweep's."""
        return self._passed_over >= SWEEP_PATIENCE and self.swept < self.tasks

    def give_to_change(self, count: int, *, sweep_waits: bool) -> None:
        """So many slots take changes.

        Args:
            count: Slots.
            sweep_waits: Whether the sweep queue holds something that gets no slot by that.
        """
        self.changes += count
        if sweep_waits and not self.sweep_room and self.tasks:
            # Each task counts its own turns, and those alone in which it has nothing of the sweep.
            self._passed_over += count * max(0, self.tasks - self.swept) / self.tasks

    def give_to_sweep(self, count: int) -> None:
        """So many slots take what was swept."""
        self.swept += count
        self._passed_over = 0.0

    def idle_tasks(self) -> int:
        """Tasks without a message, which alone are taken away: one that scans is protected."""
        if not self.tasks:
            return 0
        busy = min(1.0, (self.changes + self.swept) / (self.tasks * self.setup.slots))
        return int(self.tasks * (1 - busy) ** self.setup.slots + 1e-9)
