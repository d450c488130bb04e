"""One run of a `scanhub rollout` command that changes something: who is asked, and how it ends before its end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import typer

from infra.rollout.deployment import Deployment
from scanhub.aws_options import DryRun, Yes
from scanhub.rollout_operator import TerminalOperator
from spoke.errors import ScanhubError

INTERRUPTED = 130

RolloutRun = AbstractContextManager[tuple[TerminalOperator, Deployment]]


def begun(*, yes: Yes = False, dry_run: DryRun = False) -> RolloutRun:
    """A group of options: a context that tells the operator all of an error, and what an interruption leaves.

    Raises:
        Misconfigured: On entering it: somebody has to be asked, and nobody is there.
    """
    return _run(yes=yes, dry_run=dry_run)


@contextmanager
def _run(*, yes: bool, dry_run: bool) -> Iterator[tuple[TerminalOperator, Deployment]]:
    with TerminalOperator(assume_yes=yes, dry_run=dry_run) as operator:
        try:
            yield operator, Deployment(operator=operator, dry_run=dry_run)
        except ScanhubError as error:
            for line in error.detail.splitlines():
                operator.tell(f"  {line}")
            raise
        except KeyboardInterrupt:
            operator.warn(
                "interrupted: what AWS has begun goes on by itself, and nothing after it is begun; "
                "scanhub rollout status shows it, and the same command goes on from there"
            )
            raise typer.Exit(INTERRUPTED) from None
