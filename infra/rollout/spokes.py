"""The spokes of the organization: two StackSets of one template, planned, shown, and rolled out in waves.

The roles are made by the StackSet of the primary region; the one of the other regions depends on it. When an account
joins, CloudFormation deploys to its regions in no order of ours, but it heeds what depends on what (`DependsOn` of
AutoDeployment); a rule whose role is not there yet could not be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from infra import organization as organizations
from infra import stack_sets
from infra.organization import Account
from infra.rollout import prerequisites, regions, spoke_parameters
from infra.rollout.deployment import Deployment
from infra.rollout.operations import Operations, Result, failure
from infra.rollout.operator import confirm
from infra.rollout.own_spoke import OwnSpoke
from infra.rollout.regions import Regions
from infra.rollout.site import REGIONS_STACK_SET, STACK_SET, Site
from infra.rollout.spoke_parameters import SpokeParameters
from infra.rollout.spokes_plan import ROLE_REGION, SpokesPlan, Wanted, plan
from infra.rollout.stack_set_work import StackSetWork, Waves
from infra.stack_sets import Instance, StackSet
from spoke.errors import Misconfigured

MOST_UNITS = 50
"""Organizational units in one operation (CreateStackInstances in CloudFormation's API reference)."""


@dataclass(frozen=True, kw_only=True)
class SpokesOptions:
    """What the operator may decide of the spokes.

    Attributes:
        units: Organizational units, or the root; none: those there are, or the root.
        regions: See `regions.choose`.
        primary_region: Where the roles are made; None: where they are, or the hub's.
        remove_other_regions: Whether regions that are not named are taken away.
        parameters: Of spoke.yaml, by name.
        waves: How fast, and how far after failures.
        management: Whether the management account gets stacks of its own, where we act in it.
        management_only: Whether nothing else is done.
    """

    units: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    primary_region: str | None = None
    remove_other_regions: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    waves: Waves = field(default_factory=Waves)
    management: bool = True
    management_only: bool = False


class SpokesRollout:
    """Brings the spokes up, or up to date, and tries again what failed before.

    Args:
        site: Where.
        deployment: How.
        options: What the operator decided.
    """

    def __init__(self, site: Site, deployment: Deployment, options: SpokesOptions) -> None:
        self._site = site
        self._deployment = deployment
        self._operator = deployment.operator
        self._options = options
        self._client = site.own("cloudformation")

    def run(self) -> None:
        """Do it.

        Raises:
            Declined: The operator did not agree to the plan.
            OperationFailed: Some accounts or regions could not be reached; the others are, within the tolerance.
            StackFailed: A stack of the management account failed.
            Misconfigured: An option or a prerequisite is wrong; with what to do.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        if self._options.management_only and not self._site.organization.is_management:
            raise Misconfigured("--management-only needs the management account's credentials")
        prerequisites.for_spokes(self._site)
        values = spoke_parameters.look_up(self._site, self._options.parameters)
        existing = self._existing()
        instances = {
            name: stack_sets.instances(self._client, name, self._site.call_as) if there is not None else ()
            for name, there in existing.items()
        }
        chosen = self._regions(existing[STACK_SET], instances)
        failed: list[Result] = []
        if not self._options.management_only:
            failed += self._organization(values, chosen, existing, instances)
        self._management(values, chosen)
        if failed:
            raise failure("not every account and region could be reached", failed)

    def _existing(self) -> dict[str, StackSet | None]:
        """The StackSets as they are once nobody works on them: a plan made meanwhile would miss what fails then."""
        for name in (STACK_SET, REGIONS_STACK_SET):
            if stack_sets.describe(self._client, name, self._site.call_as) is None:
                continue
            operations = self._operations(name)
            if not self._deployment.dry_run:
                operations.settle()
            elif operations.running():
                self._operator.warn(f"stack set {name}: an operation runs already; what it does is not in this plan")
        return {name: self._described(name) for name in (STACK_SET, REGIONS_STACK_SET)}

    def _described(self, name: str) -> StackSet | None:
        there = stack_sets.describe(self._client, name, self._site.call_as)
        if there is None:
            return None
        left = organizations.units_left(self._site.clients, there.organizational_units)
        if gone := set(there.organizational_units) - set(left):
            self._operator.warn(
                f"stack set {name}: gone from the organization, and left out: {', '.join(sorted(gone))}"
            )
        return replace(there, organizational_units=left)

    def _operations(self, name: str) -> Operations:
        return Operations(
            client=self._client,
            name=name,
            call_as=self._site.call_as,
            operator=self._operator,
            sleep=self._deployment.sleep,
        )

    def _regions(self, first: StackSet | None, instances: Mapping[str, tuple[Instance, ...]]) -> Regions:
        there = sorted({one.region for listed in instances.values() for one in listed})
        return regions.choose(
            self._site,
            self._options.regions,
            primary=self._options.primary_region,
            existing=there,
            existing_primary=first.parameters.get(ROLE_REGION) if first is not None else None,
        )

    def _organization(
        self,
        values: SpokeParameters,
        chosen: Regions,
        existing: Mapping[str, StackSet | None],
        instances: Mapping[str, tuple[Instance, ...]],
    ) -> list[Result]:
        first = existing[STACK_SET]
        there = first.organizational_units if first is not None else ()
        units = self._options.units or there or (organizations.root(self._site.clients),)
        covered = tuple(dict.fromkeys((*there, *units)))
        if len(covered) > MOST_UNITS:
            raise Misconfigured(f"at most {MOST_UNITS} organizational units can be named: name a unit above them")
        accounts = self._accounts(covered)
        self._warn_of_inoperable(instances)
        sets = []
        for name, own_regions, depends_on in (
            (STACK_SET, (chosen.primary,), None),
            (REGIONS_STACK_SET, chosen.others, STACK_SET),
        ):
            if not own_regions and existing[name] is None:
                continue
            wanted = Wanted(
                name=name,
                template=values.text,
                parameters=values.with_role_region(chosen.primary),
                secret=values.external_id.value,
                secret_version=values.external_id.version,
                regions=own_regions,
                units=covered,
                depends_on=depends_on,
            )
            sets.append(
                plan(
                    wanted,
                    existing[name],
                    instances[name],
                    accounts=tuple(account.id for account in accounts),
                    remove_others=self._options.remove_other_regions,
                )
            )
        whole = SpokesPlan(sets=tuple(sets), accounts=accounts)
        if whole.is_empty:
            self._operator.tell(f"stack sets {STACK_SET}: no changes; {len(accounts)} accounts are covered")
            return []
        self._operator.show(whole)
        if self._deployment.dry_run:
            return []
        confirm(self._operator, f"Roll out to {len(accounts)} accounts?")
        work = StackSetWork(self._site, self._deployment, self._options.waves, values.declared, len(accounts))
        failed: list[Result] = []
        for one in sets:
            failed += work.do(one, existing[one.wanted.name])
        return failed

    def _warn_of_inoperable(self, instances: Mapping[str, tuple[Instance, ...]]) -> None:
        stuck = [one for listed in instances.values() for one in listed if one.status == "INOPERABLE"]
        if stuck:
            self._operator.warn(
                f"{len(stuck)} instances are inoperable, such as {stuck[0].account} {stuck[0].region}, and are left "
                "alone: scanhub rollout status tells what to do"
            )

    def _accounts(self, units: tuple[str, ...]) -> tuple[Account, ...]:
        """StackSets deploy to every active account of the units, and never to the management account."""
        management = self._site.organization.management_account
        return tuple(one for one in organizations.active_accounts(self._site.clients, units) if one.id != management)

    def _management(self, values: SpokeParameters, chosen: Regions) -> None:
        """StackSets never reach the management account."""
        management = self._site.organization.management_account
        if not self._options.management:
            return
        if self._site.organization.is_management:
            OwnSpoke(self._site, self._deployment, management).deploy(values, chosen)
            return
        self._operator.tell(
            f"the management account {management} is not reached by stack sets; with its credentials run: scanhub "
            f"rollout spokes --management-only --hub-account {self._site.hub_account} --region {self._site.region} "
            f"--regions {','.join(chosen.all)} --primary-region {chosen.primary}"
        )
