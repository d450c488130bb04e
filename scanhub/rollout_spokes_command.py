"""`scanhub rollout spokes`: the spokes' stacks, in the organization's accounts and regions."""

from typing import Annotated

import typer

from infra.rollout import parameters
from infra.rollout.spokes import SpokesOptions, SpokesRollout
from infra.rollout.stack_set_work import Waves
from scanhub import rollout_options, rollout_run
from scanhub.aws_options import listed
from scanhub.option_groups import taking
from scanhub.rollout_options import Parameters, PrimaryRegion, Regions, SiteFinder
from scanhub.rollout_run import RolloutRun


@taking(site=rollout_options.site, begun=rollout_run.begun)
def deploy(  # noqa: PLR0913  # each is an option of the command
    *,
    ou: Annotated[
        list[str] | None, typer.Option("--ou", metavar="ID,...", help="Organizational units; by default the root.")
    ] = None,
    regions: Regions = None,
    primary_region: PrimaryRegion = None,
    remove_other_regions: Annotated[
        bool, typer.Option("--remove-other-regions", help="Take away the regions that --regions does not name.")
    ] = False,
    max_concurrent: Annotated[
        int, typer.Option(min=1, max=100, metavar="PERCENT", help="Accounts of a region that are worked at once.")
    ] = 25,
    failure_tolerance: Annotated[
        int, typer.Option(min=0, max=100, metavar="PERCENT", help="Accounts of a region that may fail before it stops.")
    ] = 10,
    parallel_regions: Annotated[
        bool, typer.Option("--parallel-regions", help="Update all regions but the primary one at once.")
    ] = False,
    parameter: Parameters = None,
    management_only: Annotated[
        bool, typer.Option("--management-only", help="Only the management account's own stacks.")
    ] = False,
    no_management: Annotated[bool, typer.Option("--no-management", help="Leave the management account out.")] = False,
    site: SiteFinder,
    begun: RolloutRun,
) -> None:
    """Deploy the spokes to the organization's accounts, or bring them up to date."""
    with begun as (_, deployment):
        options = SpokesOptions(
            units=listed(ou),
            regions=listed(regions),
            primary_region=primary_region,
            remove_other_regions=remove_other_regions,
            parameters=parameters.parse(parameter or ()),
            waves=Waves(
                max_concurrent=max_concurrent, failure_tolerance=failure_tolerance, parallel_regions=parallel_regions
            ),
            management=not no_management,
            management_only=management_only,
        )
        SpokesRollout(site(), deployment, options).run()
