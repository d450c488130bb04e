"""Metrics kept in a list."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.metric_table import check


@dataclass(frozen=True, slots=True)
class Emission:
    """One call."""

    values: Mapping[str, float]
    dimensions: Mapping[str, str]
    properties: Mapping[str, str]


class MemoryMetrics:
    """Keeps what was emitted, in order.

    Attributes:
        emitted: Every call.
    """

    def __init__(self) -> None:
        self.emitted: list[Emission] = []

    def emit(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], **properties: str) -> None:
        """See `worker.ports.Metrics`.

        Raises:
            ValueError: A name is in no table of `hub.metric_table`.
        """
        check(values, dimensions)
        self.emitted.append(Emission(dict(values), dict(dimensions), properties))

    def total(self, label: str) -> float:
        """The sum of one metric over all calls."""
        return sum(one.values.get(label, 0.0) for one in self.emitted)
