"""An empty embedded cloud for each test."""

from collections.abc import Iterator

import pytest

from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from tests.conftest import REGION, forget_aws


@pytest.fixture
def accounts() -> Iterator[Accounts]:
    """Clients of an empty cloud."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        yield Accounts(cloud.endpoint, REGION)
