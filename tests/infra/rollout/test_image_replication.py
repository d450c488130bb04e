from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.calls import AwsClient
from infra.rollout.image_replication import ImageReplication
from tests.conftest import HUB_ACCOUNT, REGION

OURS = {"filter": "scanhub", "filterType": "PREFIX_MATCH"}


@pytest.fixture
def ecr(moto: str) -> AwsClient:
    return boto3.client("ecr", region_name=REGION, endpoint_url=moto)


def rules(ecr: AwsClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ecr.describe_registry()["replicationConfiguration"]["rules"]
    return found


def to(*regions: str, account: str = HUB_ACCOUNT) -> list[dict[str, str]]:
    return [{"region": region, "registryId": account} for region in regions]


def test_a_rule_for_this_repository_alone_is_made_once(ecr: AwsClient) -> None:
    replication = ImageReplication(ecr, "scanhub")
    assert replication.missing(["eu-west-1", "us-east-1"]) == ("eu-west-1", "us-east-1")
    for _ in range(2):
        replication.ensure(["eu-west-1", "us-east-1"])
    assert rules(ecr) == [{"destinations": to("eu-west-1", "us-east-1"), "repositoryFilters": [OURS]}]
    assert replication.missing(["us-east-1"]) == ()


def test_a_further_region_joins_the_rule(ecr: AwsClient) -> None:
    replication = ImageReplication(ecr, "scanhub")
    replication.ensure(["eu-west-1"])
    replication.ensure(["us-east-1"])
    assert rules(ecr) == [{"destinations": to("eu-west-1", "us-east-1"), "repositoryFilters": [OURS]}]


def test_rules_of_others_stay_as_they_are(ecr: AwsClient) -> None:
    theirs = {
        "destinations": to("us-west-2"),
        "repositoryFilters": [{"filter": "payments/", "filterType": "PREFIX_MATCH"}],
    }
    found = {"registryId": HUB_ACCOUNT, "replicationConfiguration": {"rules": [theirs]}}
    merged = {"rules": [theirs, {"destinations": to("eu-west-1"), "repositoryFilters": [OURS]}]}
    # moto knows one rule a registry; the stub holds requests and answers against AWS's own model.
    with Stubber(ecr) as stub:
        stub.add_response("describe_registry", found, {})
        stub.add_response("describe_registry", found, {})
        stub.add_response(
            "put_replication_configuration", {"replicationConfiguration": merged}, {"replicationConfiguration": merged}
        )
        ImageReplication(ecr, "scanhub").ensure(["eu-west-1"])
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("filters", [{}, {"repositoryFilters": [{"filter": "scan", "filterType": "PREFIX_MATCH"}]}])
def test_a_rule_of_others_that_serves_it_already_is_enough(ecr: AwsClient, filters: dict[str, Any]) -> None:
    theirs = {"destinations": to("eu-west-1"), **filters}
    ecr.put_replication_configuration(replicationConfiguration={"rules": [theirs]})
    before = rules(ecr)
    replication = ImageReplication(ecr, "scanhub")
    assert replication.missing(["eu-west-1"]) == ()
    replication.ensure(["eu-west-1"])
    assert rules(ecr) == before


def test_a_copy_in_another_account_does_not_count(ecr: AwsClient) -> None:
    theirs = {"destinations": to("eu-west-1", account="210000000001"), "repositoryFilters": [OURS]}
    ecr.put_replication_configuration(replicationConfiguration={"rules": [theirs]})
    ImageReplication(ecr, "scanhub").ensure(["eu-west-1"])
    [rule] = rules(ecr)
    assert rule["destinations"] == [*to("eu-west-1", account="210000000001"), *to("eu-west-1")]


def test_no_region_asks_nothing(ecr: AwsClient) -> None:
    ImageReplication(None, "scanhub").ensure([])
    assert rules(ecr) == []
