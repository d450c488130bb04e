"""What the `scanhub dlq` commands are told: which queues, and which of their messages."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub import moments
from hub.dead_letters.advice import BY_REASON
from hub.dead_letters.queue import DeadLetters
from hub.dead_letters.selection import Selection
from hub.message import Source
from infra.roster import of_names
from scanhub import functions
from scanhub.aws_options import named
from scanhub.option_groups import taking
from scanhub.wiring import Hub
from spoke.errors import Misconfigured


class QueueChoice(StrEnum):
    """Which dead-letter queues."""

    CHANGES = "changes"
    SWEEP = "sweep"
    ALL = "all"


Queue = Annotated[QueueChoice, typer.Option("--queue", help="Parked from which queue.")]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="WORD", help="Only for this reason; more with commas.")
]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", metavar="ID", help="Only of this account; more with commas.")
]
Function = Annotated[
    str | None,
    typer.Option(metavar="ARN|PATTERN", help="Only of this function, or of those whose name matches (*, ?)."),
]
OlderThan = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only if parked before that: 2h, 3d (ago), or ISO 8601 with a zone.")
]
NewerThan = Annotated[str | None, typer.Option(metavar="TIME", help="Only if parked after that.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Only these; the beginning of an id will do.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them: nothing else has to be said.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]


def wanted(
    *,
    reasons: Reasons = None,
    accounts: Accounts = None,
    function: Function = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
) -> Selection:
    """A group of options: which parked messages are meant; without any, all.

    Raises:
        Misconfigured: One of them is wrong.
    """
    wanted_reasons = frozenset(named("--reason", reasons))
    wanted_accounts = frozenset(of_names(named("--account", accounts)).accounts)
    for reason in sorted(wanted_reasons - BY_REASON.keys()):
        raise Misconfigured(
            f"no message is parked for the reason {reason!r}; there are: {', '.join(sorted(BY_REASON))}"
        )
    now = datetime.now(UTC)
    before = moments.parse(older_than, now=now) if older_than is not None else None
    after = moments.parse(newer_than, now=now) if newer_than is not None else None
    if before is not None and after is not None and before <= after:
        raise Misconfigured(
            f"nothing is older than {older_than} and newer than {newer_than}: did you mean it reversed?"
        )
    return Selection(
        reasons=wanted_reasons,
        accounts=wanted_accounts,
        function=_function(function) if function is not None else "",
        before=before,
        after=after,
    )


@taking(like=wanted)
def chosen(*, ids: Ids = None, like: Selection, everything: Everything = False) -> Selection:
    """A group of options, as `wanted`, for whoever changes something: that has to be said, and be it `--all`.

    Raises:
        Misconfigured: One of them is wrong; nothing was said, or everything and something.
    """
    selection = replace(like, ids=tuple(ids or ()))
    if selection.is_everything != everything:
        said = "--all goes with nothing else" if everything else "say which: ids, --reason, --account, ... or --all"
        raise Misconfigured(said)
    return selection


def _function(text: str) -> str:
    """An ARN or a pattern of names. No name has a colon in it: what has one is meant as an ARN."""
    if not text.strip():
        raise Misconfigured("--function names nothing; leave it out to mean all")
    if ":" in text:
        functions.parse(text)
    return text


def queues(choice: QueueChoice, hub: Hub) -> list[DeadLetters]:
    """The dead-letter queues that are meant.

    Raises:
        Misconfigured: There is none.
    """
    if choice is QueueChoice.ALL:
        return list(hub.dead_letters.values())
    source = Source(choice.value)
    if source not in hub.dead_letters:
        raise Misconfigured("there is no sweep queue: SCANHUB_SWEEP_QUEUE_URL and SCANHUB_SWEEP_DLQ_URL are not set")
    return [hub.dead_letters[source]]
