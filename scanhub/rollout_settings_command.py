"""`scanhub rollout settings`: the hub's outputs as the settings of the other commands."""

import json
import shlex
import sys
from typing import Annotated

import typer

from infra import stacks
from infra.hub_settings import environment
from infra.rollout.sessions import Sessions
from infra.rollout.site import HUB_STACK
from scanhub.aws_options import Profile, Region
from spoke.errors import Misconfigured


def settings(
    region: Region = None,
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of `export` lines.")] = False,
) -> None:
    """Print the settings of the hub that stands in this account and region, for `scanhub scan`, `status` and `show`."""
    sessions = Sessions(region=region, profile=profile)
    outputs = stacks.outputs(sessions.client("cloudformation"), HUB_STACK)
    if not outputs:
        raise Misconfigured(
            f"there is no stack {HUB_STACK} in {sessions.region} that is complete: deploy it by scanhub rollout hub, "
            "or name the account's --profile and the hub's --region"
        )
    variables = {"AWS_REGION": sessions.region, **environment(outputs)}
    if as_json:
        sys.stdout.write(json.dumps(variables, indent=2) + "\n")
        return
    for name, value in variables.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
