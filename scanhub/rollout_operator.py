"""The operator at a terminal, in a pipeline, or in a script: how a rollout tells, shows and asks."""

import getpass
import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from infra.rollout.change_set import ChangeSet
from infra.rollout.credentials import qualys_from_answers
from infra.rollout.operator import Step
from infra.rollout.spokes_plan import SpokesPlan
from scanhub import terminal
from scanhub.rollout_tables import changes_table, parameters_table, set_lines
from spoke.errors import Misconfigured

if TYPE_CHECKING:
    from rich.status import Status


class TerminalOperator(AbstractContextManager["TerminalOperator"]):
    """See `infra.rollout.operator.Operator`. A context: it leaves the terminal as it was.

    Args:
        assume_yes: Whether to agree to everything.
        dry_run: Whether nothing will be asked, since nothing will be done.
        console: Where to write; None for the standard output.

    Raises:
        Misconfigured: Somebody has to be asked, and nobody is there.
    """

    def __init__(self, *, assume_yes: bool, dry_run: bool = False, console: Console | None = None) -> None:
        self._yes = assume_yes
        self._console = console or terminal.wide()
        self._spinner: Status | None = None
        if not (assume_yes or dry_run or sys.stdin.isatty()):
            raise Misconfigured(
                "there is no terminal to confirm on: give --yes to do it, or --dry-run to see what would be done"
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop whatever moves on the screen."""
        self._still()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def tell(self, line: str) -> None:
        """A line."""
        self._console.print(Text(line), soft_wrap=True)

    def warn(self, line: str) -> None:
        """A line that stands out."""
        self._console.print(Text.assemble(("note: ", "bold yellow"), line), soft_wrap=True)

    def show(self, plan: ChangeSet | SpokesPlan) -> None:
        """Tables, or lines for the spokes."""
        self._still()
        if isinstance(plan, SpokesPlan):
            for line in set_lines(plan):
                self._console.print(line, soft_wrap=True)
            return
        what = "create" if plan.is_new else "update"
        heading = f"{what} the stack {plan.stack} in {plan.account}, {plan.region}: {len(plan.resources)} resources"
        self._console.print(Text(heading, style="bold"))
        if plan.parameters:
            self._console.print(parameters_table(plan.parameters))
        if plan.resources:
            self._console.print(changes_table(plan.resources))

    def agrees(self, question: str) -> bool:
        """Only an explicit yes counts."""
        self._still()
        if self._yes:
            return True
        return self._answer(f"{question} [y/N] ").lower() in {"y", "yes"}

    def types(self, request: str, word: str) -> bool:
        """The very word."""
        self._still()
        return self._yes or self._answer(f"{request}: ") == word

    def moved(self, step: Step) -> None:
        """What has ended is a line; what is under way is one moving line on a terminal, and nothing elsewhere.

        An account that has begun is under way: a thousand of them would be as many lines that say nothing.
        """
        line = Text.assemble(f"  {step.where}", f" {step.what}" if step.what else "", " ", (step.status, _style(step)))
        if step.reason and step.has_failed:
            line.append(f": {step.reason}")
        if step.has_failed or step.status.endswith("_COMPLETE") or not (step.what or step.status == "RUNNING"):
            self._console.print(line, soft_wrap=True)
        elif self._console.is_terminal:
            self._spin(line)

    def ask_for_qualys(self) -> SecretStr | None:
        """POD and token, typed without echo; None where there is no terminal, or it is closed instead of an answer.

        Raises:
            Misconfigured: They cannot be used.
        """
        self._still()
        if not sys.stdin.isatty():
            return None
        self.tell("The Qualys secret has no value yet.")
        pod = self._answer("Qualys POD (such as US1), or the URL of a private platform's gateway: ")
        try:
            token = getpass.getpass("Qualys access token (it is not shown): ")
        except EOFError:
            return None
        return qualys_from_answers(pod, token.strip())

    def _answer(self, prompt: str) -> str:
        try:
            return self._console.input(Text(prompt)).strip()
        except EOFError:
            return ""

    def _spin(self, line: Text) -> None:
        if self._spinner is None:
            self._spinner = self._console.status(line)
            self._spinner.start()
        else:
            self._spinner.update(line)

    def _still(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


def _style(step: Step) -> str:
    if step.has_failed or "ROLLBACK" in step.status:
        return "red"
    return "green" if step.status.endswith("COMPLETE") or step.status == "SUCCEEDED" else "cyan"
