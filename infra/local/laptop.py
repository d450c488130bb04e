"""An organization on one local cloud: the hub, a spoke in each member, and what a sweep of the whole needs to be told.

The hub's own account has a spoke too: it lies in a unit, so that StackSets give it one on AWS. The management account
has none, since StackSets never reach it, and is left out by `SCANHUB_EXCLUDE_ACCOUNTS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local.accounts import Accounts, spoke_accounts
from infra.local.deployment import ORGANIZATION, Deployment, deploy
from infra.local.organization import LocalOrganization, in_units, set_up
from spoke.errors import ScanhubError

HUB_REGION = "eu-central-1"


@dataclass(frozen=True, kw_only=True)
class Laptop:
    """What stands there.

    Attributes:
        deployment: Hub and spokes.
        organization: None where the cloud has none.
        settings: The environment variables with which every command works there.
    """

    deployment: Deployment
    organization: LocalOrganization | None
    settings: Mapping[str, str]


def bring_up(*, spokes: int, progress: Callable[[str], None]) -> Laptop:
    """Set up and deploy at `AWS_ENDPOINT_URL` and its relatives, or bring what is there up to date.

    Args:
        spokes: How many member accounts besides the hub.
        progress: Is told each step, in one line.

    Raises:
        Misconfigured: The endpoint is AWS itself, or a stack failed.
        Unavailable: Nothing answers at the endpoint.
    """
    accounts = Accounts(None, HUB_REGION)
    organization = _organization(accounts, spoke_accounts(spokes), progress)
    excluded = organization.management_account if organization is not None else ""
    deployment = deploy(
        spokes=spokes,
        hub_region=HUB_REGION,
        organization=organization.id if organization is not None else ORGANIZATION,
        hub_too=organization is not None,
        parameters={"hub.yaml": {"ExcludeAccounts": excluded}},
        progress=progress,
    )
    settings = {"AWS_REGION": deployment.hub_region, **accounts.invented, **deployment.settings}
    if excluded:
        settings["SCANHUB_EXCLUDE_ACCOUNTS"] = excluded
    return Laptop(deployment=deployment, organization=organization, settings=settings)


def _organization(
    accounts: Accounts, spokes: tuple[str, ...], progress: Callable[[str], None]
) -> LocalOrganization | None:
    try:
        made = set_up(accounts, spokes=in_units(spokes))
    except ScanhubError as error:
        # LocalStack's free images have no AWS Organizations; everything but a sweep of the whole works without.
        progress(f"no organization, so name a sweep's accounts (--accounts {','.join(spokes)}): {error.text}")
        return None
    progress(f"organization {made.id}, managed by {made.management_account}, which is excluded from scans")
    for path, unit in made.units.items():
        members = ", ".join(account for account, where in made.members.items() if where == path)
        progress(f"unit {path} ({unit}): {members or 'nobody'}")
    return made
