import dataclasses
from typing import Any

import pytest

from infra.calls import AwsClient
from infra.organization import Organization
from infra.rollout import prerequisites, regions, site
from infra.rollout.site import Site
from spoke.errors import Misconfigured
from tests.infra.rollout.recording import Recording
from tests.infra.script import Script, refusal

MANAGEMENT, HUB = "111111111111", "123456789012"
ORGANIZATION = Organization(
    id="o-a1b2c3d4e5",
    management_account=MANAGEMENT,
    account=HUB,
    partition="aws",
    delegated_administrators=(HUB,),
)


class Scripted:
    """Clients by a script for each service."""

    def __init__(self, **scripts: Script) -> None:
        self.scripts = scripts
        self.asked: list[tuple[str, str | None, str | None]] = []

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        self.asked.append((service, account, region))
        return self.scripts[service].client


def there(organization: Organization = ORGANIZATION, /, **scripts: Script) -> Site:
    return Site(clients=Scripted(**scripts), organization=organization, hub_account=HUB, region="eu-central-1")


def asked(account: str, administrators: list[str], features: str = "ALL") -> Scripted:
    identity = {"UserId": "A", "Account": account, "Arn": f"arn:aws-us-gov:sts::{account}:assumed-role/admin/x"}
    listed = [{"Id": one, "Status": "ACTIVE"} for one in administrators]
    organization = {"Id": "o-a1b2c3d4e5", "MasterAccountId": MANAGEMENT, "FeatureSet": features}
    organizations = Script("organizations").on("DescribeOrganization", {"Organization": organization})
    organizations.on("ListDelegatedAdministrators", {"DelegatedAdministrators": listed})
    return Scripted(sts=Script("sts").on("GetCallerIdentity", identity), organizations=organizations)


def test_from_its_own_account_the_hub_is_there() -> None:
    found = site.find(asked(HUB, [HUB]), region="us-gov-west-1")
    assert (found.hub_account, found.organization.partition, found.call_as) == (HUB, "aws-us-gov", "DELEGATED_ADMIN")


def test_from_the_management_account_the_one_administrator_is_the_hub_unless_another_is_named() -> None:
    found = site.find(asked(MANAGEMENT, [HUB]), region="eu-central-1")
    assert (found.hub_account, found.call_as) == (HUB, "SELF")
    named = site.find(asked(MANAGEMENT, [HUB]), region="eu-central-1", hub_account="222222222222")
    assert named.hub_account == "222222222222"
    clients = named.clients
    assert isinstance(clients, Scripted)
    clients.scripts["sqs"] = Script("sqs")
    named.hub("sqs")
    named.inside(MANAGEMENT, "sqs", "us-east-1")
    assert clients.asked[-2:] == [("sqs", "222222222222", "eu-central-1"), ("sqs", None, "us-east-1")]


@pytest.mark.parametrize(
    ("administrators", "words"),
    [
        ([], r"--hub-account ID, or register it: aws organizations register-delegated-administrator .*member\.org"),
        (
            [HUB, "222222222222"],
            r"several accounts administer StackSets \(123456789012, 222222222222\): .*--hub-account",
        ),
    ],
)
def test_a_hub_that_cannot_be_told_is_asked_for_by_one_line(administrators: list[str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        site.find(asked(MANAGEMENT, administrators), region="eu-central-1")


def access(status: str) -> Script:
    return Script("cloudformation").on("DescribeOrganizationsAccess", {"Status": status})


def test_stack_sets_that_may_reach_the_organization_are_all_that_spokes_need() -> None:
    script = access("ENABLED")
    prerequisites.for_spokes(there(cloudformation=script))
    assert script.calls["DescribeOrganizationsAccess"] == [{"CallAs": "DELEGATED_ADMIN"}]


@pytest.mark.parametrize(
    ("organization", "status", "words"),
    [
        (ORGANIZATION, "DISABLED", "trusted access .* is off; .*aws cloudformation activate-organizations-access"),
        (dataclasses.replace(ORGANIZATION, has_all_features=False), "ENABLED", "aws organizations enable-all-features"),
        (
            dataclasses.replace(ORGANIZATION, delegated_administrators=()),
            "ENABLED",
            f"register-delegated-administrator --account-id {HUB}",
        ),
        (dataclasses.replace(ORGANIZATION, partition="aws-cn"), "ENABLED", "no service-managed StackSets in China"),
    ],
)
def test_what_is_missing_is_told_with_the_command_that_mends_it(
    organization: Organization, status: str, words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        prerequisites.for_spokes(there(organization, cloudformation=access(status)))


def test_a_trail_that_may_not_be_looked_for_is_a_note_and_anything_else_is_told() -> None:
    operator = Recording()
    denied = Script("cloudtrail").on("DescribeTrails", refusal("AccessDeniedException"))
    prerequisites.warn_without_trail(there(cloudtrail=denied), operator)
    assert operator.warnings == [
        "whether the organization has a trail cannot be told: cloudtrail:DescribeTrails is denied"
    ]
    broken = Script("cloudtrail").on("DescribeTrails", refusal("OperationNotPermittedException"))
    with pytest.raises(Misconfigured, match="looking for the organization's trail"):
        prerequisites.warn_without_trail(there(cloudtrail=broken), operator)


NAMES = {
    "eu-central-1": "opt-in-not-required",
    "us-east-1": "opt-in-not-required",
    "eu-west-1": "opt-in-not-required",
    "eu-south-1": "opted-in",
}


def choose(*names: str, **more: Any) -> regions.Regions:
    listed = [{"RegionName": name, "OptInStatus": status} for name, status in NAMES.items()]
    ec2 = Script("ec2").on("DescribeRegions", {"Regions": listed})
    options = {"primary": None, "existing": (), "existing_primary": None, **more}
    return regions.choose(there(ec2=ec2), names, **options)


def test_regions_are_those_named_those_there_or_the_hubs() -> None:
    assert choose().all == ("eu-central-1",)
    assert choose(existing=("us-east-1", "eu-west-1"), existing_primary="us-east-1").all == ("us-east-1", "eu-west-1")
    assert choose("us-east-1", "eu-central-1", "us-east-1").all == ("eu-central-1", "us-east-1")
    assert choose("us-east-1", "eu-west-1").primary == "us-east-1"
    assert choose("us-east-1", "eu-west-1", primary="eu-west-1").all == ("eu-west-1", "us-east-1")
    # Every one that no account has to opt in to; one that was opted in to has to be named.
    assert choose("all").all == ("eu-central-1", "eu-west-1", "us-east-1")
    assert choose("eu-central-1", "eu-south-1").others == ("eu-south-1",)
    assert choose("all", "eu-south-1").others == ("eu-south-1", "eu-west-1", "us-east-1")


def test_the_roles_stay_where_they_are_when_only_other_regions_are_named() -> None:
    assert choose("us-east-1", existing=("eu-central-1",), existing_primary="eu-central-1").all == (
        "eu-central-1",
        "us-east-1",
    )


def test_a_region_that_nobody_has_and_a_primary_one_outside_are_refused() -> None:
    with pytest.raises(Misconfigured, match="not a region that is enabled in 123456789012: mars-north-1"):
        choose("eu-central-1", "mars-north-1")
    with pytest.raises(Misconfigured, match="--primary-region us-east-1 is not among the regions: eu-central-1"):
        choose("eu-central-1", primary="us-east-1")
