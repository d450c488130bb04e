"""What `scanhub coverage --json` prints, and the rows of `--csv`; names in camelCase, times in ISO 8601 (UTC)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.coverage import CoverageState
from hub.coverage_report import AccountCoverage, CoverageReport, Share, States
from hub.coverage_selection import stated_reason
from hub.service_notes import ObjectiveDay
from hub.standing import CoverageRow
from scanhub.tables import problem_lines

FUNCTION_COLUMNS = ("account", "region", "function", "version", "state", "reason", "runtime", "at", "resultAt")
GROUP_COLUMNS = ("functions", "covered", "share", *(state.value for state in CoverageState))
ACCOUNT_COLUMNS = ("account", *GROUP_COLUMNS, "lastEventAt", "lastSweepAt", "oldestResultAt", "problems")


def report_document(report: CoverageReport) -> dict[str, Any]:
    """The whole, account by account."""
    return {
        **group_document(report.counts.by_state),
        "accounts": [account_document(one) for one in report.accounts],
        "objective": [day_document(day) for day in report.objective],
    }


def group_document(states: States) -> dict[str, Any]:
    """Functions counted by state. `functions` are all, `share` is of those that are neither gone nor excluded."""
    share = Share.among(states)
    return {
        "functions": sum(states.values()),
        "covered": share.covered,
        "share": share.value,
        "states": {state.value: states[state] for state in CoverageState if states.get(state)},
    }


def account_document(one: AccountCoverage) -> dict[str, Any]:
    """One account."""
    return {
        "account": one.account,
        **group_document(one.states),
        "lastEventAt": _moment(one.last_event_at),
        "lastSweepAt": _moment(one.swept_at),
        "oldestResultAt": _moment(one.oldest_result_at),
        "problems": [{"region": region or None, "problem": text} for region, text in sorted(one.problems.items())],
    }


def day_document(day: ObjectiveDay) -> dict[str, Any]:
    """How fast the changes of a day were scanned."""
    return {
        "day": day.day.isoformat(),
        "targetSeconds": day.target,
        "changes": day.changes,
        "within": day.within,
        "failed": day.failed,
        "share": day.share,
        "slowestSeconds": round(day.slowest, 1),
    }


def row_document(row: CoverageRow) -> dict[str, Any]:
    """One function of a list."""
    function = row.function
    return {
        "function": str(function),
        "account": function.account,
        "region": function.region,
        "name": function.name,
        "version": function.qualifier,
        "state": row.state.value,
        "reason": stated_reason(row),
        "runtime": row.runtime,
        "at": row.at.isoformat(),
        "resultAt": _moment(row.result_at),
    }


def function_cells(row: CoverageRow) -> Mapping[str, str]:
    """One function as `FUNCTION_COLUMNS`."""
    document = row_document(row) | {"function": row.function.name}
    return {name: cell(document[name]) for name in FUNCTION_COLUMNS}


def group_cells(states: States) -> Mapping[str, str]:
    """A group as `GROUP_COLUMNS` and each state."""
    document = group_document(states)
    counts = {state.value: str(states.get(state, 0)) for state in CoverageState}
    share = document["share"]
    return {
        "functions": str(document["functions"]),
        "covered": str(document["covered"]),
        "share": f"{share:.4f}" if share is not None else "",
        **counts,
    }


def account_cells(one: AccountCoverage) -> Mapping[str, str]:
    """An account as `ACCOUNT_COLUMNS`."""
    document = account_document(one)
    told = {name: cell(document[name]) for name in ("account", "lastEventAt", "lastSweepAt", "oldestResultAt")}
    return {**told, **group_cells(one.states), "problems": cell("; ".join(problem_lines(one.problems.items())))}


def cell(value: object) -> str:
    """A value as text in one line; nothing where there is none."""
    text = "" if value is None else " ".join(str(value).split())
    # A reason holds words of a member account. What begins like a formula would be one in a spreadsheet.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
