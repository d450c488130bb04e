"""`scanhub rollout`: from nothing to a scanned organization, and back."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.text import Text

from infra.rollout import credentials, parameters, single, status
from infra.rollout import site as sites
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions, HubRollout
from infra.rollout.removal import Removal, RemovalOptions
from infra.rollout.sessions import ADMIN_ROLE, Sessions
from infra.rollout.single import SingleOptions
from infra.rollout.site import Site
from infra.rollout.spokes import SpokesOptions, SpokesRollout
from infra.rollout.stack_set_work import Waves
from scanhub import rollout_image_command, rollout_settings_command, terminal
from scanhub.aws_options import DryRun, HubAccount, Profile, Region, ThroughRole, Yes, listed
from scanhub.rollout_operator import TerminalOperator
from scanhub.rollout_tables import status_document, status_lines
from spoke.errors import ScanhubError

INTERRUPTED = 130

app = typer.Typer(help="Deploy hub and spokes to AWS, see what is missing, take them away.", no_args_is_help=True)
app.command("image")(rollout_image_command.image)
app.command("settings")(rollout_settings_command.settings)

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
RegionsOption = Annotated[
    list[str] | None,
    typer.Option("--regions", metavar="REGION,...", help="Regions to watch; `all`: every one that needs no opt-in."),
]
PrimaryRegion = Annotated[
    str | None, typer.Option(metavar="REGION", help="Where the spokes' roles are made; by default the hub's region.")
]


@app.command()
def hub(  # noqa: PLR0913  # each is an option of the command
    *,
    image: Image = None,
    vpc: Vpc = None,
    subnets: Subnets = None,
    create_network: CreateNetwork = False,
    qualys_secret_file: QualysSecretFile = None,
    parameter: Parameters = None,
    monitoring_parameter: MonitoringParameters = None,
    no_monitoring: NoMonitoring = False,
    region: Region = None,
    profile: Profile = None,
    hub_account: HubAccount = None,
    through_role: ThroughRole = ADMIN_ROLE,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Deploy the hub, or bring it up to date."""
    with _operator(yes=yes, dry_run=dry_run) as operator:
        options = _hub_options(
            image,
            vpc,
            subnets,
            parameter,
            monitoring_parameter,
            qualys_secret_file,
            create_network=create_network,
            no_monitoring=no_monitoring,
        )
        site = _site(region, profile, hub_account, through_role)
        deployment = Deployment(operator=operator, dry_run=dry_run)
        HubRollout(site, deployment, options, operator.ask_for_qualys).run()


@app.command()
def spokes(  # noqa: PLR0913  # each is an option of the command
    *,
    ou: Annotated[
        list[str] | None, typer.Option("--ou", metavar="ID,...", help="Organizational units; by default the root.")
    ] = None,
    regions: RegionsOption = None,
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
    region: Region = None,
    profile: Profile = None,
    hub_account: HubAccount = None,
    through_role: ThroughRole = ADMIN_ROLE,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Deploy the spokes to the organization's accounts, or bring them up to date."""
    with _operator(yes=yes, dry_run=dry_run) as operator:
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
        site = _site(region, profile, hub_account, through_role)
        SpokesRollout(site, Deployment(operator=operator, dry_run=dry_run), options).run()


@app.command("single")
def single_account(  # noqa: PLR0913  # each is an option of the command
    *,
    image: Image = None,
    vpc: Vpc = None,
    subnets: Subnets = None,
    create_network: CreateNetwork = False,
    qualys_secret_file: QualysSecretFile = None,
    parameter: Parameters = None,
    monitoring_parameter: MonitoringParameters = None,
    no_monitoring: NoMonitoring = False,
    spoke_parameter: Annotated[
        list[str] | None, typer.Option("--spoke-parameter", metavar="KEY=VALUE", help="A parameter of spoke.yaml.")
    ] = None,
    regions: RegionsOption = None,
    primary_region: PrimaryRegion = None,
    region: Region = None,
    profile: Profile = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Deploy hub and spoke in one account."""
    with _operator(yes=yes, dry_run=dry_run) as operator:
        options = SingleOptions(
            hub=_hub_options(
                image,
                vpc,
                subnets,
                parameter,
                monitoring_parameter,
                qualys_secret_file,
                create_network=create_network,
                no_monitoring=no_monitoring,
            ),
            regions=listed(regions),
            primary_region=primary_region,
            spoke_parameters=parameters.parse(spoke_parameter or ()),
        )
        sessions = Sessions(region=region, profile=profile)
        site = sites.find(sessions, region=sessions.region, hub_account=sessions.account)
        single.roll_out(site, Deployment(operator=operator, dry_run=dry_run), options, operator.ask_for_qualys)


@app.command("status")
def show_status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    region: Region = None,
    profile: Profile = None,
    hub_account: HubAccount = None,
    through_role: ThroughRole = ADMIN_ROLE,
) -> None:
    """Show what stands, and what is missing where; exit 1 if something is missing or has failed."""
    found = status.look(_site(region, profile, hub_account, through_role))
    if as_json:
        sys.stdout.write(json.dumps(status_document(found), indent=2) + "\n")
    else:
        console = terminal.wide()
        for line in status_lines(found):
            console.print(line, soft_wrap=isinstance(line, Text))
    if not found.is_complete:
        raise typer.Exit(1)


@app.command()
def remove(
    *,
    spokes_only: Annotated[bool, typer.Option("--spokes-only", help="Let the hub stay.")] = False,
    delete_results: Annotated[
        bool, typer.Option("--delete-results", help="Delete results, ledger, logs and key too.")
    ] = False,
    region: Region = None,
    profile: Profile = None,
    hub_account: HubAccount = None,
    through_role: ThroughRole = ADMIN_ROLE,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take spokes and hub away; results, ledger, logs and key stay unless told otherwise."""
    with _operator(yes=yes, dry_run=dry_run) as operator:
        options = RemovalOptions(spokes_only=spokes_only, delete_results=delete_results)
        site = _site(region, profile, hub_account, through_role)
        Removal(site, Deployment(operator=operator, dry_run=dry_run), options).run()


def _hub_options(
    image: str | None,
    vpc: str | None,
    subnets: list[str] | None,
    parameter: list[str] | None,
    monitoring_parameter: list[str] | None,
    qualys_secret_file: str | None,
    *,
    create_network: bool,
    no_monitoring: bool,
) -> HubOptions:
    """What `hub` and `single` decide alike."""
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


def _site(region: str | None, profile: str | None, hub_account: str | None, through_role: str) -> Site:
    sessions = Sessions(region=region, profile=profile, through_role=through_role)
    return sites.find(sessions, region=sessions.region, hub_account=hub_account)


@contextmanager
def _operator(*, yes: bool, dry_run: bool) -> Iterator[TerminalOperator]:
    with TerminalOperator(assume_yes=yes, dry_run=dry_run) as operator:
        try:
            yield operator
        except ScanhubError as error:
            for line in error.detail.splitlines():
                operator.tell(f"  {line}")
            raise
        except KeyboardInterrupt:
            operator.warn(
                "interrupted: what AWS has begun goes on by itself, and nothing after it is begun; "
                "scanhub rollout status shows it, and the same command goes on from there"
            )
            raise typer.Exit(INTERRUPTED) from None
