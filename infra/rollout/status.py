"""What stands, and what is missing where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra import organization as organizations
from infra import stack_sets, stacks
from infra.calls import AwsClient, calling
from infra.organization import Account
from infra.rollout import own_spoke
from infra.rollout.hints import hint, with_hint
from infra.rollout.site import (
    HUB_STACK,
    MONITORING_STACK,
    NETWORK_STACK,
    REGIONS_STACK_SET,
    SPOKE_STACK,
    STACK_SET,
    Site,
)
from infra.rollout.spoke_parameters import TEMPLATE
from infra.rollout.spokes_plan import ROLE_REGION
from infra.stack_sets import Instance, StackSet
from infra.stacks import DONE, Stack

_TEMPLATES = {
    NETWORK_STACK: "hub-network.yaml",
    HUB_STACK: "hub.yaml",
    MONITORING_STACK: "hub-monitoring.yaml",
    SPOKE_STACK: TEMPLATE,
}
ABSENT = "ABSENT"
MISSING = "MISSING"

_NO_WORKER = "it has no worker yet: scanhub rollout image makes its image, scanhub rollout hub deploys it"
_NO_SCALING = "it does not scale the service: run scanhub rollout hub"
_MANAGEMENT = (
    "the management account, which stack sets never reach: with its credentials, scanhub rollout spokes "
    "--management-only (from another account it cannot be seen whether that was done)"
)
_INOPERABLE = (
    "a deletion failed half way: take the instance out by aws cloudformation delete-stack-instances --retain-stacks, "
    "delete its stack in the account, then run scanhub rollout spokes"
)


@dataclass(frozen=True, kw_only=True)
class StackStatus:
    """A stack that should be, or is, there.

    Attributes:
        name: The stack's.
        account: Twelve digits.
        region: Such as `eu-central-1`.
        status: CloudFormation's word; `ABSENT` if there is no such stack.
        reason: Why it is not well; empty where it is.
        is_current: Whether its template is the one of this scanhub; None if it is absent.
        is_needed: Whether the rollout is incomplete without it.
        is_whole: Whether it holds all that it should: a hub its worker, and what stands beside it the scaling.
    """

    name: str
    account: str
    region: str
    status: str
    reason: str = ""
    is_current: bool | None = None
    is_needed: bool = True
    is_whole: bool = True

    @property
    def is_well(self) -> bool:
        """Whether it stands, whatever its version."""
        if self.status == ABSENT:
            return not self.is_needed
        return self.is_whole and self.status in DONE | {"UPDATE_ROLLBACK_COMPLETE"}


@dataclass(frozen=True, kw_only=True)
class SpokeStatus:
    """An account and region that should be covered.

    Attributes:
        account: The account.
        region: Such as `eu-central-1`.
        status: CloudFormation's words, such as `CURRENT` or `OUTDATED (FAILED)`; `MISSING` if there is no instance.
        reason: AWS's words, or ours where it is missing.
        what_to_do: In one line; empty if nothing is known, or nothing is to be done.
        is_well: Whether its stack is as it should be.
    """

    account: Account
    region: str
    status: str
    reason: str = ""
    what_to_do: str = ""
    is_well: bool = True


@dataclass(frozen=True, kw_only=True)
class Uncovered:
    """An account that no StackSet is meant to reach.

    Attributes:
        account: The account.
        reason: Why.
    """

    account: Account
    reason: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """Everything.

    Attributes:
        site: Where.
        stacks: Of the hub and, where we act in it, of the management account.
        sets: The StackSets that are there.
        outdated_sets: Those of them whose template is not the one of this scanhub.
        spokes: Every account and region that should be covered, in order.
        uncovered: Accounts that are not meant to be.
    """

    site: Site
    stacks: tuple[StackStatus, ...]
    sets: tuple[StackSet, ...]
    outdated_sets: tuple[str, ...]
    spokes: tuple[SpokeStatus, ...]
    uncovered: tuple[Uncovered, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing and nothing has failed."""
        watched = bool(self.spokes) or any(stack.name == SPOKE_STACK for stack in self.stacks)
        stand = all(stack.is_well for stack in self.stacks) and all(spoke.is_well for spoke in self.spokes)
        return watched and stand


