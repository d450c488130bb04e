"""`scanhub dlq`: the messages that could not be handled."""

import asyncio
import json
import os
import sys
from typing import Annotated

import typer

from hub.dead_letters.groups import grouped
from hub.dead_letters.holding import Holding, hold
from hub.dead_letters.message import ParkedMessage
from hub.dead_letters.selection import Selection, the_one
from hub.settings import load
from scanhub import dlq_drop_command, dlq_options, dlq_redrive_command, terminal
from scanhub.dlq_documents import groups_document, list_document, show_document
from scanhub.dlq_options import Json, Queue, QueueChoice, queues
from scanhub.dlq_tables import groups_table, parked_table, told, unseen
from scanhub.option_groups import taking
from scanhub.wiring import open_hub

app = typer.Typer(help="Messages that could not be handled: see them, send them back, drop them.", no_args_is_help=True)
app.command("redrive")(dlq_redrive_command.redrive)
app.command("drop")(dlq_drop_command.drop)


@app.command("list")
@taking(wanted=dlq_options.wanted)
def list_(
    *,
    queue: Queue = QueueChoice.ALL,
    wanted: Selection,
    summary: Annotated[bool, typer.Option("--summary", help="Counts by queue, reason and account.")] = False,
    as_json: Json = False,
) -> None:
    """List what is parked, the oldest first."""
    messages, holding, everything = asyncio.run(_read(queue, wanted))
    if as_json:
        document = groups_document(grouped(messages), holding) if summary else list_document(messages, holding)
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    console = terminal.wide()
    if not messages:
        console.print("No parked message is like that." if everything else "Nothing is parked.")
    else:
        console.print(groups_table(grouped(messages)) if summary else parked_table(messages, everything))
    unseen(holding)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The message's id; its beginning will do.")],
    queue: Queue = QueueChoice.ALL,
    as_json: Json = False,
) -> None:
    """Show one parked message: everything in it, and what to do about it."""
    _, holding, everything = asyncio.run(_read(queue, Selection()))
    unseen(holding)
    one = the_one(identity, everything)
    if as_json:
        sys.stdout.write(json.dumps(show_document(one), indent=2) + "\n")
    else:
        told(one, terminal.wide())


async def _read(queue: QueueChoice, wanted: Selection) -> tuple[list[ParkedMessage], Holding, list[ParkedMessage]]:
    """Those that are wanted, how they were held, and all of them."""
    async with open_hub(load(), os.environ) as hub, hold(queues(queue, hub)) as holding:
        everything = holding.messages
        return wanted.of(everything), holding, everything
