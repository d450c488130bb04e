"""The spokes as the organization sees them: which accounts there are, and whether each has its stacks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from hub.diagnosis import Check, Kind
from infra import organization, stack_sets, stacks
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.hub_stacks import judged
from infra.organization import Organization
from infra.rollout.site import REGIONS_STACK_SET, SPOKE_STACK, STACK_SET
from infra.stack_sets import Instance
from infra.stacks import Stack
from spoke.errors import Misconfigured

STACK_SETS = (STACK_SET, REGIONS_STACK_SET)
"""Of the primary region, and of all others; the second is there only where there are others."""

INSTANCES = Kind(
    name="spoke-stacks",
    group="organization",
    asks="is the spoke's stack current in each account and region of the StackSets?",
    wrong="Changes there do not reach the hub, or the worker cannot read the functions.",
    fix="run `scanhub rollout spokes`: it tries the failed ones again and says what to do",
)
COVERED = Kind(
    name="spoke-accounts",
    group="organization",
    asks="do the StackSets cover every active account of the organization, in each of their regions?",
    wrong="Functions of these accounts, or regions, are never scanned.",
    fix="run `scanhub rollout spokes` for the units that they lie in",
)

_SUSPENDED = "SKIPPED_SUSPENDED_ACCOUNT"
_UNDER_WAY = frozenset({"PENDING", "RUNNING"})
"""Of `DetailedStatus` (StackInstanceComprehensiveStatus in CloudFormation's API reference)."""


def instances(hub: DeployedHub) -> Iterator[Check]:
    """A check for each account with a stack that is not current."""
    own = _own(hub)
    if own is not None:
        yield judged(INSTANCES, own)
    try:
        found = [one for listed in _instances(hub).values() for one in listed]
    except Misconfigured:
        if own is None:
            raise
        # A hub with a spoke beside it needs no StackSets.
        return
    if not found:
        if own is None:
            yield INSTANCES.failed(STACK_SET, "the StackSet is not there, or covers no account")
        return
    behind = defaultdict(list)
    for one in found:
        if not one.is_current and one.detailed_status != _SUSPENDED:
            behind[one.account].append(one)
    for account, theirs in sorted(behind.items()):
        yield _behind(account, theirs)
    if not behind:
        accounts = {one.account for one in found}
        suspended = {one.account for one in found if one.detailed_status == _SUSPENDED}
        regions = ", ".join(sorted({one.region for one in found}))
        beside = f"; {len(suspended)} of them suspended" if suspended else ""
        yield INSTANCES.ok(STACK_SET, f"{len(accounts)} accounts in {regions}{beside}")


def _behind(account: str, theirs: Sequence[Instance]) -> Check:
    regions = ", ".join(one.region for one in theirs)
    if all(one.detailed_status in _UNDER_WAY for one in theirs):
        return INSTANCES.warning(account, f"being deployed in {regions}", fix="wait and ask again")
    first = next((one for one in theirs if one.reason), theirs[0])
    evidence = [f"{one.region}: {one.status} {one.reason}" for one in theirs if one.reason and one is not first]
    return INSTANCES.failed(
        account, f"{first.status} in {regions}: {first.reason or 'no reason given'}", evidence=evidence
    )


def covered(hub: DeployedHub) -> Iterator[Check]:
    """All but the management account, which StackSets never reach."""
    own = _own(hub)
    try:
        found = _instances(hub)
    except Misconfigured:
        if own is None:
            raise
        yield COVERED.ok(hub.account, "hub and spoke share this account; StackSets are not administered from here")
        return
    if own is not None and not any(found.values()):
        yield COVERED.ok(hub.account, "hub and spoke share this account; there is no StackSet")
        return
    seen = _organization(hub)
    accounts = {one.id: one.name for one in organization.active_accounts(hub.clients)}
    missing = _missing(found, sorted(set(accounts) - {seen.management_account}))
    for account, regions in missing.items():
        where = f"no spoke in {', '.join(regions)}" if regions else "no spoke"
        yield COVERED.warning(account, f"{accounts[account]} has {where}")
    if not missing:
        yield COVERED.ok(
            seen.id,
            f"{len(accounts)} active accounts, each with a spoke but the management account {seen.management_account}, "
            "which has stacks of its own: they cannot be seen from here",
        )


def _missing(found: Mapping[str, Sequence[Instance]], accounts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By account, the regions that lack; none are named where all do."""
    there = {(one.account, one.region) for listed in found.values() for one in listed}
    regions = sorted({region for _, region in there})
    missing = {}
    for account in accounts:
        lacking = tuple(region for region in regions if (account, region) not in there)
        if lacking or not regions:
            missing[account] = lacking if len(lacking) < len(regions) else ()
    return missing


def targets(hub: DeployedHub) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The accounts and the regions that have spokes, for the worker's half to look at. Suspended accounts have none.

    Raises:
        Misconfigured: The caller's account does not administer StackSets, and has no spoke of its own.
    """
    own = _own(hub)
    places = {(hub.account, hub.region)} if own is not None else set()
    try:
        found = [one for listed in _instances(hub).values() for one in listed]
    except Misconfigured:
        if own is None:
            raise
        found = []
    places |= {(one.account, one.region) for one in found if one.detailed_status != _SUSPENDED}
    return tuple(sorted({account for account, _ in places})), tuple(sorted({region for _, region in places}))


def _own(hub: DeployedHub) -> Stack | None:
    """The spoke that stands beside the hub as a plain stack: of a single account, or of the management account."""
    return hub.answers.once("own spoke", lambda: stacks.describe(hub.client("cloudformation"), SPOKE_STACK))


def _organization(hub: DeployedHub) -> Organization:
    return hub.answers.once("organization", lambda: organization.describe(hub.clients))


def _instances(hub: DeployedHub) -> Mapping[str, Sequence[Instance]]:
    """By StackSet."""
    call_as = stack_sets.call_as(_organization(hub))
    client = hub.client("cloudformation")
    return hub.answers.once(
        "instances", lambda: {name: stack_sets.instances(client, name, call_as) for name in STACK_SETS}
    )


EXAMINATIONS = (Examination(INSTANCES, instances), Examination(COVERED, covered))
