"""A queue of messages that are alike but for the moment at which they came."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Parcel:
    """Messages that came together.

    Attributes:
        at: When, in seconds.
        count: How many.
        key: Which functions they are of.
    """

    at: float
    count: int
    key: int


@dataclass(slots=True)
class Line:
    """First in, first out.

    Attributes:
        waiting: Messages in it.
    """

    waiting: int = 0
    _parcels: deque[Parcel] = field(default_factory=deque)

    def put(self, parcel: Parcel) -> None:
        """Add messages."""
        self._parcels.append(parcel)
        self.waiting += parcel.count

    def take(self, limit: int) -> Parcel:
        """The oldest, at most so many, all of one parcel.

        Raises:
            IndexError: There is none.
        """
        first = self._parcels[0]
        taken = Parcel(first.at, min(limit, first.count), first.key)
        first.count -= taken.count
        self.waiting -= taken.count
        if not first.count:
            self._parcels.popleft()
        return taken

    def age(self, now: float) -> float:
        """Seconds since the oldest came; 0 without one."""
        return now - self._parcels[0].at if self._parcels else 0.0

    def drain(self) -> list[Parcel]:
        """Everything in it, which it then does not hold any more."""
        left = list(self._parcels)
        self._parcels.clear()
        self.waiting = 0
        return left
