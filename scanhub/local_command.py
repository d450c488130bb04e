"""`scanhub local`: the embedded cloud, and the deployment to it."""

import json
import os
import shlex
import signal
import sys
import threading
from typing import Annotated

import typer

from scanhub import terminal
from scanhub.local_extra import needed
from spoke.errors import Misconfigured

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
    """Deploy hub, spokes and samples to AWS_ENDPOINT_URL, and print the settings for a worker."""
    with needed():
        from infra.local.deployment import deploy  # noqa: PLC0415  # the worker's image has no local cloud
        from infra.local.scenario import publish_samples  # noqa: PLC0415  # the worker's image has no local cloud

    _endpoint()
    console = terminal.console(stderr=True)
    deployment = deploy(spokes=spokes, progress=console.print)
    if not no_samples:
        publish_samples(deployment, progress=console.print)
    if as_json:
        document = {
            "settings": dict(deployment.settings),
            "spokes": list(deployment.spokes),
            "regions": list(deployment.regions),
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    for name, value in {"AWS_REGION": deployment.hub_region, **deployment.settings}.items():
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
