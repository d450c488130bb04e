"""`scanhub coverage`: how many functions have a fresh result, which have not, and why."""

import asyncio
import csv
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from hub.coverage import CoverageState
from hub.coverage_count import NO_RUNTIME, CoverageCounts
from hub.coverage_report import AccountCoverage, CoverageReport, States, known_accounts, report
from hub.coverage_selection import Selection, counted, selected
from hub.settings import load
from hub.standing import CoverageRow
from infra.roster import of_names
from scanhub import coverage_tables as tables
from scanhub import regions, terminal
from scanhub.aws_options import named
from scanhub.coverage_documents import (
    ACCOUNT_COLUMNS,
    FUNCTION_COLUMNS,
    account_cells,
    account_document,
    cell,
    function_cells,
    group_cells,
    group_document,
    report_document,
    row_document,
)
from scanhub.documents import SCHEMA_VERSION
from scanhub.wiring import Hub, open_hub
from spoke.errors import Misconfigured

DAYS_SHOWN = 7
NO_REASON = "(none)"
WIDE = 120
"""Columns of a terminal from which on there is room for runtimes and times."""


class Group(StrEnum):
    """By what functions are counted."""

    ACCOUNT = "account"
    REGION = "region"
    STATE = "state"
    RUNTIME = "runtime"
    REASON = "reason"


_KEYS: Mapping[Group, Callable[[CoverageRow], str]] = {
    Group.ACCOUNT: lambda row: row.function.account,
    Group.REGION: lambda row: row.function.region,
    Group.STATE: lambda row: row.state.value,
    Group.RUNTIME: lambda row: row.runtime or NO_RUNTIME,
    Group.REASON: lambda row: row.reason or NO_REASON,
}


