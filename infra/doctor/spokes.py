"""The spokes as the organization sees them: which accounts there are, and whether each has its stack."""

from collections import defaultdict
from collections.abc import Iterator

from hub.diagnosis import Check, Kind
from infra import organization, stack_sets
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination

STACK_SET = "scanhub-spoke"

INSTANCES = Kind(
    name="spoke-stacks",
    group="organization",
    asks="is the spoke's stack current in each account and region of the StackSet?",
    wrong="Changes there do not reach the hub, or the worker cannot read the functions.",
    fix="run `scanhub rollout spokes`: it tries the failed ones again and says what to do",
)
COVERED = Kind(
    name="spoke-accounts",
    group="organization",
    asks="does the StackSet cover every active account of the organization?",
    wrong="Functions of these accounts are never scanned.",
    fix="run `scanhub rollout spokes` for the units that they lie in",
)


def instances(hub: DeployedHub) -> Iterator[Check]:
    """A check for each account with a stack that is not current."""
    found = _instances(hub)
    if not found:
        yield INSTANCES.failed(STACK_SET, "the StackSet is not there, or covers no account")
        return
    behind = defaultdict(list)
    for one in found:
        if not one.is_current:
            behind[one.account].append(one)
    for account, theirs in sorted(behind.items()):
        regions = ", ".join(one.region for one in theirs)
        why = next((one.reason for one in theirs if one.reason), "no reason given")
        yield INSTANCES.failed(account, f"{theirs[0].status} in {regions}: {why}")
    accounts = {one.account for one in found}
    if not behind:
        regions = ", ".join(sorted({one.region for one in found}))
        yield INSTANCES.ok(STACK_SET, f"{len(accounts)} accounts in {regions}")


def covered(hub: DeployedHub) -> Iterator[Check]:
    """All but the management account, which StackSets never reach and which has a stack of its own."""
    seen = organization.describe(hub.clients)
    accounts = {one.id: one.name for one in organization.active_accounts(hub.clients)}
    reached = {one.account for one in _instances(hub)} | {seen.management_account}
    missing = sorted(set(accounts) - reached)
    for account in missing:
        yield COVERED.warning(account, f"{accounts[account]} has no spoke")
    if not missing:
        yield COVERED.ok(seen.id, f"{len(accounts)} active accounts, each with a spoke")


def targets(hub: DeployedHub) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The accounts and the regions that the StackSet covers, for the worker's half to look at.

    Raises:
        Misconfigured: The caller's account does not administer StackSets.
    """
    found = _instances(hub)
    return tuple(sorted({one.account for one in found})), tuple(sorted({one.region for one in found}))


def _instances(hub: DeployedHub) -> tuple[stack_sets.Instance, ...]:
    call_as = stack_sets.call_as(organization.describe(hub.clients))
    return stack_sets.instances(hub.client("cloudformation"), STACK_SET, call_as)


EXAMINATIONS = (Examination(INSTANCES, instances), Examination(COVERED, covered))
