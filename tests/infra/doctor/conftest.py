"""A deployed hub on the embedded cloud, once a module; who breaks something puts it back."""

import os
from collections.abc import Iterator

import pytest

from infra.doctor import deployed
from infra.doctor.deployed import DeployedHub
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from tests.infra.doctor.looking import NOW


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                environment.delenv(name)
        yield deploy(cloud.endpoint, spokes=1, regions=["eu-central-1"])


@pytest.fixture
def hub(deployment: Deployment) -> DeployedHub:
    found = deployed.find(deployment.accounts, now=lambda: NOW)
    assert found is not None
    return found
