"""`scanhub sweep`: list what really exists, and queue what has no fresh result."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub import logs
from hub.coverage_report import report as coverage_report
from hub.figures import sweep_figures
from hub.metrics import EmbeddedMetrics
from hub.redaction import Redactor
from hub.settings import Settings, load
from hub.sweep.progress import SweepObserver
from hub.sweep.report import SweepReport
from hub.sweeps import SweepScope
from scanhub import exit_codes, terminal
from scanhub.aws_options import listed, named
from scanhub.in_hub import InHub, Wait, run_in_hub
from scanhub.regions import parse as parse_regions
from scanhub.sweep_documents import sweep_document
from scanhub.sweep_progress import bar
from scanhub.sweep_wiring import ReadySweep, check_names, open_sweep, roster_of
from scanhub.tables import function_name, new_table, problem_lines
from spoke.errors import Misconfigured

TERMINATED = 128 + signal.SIGTERM
PROBLEMS_SHOWN = 50
PLANNED_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the sweep shall go over."""

    accounts: tuple[str, ...]
    ous: tuple[str, ...]
    regions: tuple[str, ...]
    exclude: tuple[str, ...]
    dry_run: bool
    metrics: bool

    def arguments(self) -> list[str]:
        """The command line that asks for the same."""
        named = {"--accounts": self.accounts, "--ou": self.ous, "--regions": self.regions, "--exclude": self.exclude}
        words = [word for option, values in named.items() if values for word in (option, ",".join(values))]
        return ["sweep", *words, *(["--dry-run"] if self.dry_run else []), "--metrics"]


def sweep(  # noqa: PLR0913, PLR0917  # the options of a command line
    accounts: Annotated[
        list[str] | None, typer.Option(help="Only these accounts, instead of all of the organization.")
    ] = None,
    ou: Annotated[list[str] | None, typer.Option(help="Only the accounts of these organizational units.")] = None,
    regions: Annotated[
        list[str] | None, typer.Option(help="Only these regions, instead of all that each account has enabled.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Leave out functions of these names (`*`, `?`).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List and compare; queue and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Write CloudWatch embedded metrics to stdout at the end.")
    ] = False,
    in_hub: InHub = False,
    wait: Wait = False,
) -> None:
    """List every function of the organization, and queue those without a fresh result.

    Each option takes one value or several with commas, and may be repeated. An interrupted sweep is gone on with by
    the next one of the same scope. Only the hub's own tasks may enter member accounts: elsewhere, ask for --in-hub.
    """
    asked = Asked(
        accounts=named("--accounts", accounts),
        ous=named("--ou", ou),
        regions=parse_regions(named("--regions", regions)),
        exclude=_patterns(exclude),
        dry_run=dry_run,
        metrics=metrics,
    )
    check_names(asked.accounts, asked.ous)
    if as_json and (in_hub or metrics):
        other = "--in-hub: the task writes to the hub's log" if in_hub else "--metrics: both are for stdout"
        raise Misconfigured(f"--json does not go with {other}")
    if in_hub:
        raise typer.Exit(run_in_hub(asked.arguments(), wait=wait))
    told = _swept(asked)
    if as_json:
        sys.stdout.write(json.dumps(sweep_document(told), indent=2) + "\n")
    else:
        _tell(told, terminal.wide())
    raise typer.Exit(exit_code(told))


def _patterns(values: list[str] | None) -> tuple[str, ...]:
    found = listed(values)
    if values and not found:
        raise Misconfigured("--exclude names nothing; leave it out to exclude nothing more than the settings do")
    return found


def exit_code(told: SweepReport) -> int:
    """0, 3 where something was left out, 1 where nothing could be gone over."""
    if told.is_complete:
        return exit_codes.DONE
    return exit_codes.FAILED if told.saw_nothing else exit_codes.IN_PART


def is_counted(told: SweepReport) -> bool:
    """Whether metrics tell of it. Their absence is an alarm, which nothing must silence that leaves functions out."""
    return told.scope.is_full and not (told.dry_run or told.stopped or told.saw_nothing)


