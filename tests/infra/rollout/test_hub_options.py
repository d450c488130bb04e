"""What is refused before anything is made: one cloud for all, since it stays empty."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra import stacks
from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import set_up
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions, HubRollout
from infra.rollout.site import HUB_STACK
from spoke.errors import Misconfigured
from tests.conftest import REGION, forget_aws
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.rollouts import IMAGE, QUALYS, hub, nobody

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        environment.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
        accounts = Accounts(cloud.endpoint, REGION)
        yield Ground(accounts=accounts, organization=set_up(accounts))


def test_a_worker_without_a_network_is_refused_before_anything_is_made(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    with pytest.raises(Misconfigured, match=r"--create-network .*--vpc"):
        hub(site, deployment, HubOptions(image=IMAGE))
    assert stacks.describe(site.hub("cloudformation"), HUB_STACK) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vpc": "vpc-0a1b2c3d"}, "belong together"),
        ({"vpc": "vpc-0a1b2c3d", "subnets": ("subnet-1",), "create_network": True}, "leave out --vpc"),
        ({"parameters": {"LogLvel": "DEBUG"}}, "LogLvel: the template has no such parameter; it has .*LogLevel"),
        ({"parameters": {"LogLevel": "LOUD"}}, "LogLevel: must be one of DEBUG"),
        ({"parameters": {"OrganizationId": "o-a1b2c3d4e5"}}, "OrganizationId: is looked up"),
        ({"parameters": {"ScannerImageUri": IMAGE}}, "ScannerImageUri: use --image"),
        ({"monitoring_parameters": {"LogLevel": "DEBUG"}}, "LogLevel: the template has no such parameter"),
        (
            {"parameters": {"QualysSecretArn": "arn"}, "qualys_secret": QUALYS},
            "the hub uses arn: fill that yourself",
        ),
        ({"image": "newest"}, "the repository scanhub holds no image"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_made(
    ground: Ground, deployment: Deployment, options: dict[str, Any], words: str
) -> None:
    site = ground.site()
    with pytest.raises(Misconfigured, match=words):
        HubRollout(site, deployment, HubOptions(**options), nobody).run()
    assert stacks.describe(site.hub("cloudformation"), HUB_STACK) is None
