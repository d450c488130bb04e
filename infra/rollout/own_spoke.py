"""Spokes as plain stacks: of the management account, which StackSets never reach, and of a single account."""

from concurrent.futures import ThreadPoolExecutor

from infra import stacks
from infra.calls import calling
from infra.rollout.deployment import Deployment
from infra.rollout.regions import Regions
from infra.rollout.site import SPOKE_STACK, Site
from infra.rollout.spoke_parameters import TEMPLATE, SpokeParameters
from infra.stacks import Stack
from spoke.errors import Misconfigured

_THREADS = 8


class OwnSpoke:
    """The spoke of one account, a stack in each region.

    Args:
        site: Where the hub is.
        deployment: How.
        account: Of the spoke.
    """

    def __init__(self, site: Site, deployment: Deployment, account: str) -> None:
        self._site = site
        self._deployment = deployment
        self._account = account

    def deploy(self, values: SpokeParameters, regions: Regions) -> None:
        """The primary region first: it makes the roles that the rules of all regions name.

        Raises:
            Declined: The operator did not agree.
            StackFailed: CloudFormation could not do it.
            Misconfigured: It is refused; or the roles are made in another region already.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        for region in regions.all:
            client = self._site.inside(self._account, "cloudformation", region)
            existing = stacks.describe(client, SPOKE_STACK)
            role_region = existing.parameters.get("RoleRegion", regions.primary) if existing else regions.primary
            if role_region != regions.primary:
                raise Misconfigured(
                    f"the roles of the account {self._account} are made in {role_region}: name it by --primary-region"
                )
            self._deployment.operator.tell(f"the spoke of {self._account} in {region}")
            self._deployment.stack(client, SPOKE_STACK, TEMPLATE, values.with_secret(regions.primary))

    def remove(self) -> None:
        """Delete its stacks, the one with the roles last.

        Raises:
            StackFailed: CloudFormation could not do it.
            Misconfigured: It is refused.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        there = find(self._site, self._account)
        for region, stack in sorted(
            there.items(), key=lambda one: (one[0] == one[1].parameters.get("RoleRegion"), one[0])
        ):
            self._deployment.operator.tell(f"deleting the spoke of {self._account} in {region}")
            self._deployment.delete(self._site.inside(self._account, "cloudformation", region), stack)


def find(site: Site, account: str) -> dict[str, Stack]:
    """The account's spokes that are plain stacks, in whatever region that is enabled there.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"asking which regions are enabled in {account}"):
        regions = [one["RegionName"] for one in site.inside(account, "ec2").describe_regions()["Regions"]]

    def in_region(region: str) -> Stack | None:
        try:
            return stacks.describe(site.inside(account, "cloudformation", region), SPOKE_STACK)
        except Misconfigured:
            # Organizations deny the regions that they do not use; nobody can have deployed there.
            if region == site.region:
                raise
            return None

    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        found = dict(zip(regions, threads.map(in_region, regions), strict=True))
    return {region: stack for region, stack in found.items() if stack is not None}
