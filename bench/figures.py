"""What was measured, beside what is to be reached."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured.
        value: In `unit`.
        limit: What it may be at the most, or, with `least`, at the least; None where nothing is set.
        unit: Such as `ms`; empty for a plain number.
        beside: What it stands against, or how it came about.
        strict: Whether the limit itself is too much.
        least: Whether more is better.
    """

    name: str
    value: float
    limit: float | None
    unit: str = ""
    beside: str = ""
    strict: bool = False
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        if self.limit is None:
            return True
        if self.least:
            return self.value >= self.limit
        return self.value < self.limit if self.strict else self.value <= self.limit

    def shown(self, value: float) -> str:
        """A value of this figure with its unit."""
        digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
        text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits < 3 else f"{value:.3f}"
        return f"{text} {self.unit}".rstrip()

    @property
    def target(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return ""
        word = "at least" if self.least else "under" if self.strict else "at most"
        return f"{word} {self.limit:g} {self.unit}".rstrip()


Tell = Callable[[str], None]
"""Says what is being done."""


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile: a value that was really measured."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * round(share * 100) // 100) - 1)]
