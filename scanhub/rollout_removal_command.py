"""`scanhub rollout remove`: everything goes that was deployed."""

from typing import Annotated

import typer

from infra.rollout.removal import Removal, RemovalOptions
from scanhub import rollout_options, rollout_run
from scanhub.option_groups import taking
from scanhub.rollout_options import SiteFinder
from scanhub.rollout_run import RolloutRun


@taking(site=rollout_options.site, begun=rollout_run.begun)
def remove(
    *,
    spokes_only: Annotated[bool, typer.Option("--spokes-only", help="Let the hub stay.")] = False,
    delete_results: Annotated[
        bool, typer.Option("--delete-results", help="Delete results, ledger, logs and key too.")
    ] = False,
    site: SiteFinder,
    begun: RolloutRun,
) -> None:
    """Take spokes and hub away; results, ledger, logs and key stay unless told otherwise."""
    with begun as (_, deployment):
        options = RemovalOptions(spokes_only=spokes_only, delete_results=delete_results)
        Removal(site(), deployment, options).run()
