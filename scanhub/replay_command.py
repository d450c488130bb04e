"""`scanhub replay`: what the archive keeps goes over the bus again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text

from hub import moments
from hub.archive import SETTLING, EventArchive, Replay, ReplayState
from hub.caller import caller_arn
from hub.settings import load
from scanhub import terminal
from scanhub.dlq_tables import at
from scanhub.documents import SCHEMA_VERSION
from scanhub.tables import new_table
from scanhub.wiring import Hub, open_hub
from spoke.errors import Misconfigured

POLL = timedelta(seconds=5)
NOW = "0s"

app = typer.Typer(help="Put archived events on the bus again; or see and cancel replays.", invoke_without_command=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


@app.callback()
def replay(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Events from then on: 2h (ago), or ISO 8601 with a zone."),
    ] = None,
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="And until then; by default until now.")] = NOW,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until AWS has replayed all of them.")] = False,
    as_json: Json = False,
) -> None:
    """Put the events of a time on the hub's bus again. What was scanned meanwhile is not scanned anew."""
    if context.invoked_subcommand is not None:
        if since is not None or wait or as_json or until != NOW:
            word = context.invoked_subcommand
            raise Misconfigured(f"give the options of {word} after the word; --from, --to and --wait begin a replay")
        return
    if since is None:
        raise Misconfigured(f"--from is needed, like {moments.EXAMPLES}")
    now = datetime.now(UTC)
    begin, end = moments.parse(since, now=now), moments.parse(until, now=now)
    errors = terminal.wide(stderr=True)
    if now - end < SETTLING:
        errors.print("note: an event may reach the archive up to ten minutes late: the newest ones may be missing")
    begun = asyncio.run(_start(begin, end, wait=wait))
    _tell([begun], as_json=as_json)
    if wait and begun.state is not ReplayState.COMPLETED:
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the replays of the archive, the newest first."""
    _tell(asyncio.run(_replays()), as_json=as_json, many=True)


@app.command()
def cancel(
    name: Annotated[str, typer.Argument(help="The replay's name.")],
    as_json: Json = False,
) -> None:
    """Stop a replay; what it has replayed stays replayed."""
    _tell([asyncio.run(_cancel(name))], as_json=as_json)


@asynccontextmanager
async def _archive() -> AsyncIterator[tuple[EventArchive, Hub]]:
    settings = load()
    if settings.bus_arn is None:
        raise Misconfigured("SCANHUB_BUS_ARN is not set; scanhub rollout settings prints it")
    async with open_hub(settings, os.environ) as hub:
        yield EventArchive(await hub.clients.get("events"), settings.bus_arn, hub.clock), hub


async def _start(since: datetime, until: datetime, *, wait: bool) -> Replay:
    async with _archive() as (archive, hub):
        by = await caller_arn(await hub.clients.get("sts"))
        begun = now = await archive.start(since, until, description=f"begun by {by}")
        errors = terminal.wide(stderr=True)
        if begun.kept_since is not None:
            errors.print(f"note: the archive keeps nothing from before {_at(begun.kept_since)}: that is not replayed")
        if not wait:
            return begun
        try:
            async for now in archive.watch(begun.name, pause=POLL):
                if errors.is_terminal and not now.state.has_ended:
                    errors.print(f"{now.state.value}, up to {_at(now.reached)}", style="dim")
        except asyncio.CancelledError:
            errors.print(f"the replay goes on; to stop it: scanhub replay cancel {begun.name}")
            raise
        return now


async def _replays() -> list[Replay]:
    async with _archive() as (archive, _):
        return await archive.replays()


async def _cancel(name: str) -> Replay:
    async with _archive() as (archive, _):
        return await archive.cancel(name)


def _tell(replays: list[Replay], *, as_json: bool, many: bool = False) -> None:
    if as_json:
        documents = [_document(one) for one in replays]
        document = {"replays": documents} if many else documents[0]
        sys.stdout.write(json.dumps({"schemaVersion": SCHEMA_VERSION, **document}, indent=2) + "\n")
        return
    console = terminal.wide()
    if not replays:
        console.print("No replay was ever started, or AWS lists none any more.")
        return
    table = new_table("REPLAY", "STATE", "FROM", "TO", "REACHED", "STARTED", "ENDED", folded=("REASON",))
    for one in replays:
        times = (one.since, one.until, one.reached, one.started_at, one.ended_at)
        table.add_row(one.name, one.state.value, *map(_at, times), Text(one.reason))
    console.print(table)


def _at(moment: datetime | None) -> str:
    return at(moment) if moment is not None else "-"


def _document(one: Replay) -> dict[str, str | None]:
    def iso(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment is not None else None

    return {
        "name": one.name,
        "state": one.state.value,
        "stateReason": one.reason or None,
        "from": iso(one.since),
        "to": iso(one.until),
        "reached": iso(one.reached),
        "startedAt": iso(one.started_at),
        "endedAt": iso(one.ended_at),
    }
