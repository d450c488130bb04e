"""`scanhub dlq drop`: parked messages are given up, and recorded."""

import asyncio
import json
import os
import sys
from typing import Annotated

import typer

from hub.caller import caller_arn
from hub.dead_letters.dropping import Dropped
from hub.dead_letters.dropping import drop as dropped_from
from hub.dead_letters.groups import grouped
from hub.dead_letters.holding import Holding, hold
from hub.dead_letters.message import ParkedMessage
from hub.dead_letters.selection import Selection
from hub.settings import load
from scanhub import dlq_options, terminal
from scanhub.aws_options import DryRun, Yes
from scanhub.dlq_documents import drop_document
from scanhub.dlq_options import Json, Queue, QueueChoice, queues
from scanhub.dlq_tables import counted, groups_table, unseen
from scanhub.exit_codes import after
from scanhub.option_groups import taking
from scanhub.wiring import open_hub
from spoke.errors import Misconfigured


@taking(wanted=dlq_options.chosen)
def drop(
    *,
    queue: Queue = QueueChoice.ALL,
    wanted: Selection,
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is recorded.")] = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give parked messages up for good; what they were is recorded in the results bucket first."""
    if not (yes or dry_run or _can_ask()):
        raise Misconfigured(
            "there is no terminal to confirm on: give --yes to do it, or --dry-run to see what would be dropped"
        )
    # Nothing is held while a person thinks: it would keep others from it, and end after twelve hours.
    chosen, holding = asyncio.run(_chosen(wanted, queue))
    _ask(chosen, yes=yes or dry_run, quiet=as_json)
    dropped = None if dry_run or not chosen else asyncio.run(_drop(chosen, queue, because))
    if as_json:
        sys.stdout.write(json.dumps(drop_document(chosen, dropped, holding, dry_run=dry_run), indent=2) + "\n")
    elif dropped is not None:
        _tell(dropped, absent=len(chosen) - len(dropped.deleted) - len(dropped.failed))
    if dropped is not None:
        raise typer.Exit(after(done=len(dropped.deleted), failed=len(chosen) - len(dropped.deleted)))


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(chosen: list[ParkedMessage], *, yes: bool, quiet: bool) -> None:
    console = terminal.wide(stderr=quiet)
    if not quiet or not yes:
        console.print(groups_table(grouped(chosen)) if chosen else "No parked message is like that.")
    if chosen and not yes:
        typer.confirm(f"Drop {counted(len(chosen))} for good?", abort=True, err=quiet)


async def _chosen(wanted: Selection, queue: QueueChoice) -> tuple[list[ParkedMessage], Holding]:
    async with open_hub(load(), os.environ) as hub, hold(queues(queue, hub)) as holding:
        unseen(holding)
        return wanted.of(holding.messages), holding


async def _drop(chosen: list[ParkedMessage], queue: QueueChoice, because: str) -> Dropped:
    ids = {one.id for one in chosen}
    async with open_hub(load(), os.environ) as hub:
        by = await caller_arn(await hub.clients.get("sts"))
        async with hold(queues(queue, hub)) as holding:
            there = [one for one in holding.messages if one.id in ids]
            if not there:
                return Dropped(record="", deleted=())
            return await dropped_from(there, holding, hub.objects, by=by, because=because, clock=hub.clock)


def _tell(dropped: Dropped, *, absent: int) -> None:
    console = terminal.wide()
    if absent:
        console.print(
            f"{counted(absent)} had gone meanwhile: redriven or dropped by somebody else, or being looked at."
        )
    for one in dropped.failed:
        console.print(f"not dropped: {one.id} ({one.reason}): {dropped.why}", style="red", markup=False)
    if dropped.record:
        console.print(f"Dropped {counted(len(dropped.deleted))}; recorded in {dropped.record} of the results bucket.")
