"""An organization on the embedded cloud in which nothing of ours is deployed yet."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.clients import Clients
from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import LocalOrganization, set_up
from infra.rollout import site as sites
from infra.rollout.deployment import Deployment
from infra.rollout.site import Site
from tests.conftest import REGION
from tests.infra.rollout.recording import Pauses, Recording


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a test rolls out.

    Attributes:
        accounts: Clients for any account.
        organization: What is there.
    """

    accounts: Accounts
    organization: LocalOrganization

    def acting_as(self, account: str) -> Clients:
        """Clients with the credentials of an account."""
        return self.accounts.acting_as(account)

    def site(self, account: str | None = None, hub_account: str | None = None) -> Site:
        """The site, as somebody with credentials of the account finds it; None: of the hub."""
        clients = self.acting_as(account or self.organization.hub_account)
        return sites.find(clients, region=REGION, hub_account=hub_account)


@pytest.fixture
def fresh_cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of an empty cloud; clients made in the test go there."""
    with EmbeddedCloud() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
        yield cloud.endpoint


@pytest.fixture
def ground(fresh_cloud: str) -> Ground:
    """An organization with a hub and three spokes, one of them in a unit of a unit."""
    accounts = Accounts(fresh_cloud, REGION)
    return Ground(accounts=accounts, organization=set_up(accounts))


@pytest.fixture
def operator() -> Recording:
    """Somebody who agrees to everything."""
    return Recording()


@pytest.fixture
def deployment(operator: Recording) -> Deployment:
    """One that never sleeps."""
    return Deployment(operator=operator, sleep=Pauses())
