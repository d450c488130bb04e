"""Roles that let nobody in, and the regions of an account, held against what IAM and EC2 document."""

import json

import pytest
from botocore.exceptions import ClientError

from infra.calls import AwsClient
from infra.local.accounts import Accounts

SPOKE = "210000000001"
ROLE = f"arn:aws:iam::{SPOKE}:role/scanhub-spoke"


def make_role(accounts: Accounts, condition: dict[str, dict[str, str]]) -> None:
    principal = {"AWS": f"arn:aws:iam::{accounts.hub}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    accounts.client("iam", account=SPOKE).create_role(RoleName="scanhub-spoke", AssumeRolePolicyDocument=document)


def enter(sts: AwsClient, **arguments: str) -> str:
    session = sts.assume_role(RoleArn=ROLE, RoleSessionName="scanhub", **arguments)
    return str(session["AssumedRoleUser"]["Arn"])


def test_a_role_that_is_not_there_lets_nobody_in_who_brings_an_external_id(accounts: Accounts) -> None:
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        enter(accounts.client("sts"), ExternalId="some-external-id")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert f"sts:AssumeRole on resource: {ROLE}" in str(refused.value)
    make_role(accounts, {})
    arn = f"arn:aws:sts::{SPOKE}:assumed-role/scanhub-spoke/scanhub"
    assert enter(accounts.client("sts"), ExternalId="some-external-id") == arn


@pytest.mark.parametrize("given", [{}, {"ExternalId": "another"}])
def test_another_external_id_lets_nobody_in(given: dict[str, str], accounts: Accounts) -> None:
    make_role(accounts, {"StringEquals": {"sts:ExternalId": "the-right-one"}})
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(accounts.client("sts"), **given)
    assert enter(accounts.client("sts"), ExternalId="the-right-one")


def test_people_enter_by_roles_that_nobody_made(accounts: Accounts) -> None:
    assert enter(accounts.client("sts"))
    assert accounts.client("sts", account=SPOKE).get_caller_identity()["Account"] == SPOKE


def test_an_account_has_the_regions_of_its_partition(accounts: Accounts) -> None:
    regions = {one["RegionName"] for one in accounts.client("ec2").describe_regions()["Regions"]}
    assert {"eu-central-1", "us-east-1"} <= regions
    assert not any(one.startswith(("cn-", "us-gov-")) for one in regions)
