"""`scanhub dlq redrive`: parked messages go back to their queues."""

import asyncio
import json
import os
import sys
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.progress import Progress

from hub.dead_letters.holding import Holding, hold
from hub.dead_letters.redrive import Fate, Outcome, Plan, Step, plan
from hub.dead_letters.redrive import redrive as sent_back
from hub.dead_letters.selection import Selection
from hub.settings import load
from scanhub import dlq_options, terminal
from scanhub.aws_options import DryRun
from scanhub.dlq_documents import redrive_document
from scanhub.dlq_options import Json, Queue, QueueChoice, queues
from scanhub.dlq_tables import counted, skipped, unlucky, unseen
from scanhub.exit_codes import after
from scanhub.option_groups import taking
from scanhub.wiring import open_hub


@taking(wanted=dlq_options.chosen)
def redrive(
    *,
    queue: Queue = QueueChoice.ALL,
    wanted: Selection,
    rate: Annotated[float, typer.Option(min=0.1, max=300, help="Messages a second, at the most.")] = 10,
    all_the_same: Annotated[
        bool, typer.Option("--all-the-same", help="Also what a redrive does not help, and what costs a forced scan.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send parked messages back to their queues, the oldest first: each begins anew, without a failure."""
    plans, outcomes, holding = asyncio.run(
        _redrive(wanted, queue, rate=rate, all_the_same=all_the_same, dry_run=dry_run, quiet=as_json)
    )
    if as_json:
        sys.stdout.write(json.dumps(redrive_document(plans, outcomes, holding, dry_run=dry_run), indent=2) + "\n")
    else:
        _tell(plans, outcomes, dry_run=dry_run)
    done = sum(one.fate is Fate.REDRIVEN for one in outcomes)
    raise typer.Exit(after(done=done, failed=len(outcomes) - done))


async def _redrive(
    wanted: Selection, queue: QueueChoice, *, rate: float, all_the_same: bool, dry_run: bool, quiet: bool
) -> tuple[list[Plan], list[Outcome], Holding]:
    outcomes: list[Outcome] = []
    async with open_hub(load(), os.environ) as hub, hold(queues(queue, hub)) as holding:
        unseen(holding)
        chosen = wanted.of(holding.messages)
        named = {one.id for one in chosen} if wanted.ids else set()
        plans = plan(chosen, all_the_same=all_the_same, named_ids=named, named_reasons=wanted.reasons)
        if dry_run:
            return plans, outcomes, holding
        total = sum(one.step is not Step.SKIP for one in plans)
        errors = terminal.console(stderr=True)
        with Progress(console=errors, transient=True) if errors.is_terminal and not quiet else nullcontext() as bar:
            task = bar.add_task("redrive", total=total) if bar is not None else None

            def told(outcome: Outcome) -> None:
                outcomes.append(outcome)
                if bar is not None and task is not None:
                    bar.advance(task)
                elif not quiet and len(outcomes) % 100 == 0:
                    errors.print(f"{len(outcomes)} of {total}")

            try:
                await sent_back(plans, holding, hub.queues, rate=rate, told=told)
            except asyncio.CancelledError:
                done = sum(one.fate is Fate.REDRIVEN for one in outcomes)
                errors.print(f"interrupted: {done} of {total} redriven; the rest stays parked")
                raise
    return plans, outcomes, holding


def _tell(plans: list[Plan], outcomes: list[Outcome], *, dry_run: bool) -> None:
    console = terminal.wide()
    skipped(plans, console)
    unlucky(outcomes, console)
    sent = {one.parked.id for one in plans if one.step is not Step.SKIP}
    if not dry_run:
        sent = {one.parked.id for one in outcomes if one.fate is Fate.REDRIVEN}
    forced = sum(one.parked.id in sent for one in plans if one.step is Step.FORCE)
    instead = f", {forced} of them as a request for a forced scan" if forced else ""
    said = ("Would redrive", "would stay") if dry_run else ("Redrove", "stay")
    console.print(
        f"{said[0]} {counted(len(sent))}{instead}; {len(plans) - len(sent)} of those wanted {said[1]} parked."
    )
