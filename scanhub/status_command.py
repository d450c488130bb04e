"""`scanhub status`: how the service is."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.dead_letters.message import printable
from hub.message import Source
from hub.queue_age import oldest_ages
from hub.service_notes import WorkerNote
from hub.service_status import ServiceStatus, look
from hub.settings import load
from scanhub import status_sweeps, terminal
from scanhub.documents import SCHEMA_VERSION
from scanhub.sweep_documents import run_document
from scanhub.tables import new_table
from scanhub.wiring import Hub, open_hub
from spoke.errors import ScanhubError


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Show how the service is: queues, workers and their versions, breaker, pause, last sweep.

    What of the functions: scanhub coverage.
    """
    told = asyncio.run(_look())
    if as_json:
        sys.stdout.write(json.dumps(_document(told), indent=2) + "\n")
    else:
        _tell(told, terminal.wide())


async def _look() -> ServiceStatus:
    async with open_hub(load(), os.environ) as hub:
        ages, notes = await _ages(hub)
        return await look(hub.queues, hub.register, now=hub.clock.now(), ages=ages, notes=notes)


async def _ages(hub: Hub) -> tuple[Mapping[Source, timedelta], tuple[str, ...]]:
    """The ages of the oldest messages, or why they are not known: not everybody may ask CloudWatch."""
    urls = {Source.CHANGES: hub.settings.changes_queue_url, Source.SWEEP: hub.settings.sweep_queue_url}
    try:
        client = await hub.clients.get("cloudwatch")
        known = {source: url for source, url in urls.items() if url is not None}
        return await oldest_ages(client, known, now=hub.clock.now()), ()
    except ScanhubError as error:
        return {}, (f"the age of the oldest messages is not known: {error.text}",)


def _document(told: ServiceStatus) -> dict[str, Any]:
    pause = told.pause
    return {
        "schemaVersion": SCHEMA_VERSION,
        "at": told.at.isoformat(),
        "queues": {
            source.value: {
                "visible": one.depth.visible,
                "inFlight": one.depth.in_flight,
                "delayed": one.depth.delayed,
                "oldestSeconds": one.oldest.total_seconds() if one.oldest is not None else None,
                "parked": one.parked,
            }
            for source, one in told.queues.items()
        },
        "workers": [_worker_document(one) for one in told.workers],
        "silentWorkers": [_worker_document(one) for one in told.silent],
        "runningScans": told.running,
        "circuitOpen": bool(told.circuit),
        "circuitReason": told.circuit or None,
        "paused": {"by": pause.by, "reason": pause.reason, "at": pause.at.isoformat()} if pause is not None else None,
        "lastSweep": run_document(told.last_sweep) if told.last_sweep is not None else None,
        "lastWholeSweep": run_document(told.last_full_sweep) if told.last_full_sweep is not None else None,
        "runningSweep": run_document(told.running_sweep) if told.running_sweep is not None else None,
        "unfinishedSweep": run_document(told.unfinished_sweep) if told.unfinished_sweep is not None else None,
        "versions": {"scanhub": list(told.versions), "scanner": list(told.scanners)},
        "notes": list(told.notes),
    }


def _worker_document(one: WorkerNote) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "scanner": f"{one.profile.engine} {one.profile.version}",
        "mode": one.profile.mode,
        "scanTypes": list(one.profile.scan_types),
        "slots": one.slots,
        "running": one.running,
        "circuit": one.circuit or None,
        "paused": one.paused,
        "startedAt": one.started_at.isoformat(),
        "seenAt": one.seen_at.isoformat(),
    }


def _tell(told: ServiceStatus, console: Console) -> None:
    if told.pause is not None:
        reason = f": {told.pause.reason}" if told.pause.reason else ""
        line = f"PAUSED since {told.pause.at:%Y-%m-%d %H:%M} UTC by {told.pause.by}{reason}; go on with: scanhub resume"
        console.print(Text(printable(line), style="bold yellow"), soft_wrap=True)
    if told.circuit:
        console.print(Text(printable(f"BREAKER OPEN: {told.circuit}"), style="bold red"), soft_wrap=True)
    console.print(_queues(told))
    console.print()
    if told.workers:
        console.print(_workers(told))
    else:
        console.print(Text("No worker runs, or none has been heard of for three minutes.", style="yellow"))
    for one in told.silent:
        console.print(Text(f"silent since {one.seen_at:%Y-%m-%d %H:%M} UTC: worker {one.id}", style="yellow"))
    console.print()
    for line in status_sweeps.lines(told):
        console.print(Text(line), soft_wrap=True)
    for note in told.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def _queues(told: ServiceStatus) -> Table:
    figures = ("WAITING", "IN HAND", "OLDEST", "PARKED")
    table = new_table("QUEUE", *figures, numbers=figures)
    for source, one in told.queues.items():
        oldest = str(timedelta(seconds=round(one.oldest.total_seconds()))) if one.oldest is not None else "-"
        parked = Text(f"{one.parked:,}", style="red" if one.parked else "")
        waiting = one.depth.visible + one.depth.delayed
        table.add_row(source.value, f"{waiting:,}", f"{one.depth.in_flight:,}", oldest, parked)
    return table


def _workers(told: ServiceStatus) -> Table:
    table = new_table("WORKER", "SCANS", "SCANNER", "SCANHUB", "RUNS SINCE", "STATE", numbers=["SCANS"])
    for one in told.workers:
        state = "paused" if one.paused else "breaker open" if one.circuit else "working"
        table.add_row(
            Text(one.id[:12]),
            f"{one.running} of {one.slots}",
            Text(f"{one.profile.engine} {one.profile.version} ({one.profile.mode})"),
            Text(one.version),
            f"{one.started_at:%Y-%m-%d %H:%MZ}",
            Text(state, style="green" if state == "working" else "yellow"),
        )
    return table
