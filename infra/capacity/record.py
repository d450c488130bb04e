"""What a run of the model has seen."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(slots=True)
class Latencies:
    """Seconds from a change's arrival to its result, each with how many changes it stands for."""

    _pairs: list[tuple[float, int]] = field(default_factory=list)

    def add(self, seconds: float, count: int) -> None:
        """So many changes took so long."""
        self._pairs.append((seconds, count))

    @property
    def count(self) -> int:
        """Changes."""
        return sum(count for _, count in self._pairs)

    @property
    def mean(self) -> float:
        """Seconds; 0 without a change."""
        return sum(seconds * count for seconds, count in self._pairs) / self.count if self._pairs else 0.0

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        """The seconds that these shares (0 to 1) of the changes did not exceed; 0 without a change."""
        if not self._pairs:
            return (0.0,) * len(shares)
        ordered = sorted(self._pairs)
        sums = list(accumulate(count for _, count in ordered))
        return tuple(ordered[min(bisect_left(sums, share * sums[-1]), len(ordered) - 1)][0] for share in shares)

    def within(self, seconds: float) -> float:
        """The share of the changes that took no longer; 1 without a change."""
        return sum(count for took, count in self._pairs if took <= seconds) / self.count if self._pairs else 1.0


@dataclass(slots=True, kw_only=True)
class Minute:
    """One minute.

    Attributes:
        tasks: Running at its end.
        visible: Messages that wait in both queues at its end.
        held: Messages in hand at its end.
        arrived: Changes that came.
        listed: Functions that the sweep queued.
        started: Scans that began.
        launched: Tasks that began to start.
    """

    tasks: int = 0
    visible: int = 0
    held: int = 0
    arrived: int = 0
    listed: int = 0
    started: int = 0
    launched: int = 0


@dataclass(slots=True, kw_only=True)
class Record:
    """A whole run; times in seconds from its beginning.

    Attributes:
        seconds: How long it was.
        ended_at: When the last of the first sweep's functions had its result; None if that was not reached.
        latencies: Of the changes; one that has none at the end counts with its age.
        scanned_changes: Changes that were scanned.
        covered_changes: Changes that a result was there for.
        scanned_swept: Functions that were scanned for the sweep.
        fresh_swept: Functions that the sweep had queued and that a change had brought a result for.
        longest_swept: The longest that something the sweep had queued waited for its turn.
        task_seconds: Seconds of tasks, from the beginning of their start to their end.
        minutes: One by one.
        minute: The one that has not ended yet.
        swept_by_hour: Functions of the sweep that were done, by the hour.
    """

    seconds: float = 0.0
    ended_at: float | None = None
    latencies: Latencies = field(default_factory=Latencies)
    scanned_changes: int = 0
    covered_changes: int = 0
    scanned_swept: int = 0
    fresh_swept: int = 0
    longest_swept: float = 0.0
    task_seconds: float = 0.0
    minutes: list[Minute] = field(default_factory=list)
    minute: Minute = field(default_factory=Minute)
    swept_by_hour: dict[int, int] = field(default_factory=dict)

    def close_minute(self, *, tasks: int, visible: int, held: int) -> None:
        """A minute has ended, with so much; the next one begins. For the figures see `Minute`."""
        self.minute.tasks, self.minute.visible, self.minute.held = tasks, visible, held
        self.minutes.append(self.minute)
        self.minute = Minute()

    @property
    def mean_tasks(self) -> float:
        """Tasks, on average."""
        return self.task_seconds / self.seconds if self.seconds else 0.0

    @property
    def peak_tasks(self) -> int:
        """Tasks, at the most."""
        return max((one.tasks for one in self.minutes), default=0)

    @property
    def swept(self) -> int:
        """Functions of the sweep that are done."""
        return self.scanned_swept + self.fresh_swept

    def busiest(self, figure: Callable[[Minute], float], *, minutes: int = 5) -> float:
        """The most that a figure of the minutes comes to in so many of them, by the second."""
        values = [figure(one) for one in self.minutes]
        sums = [0.0, *accumulate(values)]
        window = min(minutes, len(values))
        most = max((sums[first + window] - sums[first] for first in range(len(values) - window + 1)), default=0.0)
        return most / (window * 60) if window else 0.0
