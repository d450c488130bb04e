"""What a rollout of the spokes would change: StackSets have no change sets, so it is worked out here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from infra.organization import Account
from infra.stack_sets import Instance, StackSet
from spoke.errors import Misconfigured

SECRET_PARAMETER = "ScannerExternalId"  # noqa: S105  # the parameter's name
ROLE_REGION = "RoleRegion"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A StackSet as it shall be.

    Attributes:
        name: The StackSet's.
        template: The template's text.
        parameters: All but the secret one.
        secret: The external id.
        secret_version: Which version of it; part of the description, so that a new one is noticed.
        regions: In which instances shall be.
        units: Organizational units, or the root.
        depends_on: The StackSet that a joining account gets first; None if it gets this one first.
    """

    name: str
    template: str
    parameters: Mapping[str, str]
    secret: SecretStr = field(repr=False)
    secret_version: str
    regions: tuple[str, ...]
    units: tuple[str, ...]
    depends_on: str | None = None

    @property
    def description(self) -> str:
        """CloudFormation never shows the external id again: its version tells whether it is the present one."""
        return f"scanhub, the spokes (external id {self.secret_version})"


@dataclass(frozen=True, kw_only=True)
class SetPlan:
    """What is to be done to one StackSet.

    Attributes:
        wanted: As it shall be.
        is_new: Whether it is to be created.
        changes: What of its definition differs, a line each; no secret is in it.
        units: All targets afterwards.
        regions: All regions afterwards.
        new_units: Targets to be added.
        new_regions: Regions to be added.
        removed_regions: Regions to be taken away.
        retried: Instances that an earlier operation did not bring up to date.
        uncovered: Accounts of the units that have no instance in some region, though they should.
    """

    wanted: Wanted
    is_new: bool
    changes: tuple[str, ...]
    units: tuple[str, ...]
    regions: tuple[str, ...]
    new_units: tuple[str, ...]
    new_regions: tuple[str, ...]
    removed_regions: tuple[str, ...] = ()
    retried: tuple[Instance, ...] = ()
    uncovered: tuple[str, ...] = ()

    @property
    def old_units(self) -> tuple[str, ...]:
        """The targets that there are already."""
        return tuple(unit for unit in self.units if unit not in self.new_units)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        parts = (
            self.changes, self.new_units, self.new_regions, self.removed_regions, self.retried, self.uncovered
        )  # fmt: skip
        return not self.is_new and not any(parts)


@dataclass(frozen=True, kw_only=True)
class SpokesPlan:
    """What is to be done to the spokes.

    Attributes:
        sets: In the order in which they are worked.
        accounts: The active accounts that are covered afterwards.
    """

    sets: tuple[SetPlan, ...]
    accounts: tuple[Account, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return all(one.is_empty for one in self.sets)


def plan(
    wanted: Wanted,
    existing: StackSet | None,
    instances: Sequence[Instance],
    *,
    accounts: Sequence[str],
    remove_others: bool = False,
) -> SetPlan:
    """Compare a StackSet as it shall be with what is there.

    Args:
        wanted: As it shall be.
        existing: As it is; None if there is none.
        instances: Its instances.
        accounts: The active accounts that all its units hold, without the management account.
        remove_others: Whether regions that are not wanted are taken away; otherwise they stay.

    Raises:
        Misconfigured: It is not one of ours, or its primary region would change.
    """
    if existing is None:
        return SetPlan(
            wanted=wanted,
            is_new=True,
            changes=(),
            units=wanted.units,
            regions=wanted.regions,
            new_units=wanted.units,
            new_regions=wanted.regions,
        )
    if not existing.is_service_managed:
        raise Misconfigured(f"the stack set {wanted.name} is self-managed, so not one of ours: rename or delete it")
    _check_role_region(wanted, existing)
    covered = {instance.region for instance in instances} | set(existing.regions)
    active = frozenset(accounts)
    others = tuple(sorted(covered - set(wanted.regions)))
    removed = others if remove_others else ()
    regions = (*wanted.regions, *(one for one in others if one not in removed))
    # A unit is a target by its instances: without a region there is nothing to add.
    added = tuple(one for one in wanted.units if one not in existing.organizational_units) if regions else ()
    return SetPlan(
        wanted=wanted,
        is_new=False,
        changes=tuple(_changes(wanted, existing)),
        units=(*existing.organizational_units, *added),
        regions=regions,
        new_units=added,
        new_regions=tuple(region for region in wanted.regions if region not in covered),
        removed_regions=removed,
        retried=tuple(one for one in instances if _is_worth_a_try(one, active) and one.region not in removed),
        # Accounts of a unit that is new here are reached with it.
        uncovered=() if added else _uncovered(instances, covered - set(removed), accounts),
    )


def _uncovered(instances: Sequence[Instance], regions: set[str], accounts: Sequence[str]) -> tuple[str, ...]:
    places = {(instance.account, instance.region) for instance in instances}
    return tuple(account for account in accounts if any((account, region) not in places for region in regions))


def _check_role_region(wanted: Wanted, existing: StackSet) -> None:
    now, then = existing.parameters.get(ROLE_REGION), wanted.parameters[ROLE_REGION]
    if now not in {None, then}:
        raise Misconfigured(
            f"the roles of the spokes are made in {now}: to make them in {then}, take the spokes away first "
            "(scanhub rollout remove --spokes-only), since one role cannot belong to two stacks"
        )


def _changes(wanted: Wanted, existing: StackSet) -> list[str]:
    lines = []
    if existing.template.strip() != wanted.template.strip():
        lines.append("the template")
    for name, value in sorted(wanted.parameters.items()):
        before = existing.parameters.get(name)
        if before != value:
            lines.append(f"{name}: {'(default)' if before is None else before or '(empty)'} -> {value or '(empty)'}")
    if existing.description != wanted.description:
        lines.append(f"{SECRET_PARAMETER}: a new value (not shown)")
    if not existing.auto_deploys:
        lines.append("accounts that join are covered")
    if not existing.is_managed_execution:
        lines.append("operations are queued")
    return lines


def _is_worth_a_try(instance: Instance, active: frozenset[str]) -> bool:
    # Updates leave out what is inoperable; and nothing can be done in an account that is suspended or has left. What is
    # pending, while no operation runs, waits for one that was stopped.
    moving = instance.detailed_status in {"RUNNING", "SKIPPED_SUSPENDED_ACCOUNT"}
    return instance.status == "OUTDATED" and not moving and instance.account in active