def look(site: Site) -> Status:
    """Ask CloudFormation and the organization.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    client = site.own("cloudformation")
    organization = site.organization
    administers = organization.is_management or organization.is_delegated_administrator
    found = [stack_sets.describe(client, name, site.call_as) for name in (STACK_SET, REGIONS_STACK_SET) if administers]
    sets = tuple(one for one in found if one is not None)
    instances = {one.name: stack_sets.instances(client, one.name, site.call_as) for one in sets}
    everybody = organizations.all_accounts(site.clients) if administers else ()
    targeted = _targeted(site, sets, everybody)
    hub = _hub_stacks(site)
    own = [stack for account in _own_accounts(site) for stack in _own_stacks(site, account, _regions(sets, instances))]
    text = stacks.template_text(TEMPLATE).strip()
    return Status(
        site=site,
        stacks=(*hub, *own),
        sets=sets,
        outdated_sets=tuple(one.name for one in sets if one.template.strip() != text),
        spokes=tuple(_spokes(sets, instances, targeted)),
        uncovered=tuple(_uncovered(site, everybody, targeted, own)),
    )


def _targeted(site: Site, sets: Iterable[StackSet], everybody: tuple[Account, ...]) -> dict[str, Account]:
    """The accounts that the StackSets reach, by their ids; the management account never is one."""
    named = tuple(dict.fromkeys(unit for one in sets for unit in one.organizational_units))
    units = organizations.units_left(site.clients, named)
    if not units:
        return {}
    reaches_all = any(organizations.is_root(unit) for unit in units)
    accounts = everybody if reaches_all else organizations.all_accounts(site.clients, units)
    return {account.id: account for account in accounts if account.id != site.organization.management_account}


def _own_accounts(site: Site) -> tuple[str, ...]:
    """Where spokes may stand as plain stacks: in a single account, and in the management account."""
    organization = site.organization
    return tuple(dict.fromkeys((site.hub_account, *((organization.account,) if organization.is_management else ()))))


def _hub_stacks(site: Site) -> list[StackStatus]:
    client = site.hub("cloudformation")
    found = {name: stacks.describe(client, name) for name in (NETWORK_STACK, HUB_STACK, MONITORING_STACK)}
    hub, beside = found[HUB_STACK], found[MONITORING_STACK]
    runs = hub is not None and "ServiceName" in hub.outputs
    lacks = {HUB_STACK: "" if runs else _NO_WORKER}
    if runs and beside is not None and not beside.parameters.get("ServiceName"):
        lacks[MONITORING_STACK] = _NO_SCALING
    needed = {HUB_STACK, *([MONITORING_STACK] if runs else [])}
    return [
        _stack_status(
            client, stack, name, site.hub_account, site.region, is_needed=name in needed, lacks=lacks.get(name, "")
        )
        for name, stack in found.items()
    ]


def _own_stacks(site: Site, account: str, expected: Iterable[str]) -> list[StackStatus]:
    """None if there is none at all: then the account is not meant to have one."""
    there = own_spoke.find(site, account)
    if not there:
        return []
    primary = next(iter(there.values())).parameters.get(ROLE_REGION)
    wanted = {*there, *expected} if account != site.hub_account else {*there, *([primary] if primary else [])}
    return [
        _stack_status(site.inside(account, "cloudformation", region), there.get(region), SPOKE_STACK, account, region)
        for region in sorted(wanted)
    ]


def _stack_status(
    client: AwsClient,
    stack: Stack | None,
    name: str,
    account: str,
    region: str,
    *,
    is_needed: bool = True,
    lacks: str = "",
) -> StackStatus:
    if stack is None:
        return StackStatus(name=name, account=account, region=region, status=ABSENT, is_needed=is_needed)
    reason = ""
    if stack.status not in DONE and not stack.is_in_progress:
        first = stacks.first_failure(client, stack.id)
        reason = with_hint(str(first) if first is not None else stack.reason)
    with calling(f"reading the template of the stack {name}"):
        body = client.get_template(StackName=stack.id, TemplateStage="Original")["TemplateBody"]
    is_current = str(body).strip() == stacks.template_text(_TEMPLATES[name]).strip()
    return StackStatus(
        name=name,
        account=account,
        region=region,
        status=stack.status,
        reason=reason or lacks,
        is_current=is_current,
        is_whole=not lacks,
    )


def _regions(sets: Iterable[StackSet], instances: Mapping[str, Iterable[Instance]]) -> tuple[str, ...]:
    """Every region that a StackSet covers."""
    return tuple(dict.fromkeys(region for one in sets for region in _regions_of(one, instances[one.name])))


def _regions_of(one: StackSet, instances: Iterable[Instance]) -> list[str]:
    return sorted({*one.regions, *(instance.region for instance in instances)})


def _spokes(
    sets: Iterable[StackSet], instances: Mapping[str, Iterable[Instance]], targeted: Mapping[str, Account]
) -> list[SpokeStatus]:
    rows = []
    for one in sets:
        there = {(instance.account, instance.region): instance for instance in instances[one.name]}
        rows += [_spoke(instance, targeted) for instance in there.values()]
        rows += [
            _missing(account, region)
            for region in _regions_of(one, there.values())
            for account in targeted.values()
            if account.is_active and (account.id, region) not in there
        ]
    return sorted(rows, key=lambda row: (row.account.id, row.region))


def _spoke(instance: Instance, targeted: Mapping[str, Account]) -> SpokeStatus:
    detail = f" ({instance.detailed_status})" if instance.detailed_status not in {"", "SUCCEEDED"} else ""
    account = targeted.get(instance.account, Account(id=instance.account, name=""))
    suspended = instance.detailed_status == "SKIPPED_SUSPENDED_ACCOUNT" or not account.is_active
    what_to_do = ""
    if not instance.is_current and not suspended:
        what_to_do = (
            _INOPERABLE
            if instance.status == "INOPERABLE"
            else hint(instance.reason) or "run scanhub rollout spokes again: it tries once more what failed"
        )
    return SpokeStatus(
        account=account,
        region=instance.region,
        status=f"{instance.status}{detail}",
        reason=instance.reason,
        what_to_do=what_to_do,
        is_well=instance.is_current or suspended,
    )


def _missing(account: Account, region: str) -> SpokeStatus:
    return SpokeStatus(
        account=account,
        region=region,
        status=MISSING,
        reason="the account is in a unit that is covered, but has no stack: it may have joined a moment ago",
        what_to_do="wait some minutes, then run scanhub rollout spokes",
        is_well=False,
    )


def _uncovered(
    site: Site, everybody: Iterable[Account], targeted: Mapping[str, Account], own: Iterable[StackStatus]
) -> list[Uncovered]:
    management = site.organization.management_account
    has_own = {stack.account for stack in own}
    rows = []
    for account in everybody:
        if account.id in has_own:
            continue
        if account.id == management:
            rows.append(Uncovered(account=account, reason=_MANAGEMENT))
        elif not account.is_active:
            rows.append(Uncovered(account=account, reason=f"{account.state.lower()}: nothing can be deployed to it"))
        elif account.id not in targeted:
            rows.append(Uncovered(account=account, reason="in no organizational unit that is covered"))
    return rows
