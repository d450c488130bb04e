"""`scanhub scan`: ask for scans, and wait for them if wanted."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub import scan_requests, standstill
from hub.coverage import Coverage
from hub.message import Source
from hub.redaction import Redactor
from hub.scan_outcome import Outcome
from hub.scan_requests import Waiting
from hub.scan_selection import Wanted, choose
from hub.settings import load
from hub.standing import Standing
from hub.tagged_functions import Tag
from infra.roster import of_names
from scanhub import exit_codes, regions, scan_names, terminal
from scanhub.aws_options import named
from scanhub.in_hub import InHub, run_in_hub
from scanhub.scan_documents import scan_document
from scanhub.spoke_wiring import estate
from scanhub.tables import coverage_table
from scanhub.wiring import Hub, open_hub
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured

READ_AT_ONCE = 50
SHOWN = 500
LONGEST_WAIT = 14 * 24 * 3600
"""Seconds: no request waits longer, since SQS forgets it then."""


def scan(  # noqa: PLR0913, PLR0917  # the options of a command line
    arns: Annotated[
        list[str] | None, typer.Argument(metavar="[FUNCTION]...", help="Function ARNs; - reads them from stdin.")
    ] = None,
    account: Annotated[list[str] | None, typer.Option(help="All functions known of this account.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="With --account or --tag: only in this region.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY[=VALUE]", help="All functions with this tag (see --in-hub).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Scan although a fresh result is there.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each has its result.")] = False,
    timeout: Annotated[int, typer.Option(min=1, max=LONGEST_WAIT, help="Seconds to wait at the most.")] = 900,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
    in_hub: InHub = False,
) -> None:
    """Ask for a scan of these functions; the worker does it.

    Functions that are named go before all others; those of an account or a tag queue up behind changes. Tags are read
    in the member accounts, which only the hub's own tasks may enter: elsewhere, ask for --in-hub.
    """
    accounts, where = named("--account", account), regions.parse(named("--region", region))
    wanted = _wanted(arns or [], accounts, where, tuple(tag or ()))
    patience = timeout if wait else 0
    if in_hub:
        if wanted.named:
            raise Misconfigured("--in-hub goes with --account or --tag: ask for named functions from here")
        if as_json:
            raise Misconfigured("--json does not go with --in-hub: the task writes to the hub's log")
        raise typer.Exit(run_in_hub(_arguments(wanted, force=force, patience=patience), wait=wait))
    console = terminal.wide(stderr=as_json)
    outcome = asyncio.run(_scan(wanted, console, force=force, patience=patience))
    if as_json:
        sys.stdout.write(json.dumps(scan_document(outcome), indent=2) + "\n")
    _tell(outcome, console, as_json=as_json)
    raise typer.Exit(exit_codes.after_scans(outcome))


def _wanted(arns: list[str], accounts: tuple[str, ...], where: tuple[str, ...], tags: tuple[str, ...]) -> Wanted:
    if where and not (accounts or tags):
        raise Misconfigured("--region goes with --account or --tag")
    if wrong := [one for one in tags if not Tag.parse(one).key]:
        raise Misconfigured(f"not a tag: {', '.join(map(repr, wrong))}; write KEY or KEY=VALUE")
    functions = scan_names.parse(arns)
    if not (functions or accounts or tags):
        none = "stdin names no function" if scan_names.STDIN in arns else "name functions, an --account or a --tag"
        raise Misconfigured(f"nothing to scan: {none}")
    return Wanted(
        named=functions,
        accounts=of_names(accounts).accounts,
        regions=where,
        tags=tuple(map(Tag.parse, tags)),
    )


def _none_tagged(wanted: Wanted) -> str:
    tags = " or ".join(map(str, wanted.tags))
    return f"no function carries the tag {tags} in the accounts and regions that were asked"


def _arguments(wanted: Wanted, *, force: bool, patience: int) -> list[str]:
    """The command line that asks for the same."""
    options = {"--account": wanted.accounts, "--region": wanted.regions, "--tag": tuple(map(str, wanted.tags))}
    words = [word for option, values in options.items() for value in values for word in (option, value)]
    waiting = ["--wait", "--timeout", str(patience)] if patience else []
    return ["scan", *words, *(["--force"] if force else []), *waiting]


async def _scan(wanted: Wanted, console: Console, *, force: bool, patience: int) -> Outcome:
    async with open_hub(load(), os.environ) as hub:
        chosen = await choose(
            wanted,
            hub.ledger,
            hub.register,
            lambda: estate(hub.settings, hub.clients, hub.clock, Redactor()),
            excluded=hub.settings.exclude_accounts,
        )
        if not (chosen.everything or chosen.problems):
            raise Misconfigured(_none_tagged(wanted))
        before = await hub.ledger.standings(chosen.everything) if patience else {}
        behind = hub.queues.get(Source.SWEEP, hub.queues[Source.CHANGES])
        left = [
            *await scan_requests.ask(chosen.named, hub.queues[Source.CHANGES], force=force),
            *await scan_requests.ask(chosen.many, behind, force=force),
        ]
        asked = tuple(one for one in chosen.everything if one not in set(left))
        if not patience:
            return Outcome(asked=asked, left=tuple(left), problems=chosen.problems)
        await _tell_of_standstill(hub)
        settled = await _settled(asked, before, hub, console, patience=timedelta(seconds=patience))
        coverages = await _coverages(sorted(settled), hub)
    return Outcome(
        asked=asked,
        left=tuple(left),
        problems=chosen.problems,
        settled=coverages,
        has_waited=True,
        named=chosen.named,
    )


async def _settled(
    asked: Collection[FunctionArn],
    before: Mapping[FunctionArn, Standing],
    hub: Hub,
    console: Console,
    *,
    patience: timedelta,
) -> Mapping[FunctionArn, Standing]:
    with ExitStack() as stack:
        told = _progress(console, stack)
        try:
            return await scan_requests.settled(asked, before, hub.ledger, hub.clock, patience=patience, told=told)
        except asyncio.CancelledError:
            stack.close()
            terminal.console(stderr=True).print("what was asked for stays so; what becomes of it: scanhub coverage")
            raise


async def _tell_of_standstill(hub: Hub) -> None:
    """Whoever waits need not wait in vain to learn that nobody works."""
    pause = await hub.register.paused()
    if pause is not None:
        note = f"note: the service was paused by {pause.by}: nothing is scanned until scanhub resume"
    elif not (await standstill.look(hub.register, hub.clock)).workers:
        note = "note: no worker runs, or none has been heard of for three minutes; the first message may call one"
    else:
        return
    terminal.console(stderr=True).print(Text(note), soft_wrap=True)


async def _coverages(wanted: Sequence[FunctionArn], hub: Hub) -> tuple[Coverage, ...]:
    known: list[Coverage | None] = []
    for start in range(0, len(wanted), READ_AT_ONCE):
        known += await asyncio.gather(*(hub.ledger.coverage(one) for one in wanted[start : start + READ_AT_ONCE]))
    return tuple(coverage for coverage in known if coverage is not None)


def _progress(console: Console, stack: ExitStack) -> Callable[[Waiting], None]:
    """Shows on a terminal how many have ended."""
    if not console.is_terminal:
        return lambda _: None
    status = stack.enter_context(console.status("waiting"))
    return lambda waiting: status.update(progress_line(waiting))


def progress_line(waiting: Waiting) -> str:
    """How many have ended, and how."""
    states = ", ".join(f"{number:,} {state.value}" for state, number in sorted(waiting.states.items()))
    return f"{waiting.settled:,} of {waiting.asked:,} have ended" + (f": {states}" if states else "")


def _tell(outcome: Outcome, console: Console, *, as_json: bool) -> None:
    number = len(outcome.asked)
    if not outcome.has_waited:
        console.print(f"{number:,} scan{'' if number == 1 else 's'} asked for.")
    elif outcome.settled and not as_json:
        console.print(coverage_table(outcome.settled[:SHOWN]))
        if len(outcome.settled) > SHOWN:
            console.print(f"and {len(outcome.settled) - SHOWN:,} more; all of them: --json")
    failed = [
        *(f"{one}: its request was not taken by the queue; ask again" for one in outcome.left),
        *(f"{one}: no result in time; is a worker running?" for one in outcome.unsettled),
        *(f"{one}: there is no such function" for one in outcome.missing),
        *outcome.problems,
    ]
    for line in failed[:SHOWN]:
        console.print(Text(line, style="red"), soft_wrap=True)
    if len(failed) > SHOWN:
        console.print(f"and {len(failed) - SHOWN:,} more; all of them: --json")
