"""The tasks: how they start and go, and how much time of them is used."""

from collections.abc import Callable
from dataclasses import dataclass, field

import simpy

from infra.capacity import overhead
from infra.capacity.fleet import Fleet
from infra.capacity.record import Record
from infra.capacity.scaling import LAUNCHES_A_MINUTE
from infra.capacity.timer import after
from infra.capacity.workload import Setup


@dataclass(kw_only=True)
class Workforce:
    """Brings the fleet's tasks to the number that is wanted.

    Attributes:
        setup: Of the service.
        env: In whose time.
        fleet: The tasks that run.
        record: Told of launches and of the time of the tasks.
        on_start: Called when tasks have started.
        running_seconds: Of all tasks that ran, up to the last `count`.
    """

    setup: Setup
    env: simpy.Environment
    fleet: Fleet
    record: Record
    on_start: Callable[[], None]
    running_seconds: float = field(default=0.0, init=False)
    _starting: int = field(default=0, init=False)
    _counted_at: float = field(default=0.0, init=False)

    @property
    def there(self) -> int:
        """Tasks that run or start."""
        return self.fleet.tasks + self._starting

    def adjust(self, wanted: int) -> None:
        """Start what is wanted and not there, or take away what is there and idle."""
        if (more := min(wanted - self.there, LAUNCHES_A_MINUTE)) > 0:
            self.count()
            self._starting += more
            self.record.minute.launched += more
            seconds = overhead.start_seconds(self.setup.worker_image_mb)
            after(self.env, seconds, lambda: self._started(more))
        elif (less := min(self.there - wanted, self.fleet.idle_tasks())) > 0:
            self.count()
            self.fleet.tasks -= less

    def count(self) -> None:
        """Add up the time of the tasks so far. Whoever changes their number does so before it."""
        passed = self.env.now - self._counted_at
        self.running_seconds += self.fleet.tasks * passed
        self.record.task_seconds += self.there * passed
        self._counted_at = self.env.now

    def _started(self, count: int) -> None:
        self.count()
        self._starting -= count
        self.fleet.tasks += count
        self.on_start()
