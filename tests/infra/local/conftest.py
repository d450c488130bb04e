"""The embedded cloud with hub and spokes on it, once a module."""

import os
from collections.abc import Iterator

import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """Three spokes, two regions. The tests of a module share it: moto's state is the process's."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                environment.delenv(name)
        yield deploy(cloud.endpoint)
