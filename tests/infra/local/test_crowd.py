from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.local.accounts import Accounts, spoke_accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.crowd import ALIAS, publish_crowd, spread, update_code
from infra.local.deployment import Deployment
from tests.conftest import REGION, forget_aws


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    """Three spokes and two regions, nothing deployed."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        accounts = Accounts(cloud.endpoint, REGION)
        yield Deployment(
            settings={},
            outputs={},
            spokes=spoke_accounts(3),
            regions=(REGION, "us-east-1"),
            hub_account=accounts.hub,
            hub_region=REGION,
            organization="o-scanhublocal",
            endpoint=cloud.endpoint,
            accounts=accounts,
        )


def test_a_crowd_is_spread_evenly_and_no_two_have_the_same_code() -> None:
    members = spread(60)
    assert set(Counter((one.account, one.region) for one in members).values()) == {10}
    assert len({one.name for one in members}) == len({one.code for one in members}) == 60
    assert len({one.runtime for one in members}) == 3


def test_each_is_published_where_it_belongs(deployment: Deployment) -> None:
    members = [replace(one, tags={"team": "payments"}) for one in spread(12)]
    published = publish_crowd(deployment, members)
    assert len(published) == 12
    for arn, member in published.items():
        _, _, _, region, account, _, name = arn.split(":")
        place = (deployment.spokes[member.account], deployment.regions[member.region], member.name)
        assert (account, region, name) == place
        found = deployment.client("lambda", account=account, region=region).get_function(FunctionName=name)
        assert (found["Configuration"]["Runtime"], found["Tags"]) == (member.runtime, {"team": "payments"})


def test_a_version_has_other_code_than_its_function(deployment: Deployment) -> None:
    [member] = [replace(one, live=1000) for one in spread(1)]
    [arn] = publish_crowd(deployment, [member])
    functions = deployment.client("lambda", account=deployment.spokes[0])
    alias = functions.get_alias(FunctionName=member.name, Name=ALIAS)
    version = functions.get_function(FunctionName=f"{arn}:{alias['FunctionVersion']}")["Configuration"]["CodeSha256"]
    latest = functions.get_function(FunctionName=arn)["Configuration"]["CodeSha256"]
    update_code(deployment, member, 2000)
    assert len({version, latest, functions.get_function(FunctionName=arn)["Configuration"]["CodeSha256"]}) == 3
