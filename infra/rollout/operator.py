"""The person who runs a rollout, as the code sees them: told things, shown plans, asked."""

from dataclasses import dataclass
from typing import Protocol

from infra.rollout.change_set import ChangeSet
from infra.rollout.spokes_plan import SpokesPlan
from spoke.errors import ScanhubError


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that moved.

    Attributes:
        where: The stack, or the account and region.
        what: The resource and its type; empty for an account and region as a whole.
        status: AWS's word, such as `CREATE_COMPLETE` or `RUNNING`.
        reason: AWS's words for it; empty where it gives none.
    """

    where: str
    what: str
    status: str
    reason: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it went wrong."""
        return self.status.endswith("FAILED") or self.status in {"CANCELLED", "INOPERABLE"}


class Operator(Protocol):
    """Who is told, shown and asked. None of what goes here holds a secret."""

    def tell(self, line: str) -> None:
        """What goes on."""
        ...

    def warn(self, line: str) -> None:
        """What does not stop the rollout, but should be known."""
        ...

    def show(self, plan: ChangeSet | SpokesPlan) -> None:
        """What would be changed."""
        ...

    def agrees(self, question: str) -> bool:
        """Whether it shall be done."""
        ...

    def types(self, request: str, word: str) -> bool:
        """Whether they type the word: for what cannot be taken back."""
        ...

    def moved(self, step: Step) -> None:
        """A step of what is under way."""
        ...


class Declined(ScanhubError):
    """The operator was asked, and did not agree. What was done before stands."""


def confirm(operator: Operator, question: str) -> None:
    """Go on only if the operator agrees.

    Raises:
        Declined: They do not.
    """
    if not operator.agrees(question):
        raise Declined("not confirmed: it was not done, and nothing after it")


def confirm_typed(operator: Operator, request: str, word: str) -> None:
    """Go on only if the operator types the word.

    Raises:
        Declined: They do not.
    """
    if not operator.types(request, word):
        raise Declined("not confirmed: nothing was deleted")
