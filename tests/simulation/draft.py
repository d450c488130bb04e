"""A plan in the making, and how what happens gets into it."""

from dataclasses import dataclass, field
from random import Random

from tests.simulation.plan import FunctionPlan, Happening, Trouble


@dataclass(slots=True)
class Draft:
    """A plan in the making."""

    rng: Random
    theme: str
    functions: list[FunctionPlan] = field(default_factory=list)
    happenings: list[tuple[float, Happening]] = field(default_factory=list)
    span: float = 0.0
    sweeps: bool = False
    is_swept: bool = False
    workers: int = 1
    calm_from: float = 0.0
    held_up: float = 0.0

    def has(self, family: str, chance: float) -> bool:
        """Whether this family of faults is in this plan."""
        if self.theme == family:
            return True
        return self.theme == "everything" and self.rng.random() < chance

    def add(self, second: float, happening: Happening) -> None:
        """It happens at that second."""
        self.happenings.append((round(second, 3), happening))

    def trouble(self, second: float, trouble: Trouble) -> None:
        """It begins at that second; there is no calm before it has ended."""
        self.add(second, trouble)
        self.calm_from = max(self.calm_from, second + trouble.seconds)
