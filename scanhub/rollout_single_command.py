"""`scanhub rollout single`: hub and spoke in one account."""

from typing import Annotated

import typer

from infra.rollout import parameters, single
from infra.rollout.single import SingleOptions
from scanhub import rollout_options, rollout_run
from scanhub.aws_options import listed
from scanhub.option_groups import taking
from scanhub.rollout_options import HubReader, PrimaryRegion, Regions, SiteFinder
from scanhub.rollout_run import RolloutRun


@taking(hub=rollout_options.hub, site=rollout_options.own_site, begun=rollout_run.begun)
def deploy(
    *,
    hub: HubReader,
    spoke_parameter: Annotated[
        list[str] | None, typer.Option("--spoke-parameter", metavar="KEY=VALUE", help="A parameter of spoke.yaml.")
    ] = None,
    regions: Regions = None,
    primary_region: PrimaryRegion = None,
    site: SiteFinder,
    begun: RolloutRun,
) -> None:
    """Deploy hub and spoke in one account."""
    with begun as (operator, deployment):
        options = SingleOptions(
            hub=hub(),
            regions=listed(regions),
            primary_region=primary_region,
            spoke_parameters=parameters.parse(spoke_parameter or ()),
        )
        single.roll_out(site(), deployment, options, operator.ask_for_qualys)
