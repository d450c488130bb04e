"""Plans and states of a rollout as a person reads them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from infra.rollout.change_set import ParameterChange, ResourceChange
from infra.rollout.spokes_plan import SetPlan, SpokesPlan
from infra.rollout.status import SpokeStatus, StackStatus, Status
from scanhub.documents import SCHEMA_VERSION
from scanhub.tables import new_table

_SHOWN_ACCOUNTS = 20
_SHOWN_ROWS = 100
_ALL = "; scanhub rollout status --json names all"
_ACTION_STYLES = {"Add": "green", "Modify": "yellow", "Remove": "red"}


def changes_table(changes: Iterable[ResourceChange]) -> Table:
    """One row a resource; what is replaced or removed is red."""
    table = new_table("ACTION", "RESOURCE", folded=("TYPE", "REPLACED"))
    for change in changes:
        replaced = {"True": "yes", "Conditional": "perhaps"}.get(change.replaces, "")
        style = "bold red" if change.is_destructive else _ACTION_STYLES.get(change.action, "")
        table.add_row(
            Text(change.action, style=style), Text(change.resource), Text(change.type), Text(replaced, style="bold red")
        )
    return table


def parameters_table(changes: Iterable[ParameterChange]) -> Table:
    """One row a parameter that gets another value."""
    table = new_table("PARAMETER", folded=("BEFORE", "AFTER"))
    for change in changes:
        table.add_row(Text(change.name), Text(_shown(change.before)), Text(_shown(change.after)))
    return table


def _shown(value: str | None) -> str:
    return "-" if value is None else value or '""'


def set_lines(plan: SpokesPlan) -> Iterator[Text]:
    """A plan for StackSets, which have no change sets."""
    names = ", ".join(f"{one.id} ({one.name})" if one.name else one.id for one in plan.accounts[:_SHOWN_ACCOUNTS])
    more = f" and {len(plan.accounts) - _SHOWN_ACCOUNTS} more" if len(plan.accounts) > _SHOWN_ACCOUNTS else ""
    yield Text(f"accounts that are covered: {len(plan.accounts)}: {names}{more}")
    for one in plan.sets:
        yield from _set_lines(one)


def _set_lines(one: SetPlan) -> Iterator[Text]:
    what = "create" if one.is_new else "no changes to" if one.is_empty else "update"
    heading = (
        f"{what} the stack set {one.wanted.name}: {', '.join(one.units)} in {', '.join(one.regions) or 'no region'}"
    )
    yield Text(heading, style="bold")
    for change in one.changes:
        yield Text(f"  change: {change}", style="yellow")
    if not one.is_new:
        yield from (Text(f"  add: region {region}", style="green") for region in one.new_regions)
        yield from (Text(f"  add: unit {unit}", style="green") for unit in one.new_units)
    yield from (Text(f"  remove: region {region}", style="bold red") for region in one.removed_regions)
    for instance in one.retried[:_SHOWN_ROWS]:
        yield Text(
            f"  try again: {instance.account} {instance.region}: {instance.reason or instance.status}", style="yellow"
        )
    yield from _more(len(one.retried), _SHOWN_ROWS, "  try again")
    for account in one.uncovered[:_SHOWN_ROWS]:
        yield Text(f"  add: account {account}, which was left out", style="green")
    yield from _more(len(one.uncovered), _SHOWN_ROWS, "  add")


def _more(number: int, shown: int, what: str) -> Iterator[Text]:
    if number > shown:
        yield Text(f"{what}: {number - shown} more{_ALL}")


def status_lines(status: Status) -> Iterator[Text | Table]:
    """The whole state: stacks, spokes, what is missing."""
    site = status.site
    yield Text(f"organization {site.organization.id}, hub in {site.hub_account}, {site.region}", style="bold")
    yield _stacks_table(status.stacks)
    for there in status.sets:
        version = "another template" if there.name in status.outdated_sets else "current template"
        units = ", ".join(there.organizational_units) or "no unit"
        yield Text(
            f"stack set {there.name}: {version}; {units}; accounts that join are {_joins(auto=there.auto_deploys)}"
        )
    bad = [spoke for spoke in status.spokes if not spoke.is_well]
    well = Counter(spoke.region for spoke in status.spokes if spoke.is_well)
    for region, number in sorted(well.items()):
        yield Text(f"{region}: {number} accounts are as they should be", style="green")
    for region, number in sorted(Counter(spoke.region for spoke in bad).items()):
        yield Text(f"{region}: {number} accounts are not", style="red")
    if bad:
        yield _spokes_table(bad[:_SHOWN_ROWS])
        yield from _more(len(bad), _SHOWN_ROWS, "not as they should be")
    for one in status.uncovered[:_SHOWN_ACCOUNTS]:
        yield Text(f"not covered: {one.account.id} ({one.account.name}): {one.reason}", style="dim")
    yield from _more(len(status.uncovered), _SHOWN_ACCOUNTS, "not covered")
    if status.is_complete:
        yield Text("complete", style="bold green")
    else:
        yield Text("not complete", style="bold red")


def _joins(*, auto: bool) -> str:
    return "covered" if auto else "NOT covered"


def _stacks_table(stacks: Iterable[StackStatus]) -> Table:
    table = new_table("STACK", "ACCOUNT", "REGION", folded=("STATUS", "TEMPLATE", "REASON"))
    for stack in stacks:
        version = {True: "current", False: "another", None: "-"}[stack.is_current]
        style = "green" if stack.is_well else "red"
        table.add_row(
            stack.name, stack.account, stack.region, Text(stack.status, style=style), version, Text(stack.reason)
        )
    return table


def _spokes_table(spokes: Iterable[SpokeStatus]) -> Table:
    table = new_table("ACCOUNT", "REGION", folded=("STATUS", "NAME", "REASON", "WHAT TO DO"))
    for spoke in spokes:
        row = (spoke.account.name, spoke.reason, spoke.what_to_do)
        table.add_row(spoke.account.id, spoke.region, Text(spoke.status, style="red"), *map(Text, row))
    return table


def status_document(status: Status) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "organization": status.site.organization.id,
        "hubAccount": status.site.hub_account,
        "hubRegion": status.site.region,
        "complete": status.is_complete,
        "stacks": [
            {
                "name": one.name,
                "account": one.account,
                "region": one.region,
                "status": one.status,
                "reason": one.reason,
                "isCurrent": one.is_current,
                "isNeeded": one.is_needed,
            }
            for one in status.stacks
        ],
        "stackSets": [
            {
                "name": one.name,
                "isCurrent": one.name not in status.outdated_sets,
                "organizationalUnits": list(one.organizational_units),
                "autoDeployment": one.auto_deploys,
            }
            for one in status.sets
        ],
        "spokes": [
            {
                "account": one.account.id,
                "name": one.account.name,
                "region": one.region,
                "status": one.status,
                "reason": one.reason,
                "whatToDo": one.what_to_do,
                "isWell": one.is_well,
            }
            for one in status.spokes
        ],
        "notCovered": [
            {"account": one.account.id, "name": one.account.name, "reason": one.reason} for one in status.uncovered
        ],
    }
