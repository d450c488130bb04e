"""The rollouts that many tests begin with."""

import json

from pydantic import SecretStr

from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions, HubRollout
from infra.rollout.site import Site
from infra.rollout.spokes import SpokesOptions, SpokesRollout

TOKEN = "canary-qualys-token-7Yc2"
QUALYS = SecretStr(json.dumps({"qualys_pod": "US1", "qualys_access_token": TOKEN}))
IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/scanhub@sha256:{'5' * 64}"


def nobody() -> None:
    """Who is asked for the Qualys secret where there is no terminal."""


def hub(site: Site, deployment: Deployment, options: HubOptions | None = None) -> None:
    """A hub; by default without a worker, which is quicker."""
    HubRollout(site, deployment, options or HubOptions(monitoring=False), nobody).run()


def spokes(site: Site, deployment: Deployment, **options: object) -> None:
    """Spokes everywhere, or as the options say."""
    SpokesRollout(site, deployment, SpokesOptions(**options)).run()  # type: ignore[arg-type]  # tests name fields
