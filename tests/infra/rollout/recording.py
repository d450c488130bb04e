"""An operator who remembers what they were told, and answers as a test wants."""

from collections.abc import Callable
from dataclasses import dataclass, field

from infra.rollout.change_set import ChangeSet
from infra.rollout.operator import Step
from infra.rollout.spokes_plan import SpokesPlan


@dataclass
class Recording:
    """See `infra.rollout.operator.Operator`."""

    agreeing: bool | Callable[[str], bool] = True
    typed: str = ""
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    plans: list[ChangeSet | SpokesPlan] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def tell(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def show(self, plan: ChangeSet | SpokesPlan) -> None:
        self.plans.append(plan)

    def agrees(self, question: str) -> bool:
        self.questions.append(question)
        return self.agreeing(question) if callable(self.agreeing) else self.agreeing

    def types(self, request: str, word: str) -> bool:
        self.questions.append(request)
        return self.typed == word

    def moved(self, step: Step) -> None:
        self.steps.append(step)

    def everything(self) -> str:
        """All that they saw."""
        return repr((self.lines, self.warnings, self.plans, self.questions, self.steps))


class Pauses(list[float]):
    """How long was slept, without sleeping."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
