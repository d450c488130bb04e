"""What several `scanhub rollout` commands are told alike: where they act, and what the hub shall be."""

from collections.abc import Callable
from typing import Annotated

import typer

from infra.rollout import credentials, parameters
from infra.rollout import site as sites
from infra.rollout.hub import HubOptions
from infra.rollout.sessions import ADMIN_ROLE, Sessions
from infra.rollout.site import Site
from scanhub.aws_options import HubAccount, Profile, Region, ThroughRole, listed

Image = Annotated[
    str | None,
    typer.Option(metavar="URI", help="The worker's image, or `newest`; by default the one that runs, else the newest."),
]
Vpc = Annotated[str | None, typer.Option(metavar="ID", help="The worker's VPC, with --subnets.")]
Subnets = Annotated[list[str] | None, typer.Option(metavar="ID,...", help="The worker's subnets.")]
CreateNetwork = Annotated[bool, typer.Option("--create-network", help="Make a small VPC for the worker.")]
QualysSecretFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="JSON with qualys_pod and qualys_access_token for the Qualys secret; - reads it."
    ),
]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", metavar="KEY=VALUE", help="Any other parameter of the templates.")
]
MonitoringParameters = Annotated[
    list[str] | None,
    typer.Option("--monitoring-parameter", metavar="KEY=VALUE", help="A parameter of hub-monitoring.yaml."),
]
NoMonitoring = Annotated[bool, typer.Option("--no-monitoring", help="No alarms and no dashboard, only scaling.")]
Regions = Annotated[
    list[str] | None,
    typer.Option("--regions", metavar="REGION,...", help="Regions to watch; `all`: every one that needs no opt-in."),
]
PrimaryRegion = Annotated[
    str | None, typer.Option(metavar="REGION", help="Where the spokes' roles are made; by default the hub's region.")
]

SiteFinder = Callable[[], Site]
"""Asks AWS; see `infra.rollout.site.find`."""

HubReader = Callable[[], HubOptions]
"""Reads the file with the Qualys secret, if one is named.

Raises:
    Misconfigured: A parameter or the file cannot be read.
"""


def site(
    *,
    region: Region = None,
    profile: Profile = None,
    hub_account: HubAccount = None,
    through_role: ThroughRole = ADMIN_ROLE,
) -> SiteFinder:
    """A group of options: the organization that the operator's account sees, and its hub."""

    def find() -> Site:
        sessions = Sessions(region=region, profile=profile, through_role=through_role)
        return sites.find(sessions, region=sessions.region, hub_account=hub_account)

    return find


def own_site(*, region: Region = None, profile: Profile = None) -> SiteFinder:
    """A group of options: the operator's account alone, whose hub it is."""

    def find() -> Site:
        sessions = Sessions(region=region, profile=profile)
        return sites.find(sessions, region=sessions.region, hub_account=sessions.account)

    return find


def hub(
    *,
    image: Image = None,
    vpc: Vpc = None,
    subnets: Subnets = None,
    create_network: CreateNetwork = False,
    qualys_secret_file: QualysSecretFile = None,
    parameter: Parameters = None,
    monitoring_parameter: MonitoringParameters = None,
    no_monitoring: NoMonitoring = False,
) -> HubReader:
    """A group of options: what the operator may decide of the hub."""

    def read() -> HubOptions:
        return HubOptions(
            image=image,
            vpc=vpc,
            subnets=listed(subnets),
            create_network=create_network,
            parameters=parameters.parse(parameter or ()),
            qualys_secret=credentials.qualys_from_file(qualys_secret_file) if qualys_secret_file else None,
            monitoring=not no_monitoring,
            monitoring_parameters=parameters.parse(monitoring_parameter or ()),
        )

    return read
