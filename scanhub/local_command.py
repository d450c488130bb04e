"""`scanhub local`: the embedded cloud, and the deployment to it."""

import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from scanhub import terminal
from scanhub.local_extra import needed, stand_in
from spoke.errors import Misconfigured

if TYPE_CHECKING:
    from infra.local.laptop import Laptop

app = typer.Typer(help="The embedded local cloud: for trying out and testing.", no_args_is_help=True)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 4566,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Keep the embedded cloud running until stopped."""
    with needed():
        from infra.local.cloud import EmbeddedCloud  # noqa: PLC0415  # the worker's image has no local cloud

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with EmbeddedCloud(host=host, port=port) as cloud:
        sys.stdout.write(f"export AWS_ENDPOINT_URL={cloud.endpoint}\n")
        sys.stdout.flush()
        stopped.wait()


@app.command()
def up(
    spokes: Annotated[int, typer.Option(min=1, max=20, help="Member accounts.")] = 3,
    no_samples: Annotated[bool, typer.Option("--no-samples", help="Publish no sample functions.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of `export` lines.")] = False,
) -> None:
    """Deploy an organization with hub, spokes and samples to AWS_ENDPOINT_URL, and print the settings of all commands.

    It may be repeated: what is there already is brought up to date, and its samples are published once more.
    """
    with needed():
        from infra.local.laptop import bring_up  # noqa: PLC0415  # the worker's image has no local cloud
        from infra.local.scenario import publish_samples  # noqa: PLC0415  # the worker's image has no local cloud

    endpoint = _endpoint()
    console = terminal.console(stderr=True)

    def tell(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    laptop = bring_up(spokes=spokes, progress=tell)
    if not no_samples:
        publish_samples(laptop.deployment, progress=tell)
    # Else a shell that has these settings and no endpoint would ask AWS itself.
    settings = {"AWS_ENDPOINT_URL": endpoint, **laptop.settings, "SCANHUB_QSCANNER_PATH": _scanner()}
    if as_json:
        sys.stdout.write(json.dumps(_document(laptop, settings), indent=2) + "\n")
        return
    for name, value in settings.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


@app.command()
def organization(
    region: Annotated[str, typer.Option(help="Where the hub shall stand.")] = "eu-central-1",
) -> None:
    """Set up an organization of five accounts at AWS_ENDPOINT_URL, to rehearse `scanhub rollout` in."""
    with needed():
        from infra.local.accounts import Accounts  # noqa: PLC0415  # the worker's image has no local cloud
        from infra.local.organization import set_up  # noqa: PLC0415  # the worker's image has no local cloud

    members = set_up(Accounts(_endpoint(), region))
    sys.stdout.write(f"{members.management_account}  the management account\n")
    for account, unit in members.members.items():
        told = ", this one: the hub, delegated administrator of StackSets" if account == members.hub_account else ""
        sys.stdout.write(f"{account}  {unit} ({members.units[unit]}){told}\n")


def _endpoint() -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise Misconfigured("AWS_ENDPOINT_URL is not set; start a cloud with: scanhub local serve")
    return endpoint


def _scanner() -> str:
    return os.environ.get("SCANHUB_QSCANNER_PATH") or str(stand_in())


def _document(laptop: "Laptop", settings: Mapping[str, str]) -> dict[str, Any]:
    deployment, organization = laptop.deployment, laptop.organization
    return {
        "settings": dict(settings),
        "spokes": list(deployment.spokes),
        "regions": list(deployment.regions),
        "organization": {
            "id": organization.id,
            "managementAccount": organization.management_account,
            "hubAccount": organization.hub_account,
            "units": dict(organization.units),
            "members": dict(organization.members),
        }
        if organization is not None
        else None,
    }
