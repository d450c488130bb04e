"""Hub and spoke in one account, without StackSets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra import stacks
from infra.rollout import own_spoke, regions, spoke_parameters
from infra.rollout.credentials import Ask
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions, HubRollout
from infra.rollout.own_spoke import OwnSpoke
from infra.rollout.site import HUB_STACK, Site
from infra.rollout.spokes_plan import ROLE_REGION


@dataclass(frozen=True, kw_only=True)
class SingleOptions:
    """What the operator may decide.

    Attributes:
        hub: Of the hub.
        regions: See `regions.choose`.
        primary_region: Where the spoke's roles are made; None: where they are, or the hub's region.
        spoke_parameters: Of spoke.yaml, by name.
    """

    hub: HubOptions
    regions: Sequence[str] = ()
    primary_region: str | None = None
    spoke_parameters: Mapping[str, str] = field(default_factory=dict)


def roll_out(site: Site, deployment: Deployment, options: SingleOptions, ask: Ask) -> None:
    """Hub, then spoke.

    Raises:
        Declined: The operator did not agree to a change set.
        StackFailed: CloudFormation could not do it.
        Misconfigured: An option, a prerequisite or a stack's state is wrong; with what to do.
        Throttled, Unavailable: AWS cannot be asked now.
        ScanhubError: The worker cannot start, since the Qualys secret has no value.
    """
    HubRollout(site, deployment, options.hub, ask).run()
    hub = stacks.outputs(site.hub("cloudformation"), HUB_STACK)
    if deployment.dry_run and not hub:
        deployment.operator.tell("the spoke would follow, once the hub stands")
        return
    values = spoke_parameters.look_up(site, options.spoke_parameters)
    existing = own_spoke.find(site, site.hub_account)
    chosen = regions.choose(
        site,
        options.regions,
        primary=options.primary_region,
        existing=sorted(existing),
        existing_primary=next((one.parameters.get(ROLE_REGION) for one in existing.values()), None),
    )
    OwnSpoke(site, deployment, site.hub_account).deploy(values, chosen)