def coverage(
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this region; may be repeated.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; may be repeated.")] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only where the reason has this text in it.")
    ] = None,
    group_by: Annotated[Group | None, typer.Option(help="Count, instead of listing functions.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="List so many functions at the most; 0 lists all.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values instead of tables.")] = False,
) -> None:
    """Show how many functions have a fresh result, and which have none for what reason.

    Without options: counts by state, what is wrong in which account, and how fast changes were scanned. With --account,
    --region, --state or --reason: the functions themselves.
    """
    if as_json and as_csv:
        raise Misconfigured("--json and --csv: choose one")
    wanted = _selection(account, region, state, reason)
    if group_by is not None:
        _tell_grouped(group_by, wanted, as_json=as_json, as_csv=as_csv)
    elif wanted or as_csv:
        _tell_functions(*asyncio.run(_functions(wanted, limit)), as_json=as_json, as_csv=as_csv)
    else:
        _tell_whole(asyncio.run(_whole(wanted)), as_json=as_json)


def _selection(
    account: list[str] | None, region: list[str] | None, state: list[str] | None, reason: str | None
) -> Selection:
    states = tuple(one.upper().replace("-", "_") for one in named("--state", state))
    if wrong := [one for one in states if one not in CoverageState.__members__]:
        raise Misconfigured(f"not a state: {', '.join(wrong)}; one of {', '.join(CoverageState)}")
    return Selection(
        accounts=of_names(named("--account", account)).accounts,
        regions=regions.parse(named("--region", region)),
        states=tuple(CoverageState(one) for one in dict.fromkeys(states)),
        reason=_text("--reason", reason),
    )


def _text(option: str, value: str | None) -> str:
    if value is not None and not value.strip():
        raise Misconfigured(f"{option} names nothing; leave it out to mean all")
    return value or ""


async def _whole(wanted: Selection) -> CoverageReport:
    async with open_hub(load(), os.environ) as hub:
        await _accounts(hub, wanted)
        return await report(hub.ledger, hub.register, hub.ledger, accounts=wanted.accounts)


async def _functions(wanted: Selection, limit: int) -> tuple[list[CoverageRow], bool]:
    """The functions, sorted, and whether there are more."""
    async with open_hub(load(), os.environ) as hub:
        rows: list[CoverageRow] = []
        async for row in selected(hub.ledger, wanted, await _accounts(hub, wanted)):
            if limit and len(rows) == limit:
                return sorted(rows, key=_place), True
            rows.append(row)
    return sorted(rows, key=_place), False


def _place(row: CoverageRow) -> tuple[str, ...]:
    """As the columns are, from left to right."""
    function = row.function
    return function.account, function.region, function.name, function.qualifier or ""


async def _groups(group: Group, wanted: Selection) -> Mapping[str, States]:
    async with open_hub(load(), os.environ) as hub:
        accounts = await _accounts(hub, wanted)
        if wanted.is_by_function:
            return await counted(selected(hub.ledger, wanted, accounts), _KEYS[group])
        return _grouped(group, await hub.ledger.counts(accounts))


async def _accounts(hub: Hub, wanted: Selection) -> frozenset[str]:
    known = await known_accounts(hub.register, hub.ledger)
    if unknown := sorted(set(wanted.accounts) - known):
        raise Misconfigured(
            f"nothing is known of the account {unknown[0]}; look for its functions with: "
            f"scanhub sweep --accounts {unknown[0]}"
        )
    return frozenset(wanted.accounts) or known


def _grouped(group: Group, counts: CoverageCounts) -> Mapping[str, States]:
    if group is Group.STATE:
        return {state.value: {state: number} for state, number in counts.by_state.items()}
    if group is Group.REASON:
        by_reason: dict[str, dict[CoverageState, int]] = {}
        for (state, reason), number in counts.by_reason.items():
            by_reason.setdefault(reason or NO_REASON, {})[state] = number
        return by_reason
    groups = {Group.ACCOUNT: counts.by_account, Group.REGION: counts.by_region, Group.RUNTIME: counts.by_runtime}
    return {name: states for name, states in groups[group].items() if states}


def _tell_whole(told: CoverageReport, *, as_json: bool) -> None:
    if as_json:
        _write({"schemaVersion": SCHEMA_VERSION, **report_document(told)})
        return
    console = terminal.wide()
    if not told.counts.functions:
        console.print("No function was seen yet; look for them with: scanhub sweep")
    else:
        console.print(tables.states_table(told.counts.by_state))
        console.print()
        console.print(f"{told.share.covered:,} of {told.share.of:,} covered (", tables.share(told.share), ")", sep="")
    if troubled := [one for one in told.accounts if one.problems]:
        console.print(f"\n[bold]Accounts that could not be gone over[/] ({len(troubled)} of {len(told.accounts)})")
        console.print(tables.accounts_table(troubled))
    if told.objective:
        console.print("\n[bold]Changes scanned within the target[/]")
        console.print(tables.days_table(told.objective[:DAYS_SHOWN]))


def _tell_grouped(group: Group, wanted: Selection, *, as_json: bool, as_csv: bool) -> None:
    if group is Group.ACCOUNT and not wanted.is_by_function:
        _tell_accounts(asyncio.run(_whole(wanted)).accounts, as_json=as_json, as_csv=as_csv)
    else:
        _tell_groups(group, asyncio.run(_groups(group, wanted)), as_json=as_json, as_csv=as_csv)


def _tell_accounts(accounts: Sequence[AccountCoverage], *, as_json: bool, as_csv: bool) -> None:
    """More is known of an account than counts: when it was last heard of, and what is wrong there."""
    if as_json:
        groups = [account_document(one) for one in accounts]
        _write({"schemaVersion": SCHEMA_VERSION, "groupBy": Group.ACCOUNT.value, "groups": groups})
    elif as_csv:
        _write_rows(ACCOUNT_COLUMNS, [account_cells(one) for one in accounts])
    else:
        terminal.wide().print(tables.accounts_table(accounts))


def _tell_groups(group: Group, groups: Mapping[str, States], *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        told = [{group.value: name, **group_document(states)} for name, states in groups.items()]
        _write({"schemaVersion": SCHEMA_VERSION, "groupBy": group.value, "groups": told})
    elif as_csv:
        cells = [{group.value: cell(name), **group_cells(states)} for name, states in groups.items()]
        _write_rows([group.value, *group_cells({})], cells)
    else:
        terminal.wide().print(tables.groups_table(group.value.upper(), groups))


def _tell_functions(rows: list[CoverageRow], is_cut: bool, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        functions = [row_document(row) for row in rows]
        _write({"schemaVersion": SCHEMA_VERSION, "listed": functions, "isCut": is_cut})
    elif as_csv:
        _write_rows(FUNCTION_COLUMNS, [function_cells(row) for row in rows])
    else:
        console = terminal.wide()
        console.print(
            tables.functions_table(rows, details=console.width >= WIDE) if rows else "No function is like that."
        )
    if is_cut:
        terminal.console(stderr=True).print(f"There are more than {len(rows):,}; see them with --limit 0.")


def _write(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _write_rows(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
