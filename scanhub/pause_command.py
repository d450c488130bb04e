"""`scanhub pause` and `scanhub resume`: the service stops and starts taking work."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.text import Text

from hub import standstill, untrusted
from hub.caller import caller_arn
from hub.service_notes import Pause
from hub.settings import load
from hub.standstill import Standstill
from scanhub import terminal
from scanhub.dlq_tables import at, counted
from scanhub.documents import SCHEMA_VERSION
from scanhub.wiring import open_hub

POLL = timedelta(seconds=3)
LONGEST_WAIT = 24 * 3600
"""Seconds. Workers look every quarter of a minute: who has not heeded it by then never will."""

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


def pause(
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why; whoever asks is told.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until no worker takes work any more.")] = False,
    timeout: Annotated[int, typer.Option(min=1, max=LONGEST_WAIT, help="Seconds to wait at the most.")] = 300,
    as_json: Json = False,
) -> None:
    """Stop the service from taking work; scans that have begun end, messages wait in their queues."""
    before, now, stands = asyncio.run(_pause(because, patience=timeout if wait else 0))
    if as_json:
        _write({"paused": _pause_document(now), "wasPaused": before is not None, **_standstill_document(stands)})
    else:
        _tell(before, now, stands)
    if wait and not stands.is_reached:
        terminal.console(stderr=True).print(f"not every worker has heeded it within {timeout} s")
        raise typer.Exit(1)


def resume(as_json: Json = False) -> None:
    """Let the service take work again."""
    before = asyncio.run(_resume())
    if as_json:
        _write({"paused": None, "wasPaused": before is not None})
    elif before is None:
        terminal.console().print("The service was not paused.")
    else:
        terminal.console().print(Text(f"The service takes work again; it was paused {_by(before)}."), soft_wrap=True)


async def _pause(because: str, *, patience: int) -> tuple[Pause | None, Pause, Standstill]:
    async with open_hub(load(), os.environ) as hub:
        by = await caller_arn(await hub.clients.get("sts"))
        wanted = Pause(by=by, reason=untrusted.text(because) or "", at=hub.clock.now())
        before = await standstill.ask_to_pause(hub.register, wanted)
        try:
            stands = await standstill.wait(hub.register, hub.clock, every=POLL, patience=timedelta(seconds=patience))
        except asyncio.CancelledError:
            terminal.console(stderr=True).print("the service stays paused; to let it work again: scanhub resume")
            raise
        return before, await hub.register.paused() or wanted, stands


async def _resume() -> Pause | None:
    async with open_hub(load(), os.environ) as hub:
        before = await hub.register.paused()
        await hub.register.resume()
        return before


def _tell(before: Pause | None, now: Pause, stands: Standstill) -> None:
    console = terminal.console()
    if before is None:
        said = "The service is paused"
    elif before == now:
        said = "The service was paused already"
    else:
        said = f"The service was paused already {_by(before)}; now it is so"
    console.print(Text(f"{said} {_by(now)}."), soft_wrap=True)
    if not stands.workers:
        console.print("No worker runs; those that start will wait.")
        return
    console.print(
        f"Heeded by {stands.heeding} of {counted(stands.workers, 'worker')}; scans that still run: {stands.scans}."
    )


def _by(pause: Pause) -> str:
    reason = f" ({pause.reason})" if pause.reason else ""
    return f"by {pause.by} at {at(pause.at)}{reason}"


def _pause_document(pause: Pause) -> dict[str, str]:
    return {"by": pause.by, "reason": pause.reason, "at": pause.at.isoformat()}


def _standstill_document(stands: Standstill) -> dict[str, int]:
    return {"workers": stands.workers, "heeding": stands.heeding, "runningScans": stands.scans}


def _write(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"schemaVersion": SCHEMA_VERSION, **document}, indent=2) + "\n")
