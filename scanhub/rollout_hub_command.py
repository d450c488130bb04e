"""`scanhub rollout hub`: the hub's stacks, in the security account."""

from infra.rollout.hub import HubRollout
from scanhub import rollout_options, rollout_run
from scanhub.option_groups import taking
from scanhub.rollout_options import HubReader, SiteFinder
from scanhub.rollout_run import RolloutRun


@taking(hub=rollout_options.hub, site=rollout_options.site, begun=rollout_run.begun)
def deploy(*, hub: HubReader, site: SiteFinder, begun: RolloutRun) -> None:
    """Deploy the hub, or bring it up to date."""
    with begun as (operator, deployment):
        options = hub()
        HubRollout(site(), deployment, options, operator.ask_for_qualys).run()