def _swept(asked: Asked) -> SweepReport:
    settings, redactor = load(), Redactor()
    console = terminal.console(stderr=True)
    # On a terminal the bar tells what the log's lines would.
    level = "WARNING" if console.is_terminal and settings.log_level == "INFO" else settings.log_level
    logs.configure(level, stream=sys.stderr, redactor=redactor)
    with ExitStack() as stack:
        observer = stack.enter_context(bar(console)) if console.is_terminal else None
        return asyncio.run(_sweep(asked, settings, observer, redactor))


async def _sweep(asked: Asked, settings: Settings, observer: SweepObserver | None, redactor: Redactor) -> SweepReport:
    async with (
        _terminable(is_resumed=not asked.dry_run),
        open_sweep(settings, os.environ, observer=observer, redactor=redactor) as ready,
    ):
        roster = await roster_of(settings, asked.accounts, asked.ous, ready.region)
        scope = SweepScope(
            accounts=asked.accounts,
            ous=asked.ous,
            regions=asked.regions,
            exclude=asked.exclude,
            profile_id=ready.profile.id,
        )
        told = await ready.sweep.run(scope, roster.accounts, dry_run=asked.dry_run, is_organization=roster.is_whole)
        if asked.metrics and is_counted(told):
            await _emit(told, ready)
    return told


async def _emit(told: SweepReport, ready: ReadySweep) -> None:
    known = await coverage_report(ready.hub.ledger, ready.hub.register, ready.hub.ledger)
    EmbeddedMetrics(sys.stdout).emit(**sweep_figures(told.counts, covered_share=known.share.value))


@asynccontextmanager
async def _terminable(*, is_resumed: bool = True) -> AsyncIterator[None]:
    """SIGTERM ends the sweep in good order as SIGINT does: its claims are given up, and the next one goes on.

    Args:
        is_resumed: Whether there is something to go on with; of a dry run nothing stays.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        if task is not None:
            task.cancel()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        yield
    except asyncio.CancelledError:
        then = "the next sweep of the same scope goes on where this one ended" if is_resumed else "nothing was changed"
        sys.stderr.write(f"scanhub: {'terminated' if terminated else 'interrupted'}; {then}\n")
        if terminated:
            raise typer.Exit(TERMINATED) from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _tell(told: SweepReport, console: Console) -> None:
    counts = told.counts
    if told.stopped:
        console.print(Text(f"The sweep was not done: {told.stopped}", style="yellow"), soft_wrap=True)
    due = ", ".join(f"{number:,} {why}" for why, number in counts.queued.items() if number)
    queued = f"{counts.due:,} {'to be queued' if told.dry_run else 'queued'}" + (f" ({due})" if due else "")
    console.print(
        f"{counts.accounts:,} of {_counted(told.listed_accounts, 'account')}, "
        f"{_counted(counts.functions, 'function')}: "
        f"{counts.fresh:,} fresh, {queued}, {counts.waiting:,} waiting, {counts.excluded:,} excluded, "
        f"{counts.gone:,} gone. {_counted(counts.calls, 'AWS call')} in {told.duration:.0f} s.",
        soft_wrap=True,
    )
    if counts.outlived:
        console.print(
            f"{counts.outlived:,} more with a result that is too old or of another scan profile could not be listed: "
            "they do not count as covered (scanhub coverage --state stale).",
            soft_wrap=True,
        )
    if told.planned:
        table = new_table("ACCOUNT", "REGION", "FUNCTION", "WHY")
        for one in told.planned[:PLANNED_SHOWN]:
            table.add_row(one.function.account, one.function.region, Text(function_name(one.function)), one.why.value)
        console.print(table)
        more = len(told.planned[PLANNED_SHOWN:]) + told.planned_unnamed
        if more:
            console.print(f"and {more:,} more")
    if told.problems:
        console.print(f"\n[bold]Not gone over[/] ({len(told.problems):,})")
        lines = [
            f"{account} {line}"
            for account, problems in groupby(told.problems, key=lambda one: one.account)
            for line in problem_lines((one.region, one.text) for one in problems)
        ]
        for line in lines[:PROBLEMS_SHOWN]:
            console.print(Text(f"  {line}", style="red"), soft_wrap=True)
        if len(lines) > PROBLEMS_SHOWN:
            console.print(f"  and {len(lines) - PROBLEMS_SHOWN:,} more; all of them: --json, or the summary")
    if told.summary_key:
        console.print(Text(f"summary  {told.summary_key}", style="dim"), soft_wrap=True)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
