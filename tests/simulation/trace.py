"""What happened, in order, and how often each kind of thing did."""

import hashlib
from collections import Counter
from collections.abc import Callable


class Trace:
    """One run's record.

    Args:
        time: Seconds of virtual time.

    Attributes:
        lines: Second, who, what.
        counts: Of each fault, ending, accident: a kind that never happens is not tested.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self.lines: list[tuple[float, str, str, tuple[object, ...]]] = []
        self.counts: Counter[str] = Counter()

    def note(self, who: str, what: str, *about: object) -> None:
        """One line."""
        self.lines.append((self._time(), who, what, about))

    def count(self, what: str) -> None:
        """One more of this kind."""
        self.counts[what] += 1

    def text(self, last: int | None = None) -> list[str]:
        """The lines for a reader."""
        lines = self.lines if last is None else self.lines[-last:]
        return [f"{second:11.3f} {who:<7} {what} {' '.join(map(str, about))}" for second, who, what, about in lines]

    def digest(self) -> str:
        """The same for two runs only if both did the same things at the same times."""
        return hashlib.sha256("\n".join(self.text()).encode()).hexdigest()
