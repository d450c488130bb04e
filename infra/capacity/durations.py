"""How long scans take."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from infra.capacity.workload import Demand

VARIATION = 0.6
"""Standard deviation by mean; assumed. A scan's time is a product (size, number of files, how busy line and Qualys
are), and a product of many independent factors is lognormal: never negative, most below the mean, few far above."""

Draw = Callable[[random.Random], float]
"""Seconds of one scan."""


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Lognormal seconds.

    Attributes:
        mean: Seconds, above 0.
        variation: Standard deviation by mean; 0 makes all alike.
    """

    mean: float
    variation: float = VARIATION

    def __call__(self, chance: random.Random) -> float:
        """One draw."""
        if not self.variation:
            return self.mean
        variance = math.log1p(self.variation**2)
        return chance.lognormvariate(math.log(self.mean) - variance / 2, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Mixed:
    """Packages and images, each lognormal, with the seconds that the worker adds.

    Attributes:
        zip_share: Of packages.
        package: Their seconds.
        image: Those of images.
        added: What the worker adds to each.
    """

    zip_share: float
    package: Lognormal
    image: Lognormal
    added: float

    def __call__(self, chance: random.Random) -> float:
        """One draw."""
        kind = self.package if self.zip_share >= 1 or chance.random() < self.zip_share else self.image
        return kind(chance) + self.added


def durations(demand: Demand, added: float) -> Mixed:
    """Those of an organization's scans."""
    return Mixed(demand.zip_share, Lognormal(demand.scan_seconds), Lognormal(demand.image_seconds), added)
