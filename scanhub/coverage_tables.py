"""Coverage as a person reads it: by state, by group, account by account, day by day."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rich.table import Column, Table
from rich.text import Text

from hub.coverage import CoverageState
from hub.coverage_report import AccountCoverage, Share, States
from hub.coverage_selection import stated_reason
from hub.service_notes import ObjectiveDay
from hub.standing import CoverageRow
from scanhub.tables import STATE_STYLES, function_name, new_table, problem_lines

NEVER = Text("never", style="dim")
NOTHING = Text("-", style="dim")
GOOD_SHARE = 0.99


def states_table(states: States) -> Table:
    """One row a state that any function is in."""
    table = new_table("STATE", "FUNCTIONS")
    _to_the_right(table.columns[1:])
    for state in CoverageState:
        if states.get(state):
            table.add_row(Text(state.value, style=STATE_STYLES.get(state, "dim")), f"{states[state]:,}")
    return table


def groups_table(heading: str, groups: Mapping[str, States]) -> Table:
    """One row a group, with a column for each state that any function is in."""
    seen = [state for state in CoverageState if any(states.get(state) for states in groups.values())]
    table = new_table(heading, "FUNCTIONS", "SHARE", *(state.value for state in seen))
    _to_the_right(table.columns[1:])
    # A reason may hold hundreds of characters of AWS's; the names of the other groups are short.
    table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"
    for name, states in groups.items():
        counts = [Text(f"{states[state]:,}", style=_style(state)) if states.get(state) else NOTHING for state in seen]
        table.add_row(Text(name), f"{sum(states.values()):,}", share(Share.among(states)), *counts)
    return table


def accounts_table(accounts: Iterable[AccountCoverage]) -> Table:
    """One row an account."""
    table = new_table(
        "ACCOUNT",
        "FUNCTIONS",
        "SHARE",
        "LAST EVENT",
        "LAST SWEEP",
        "OLDEST RESULT",
        folded=("OTHER STATES", "PROBLEMS"),
    )
    _to_the_right(table.columns[1:3])
    for one in accounts:
        table.add_row(
            one.account,
            f"{sum(one.states.values()):,}",
            share(one.share),
            moment(one.last_event_at),
            moment(one.swept_at),
            moment(one.oldest_result_at),
            Text(", ".join(f"{one.states[state]:,} {state.value}" for state in CoverageState if _is_open(one, state))),
            Text("; ".join(problem_lines(one.problems.items())), style="red"),
        )
    return table


def days_table(days: Iterable[ObjectiveDay]) -> Table:
    """One row a day."""
    table = new_table("DAY", "CHANGES", "WITHIN TARGET", "TARGET", "SLOWEST", "GIVEN UP")
    _to_the_right(table.columns[1:])
    for day in days:
        table.add_row(
            day.day.isoformat(),
            f"{day.changes:,}",
            share(Share(covered=day.within, of=day.changes)),
            f"{day.target:,} s",
            f"{day.slowest:,.0f} s",
            Text(f"{day.failed:,}", style="red" if day.failed else "dim"),
        )
    return table


def functions_table(rows: Iterable[CoverageRow], *, details: bool = True) -> Table:
    """One row a function.

    Args:
        rows: The functions.
        details: Whether there is room for the runtime and the time.
    """
    columns = ("RUNTIME", "SINCE") if details else ()
    table = new_table("ACCOUNT", "REGION", "FUNCTION", "STATE", *columns, folded=("REASON",))
    for row in rows:
        function = row.function
        table.add_row(
            function.account,
            function.region,
            Text(function_name(function)),
            Text(row.state.value, style=_style(row.state)),
            *((Text(row.runtime or "-"), moment(row.at)) if details else ()),
            Text(stated_reason(row)),
        )
    return table


def share(one: Share) -> Text:
    """A share in percent. Rounded down: what is not all is not shown as 100 %."""
    if one.value is None:
        return NOTHING
    style = "green" if one.value >= GOOD_SHARE else "yellow"
    return Text(f"{int(one.value * 1000) / 10:.1f} %", style=style)


def moment(when: datetime | None) -> Text:
    """To the minute, UTC."""
    return Text(f"{when:%Y-%m-%d %H:%MZ}") if when is not None else NEVER


def _to_the_right(columns: Iterable[Column]) -> None:
    for column in columns:
        column.justify = "right"


def _is_open(one: AccountCoverage, state: CoverageState) -> bool:
    settled = {CoverageState.COVERED, CoverageState.GONE, CoverageState.EXCLUDED}
    return bool(one.states.get(state)) and state not in settled


def _style(state: CoverageState) -> str:
    return STATE_STYLES.get(state, "dim")
