from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from infra.rollout import own_spoke
from infra.rollout.credentials import ExternalId
from infra.rollout.deployment import Deployment
from infra.rollout.own_spoke import OwnSpoke
from infra.rollout.regions import Regions
from infra.rollout.site import Site
from infra.rollout.spoke_parameters import SpokeParameters
from spoke.errors import Misconfigured
from tests.infra.rollout.recording import Pauses, Recording
from tests.infra.rollout.test_site import HUB, ORGANIZATION, Scripted
from tests.infra.script import Script, refusal
from tests.infra.test_stacks import ABSENT, described

VALUES = SpokeParameters(
    text="Resources: {}",
    declared={},
    values={},
    external_id=ExternalId(value=SecretStr("canary0external0id0canary"), version="1"),
)


class Regional(Scripted):
    """CloudFormation answers in each region as its script says."""

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> Any:  # noqa: ANN401  # as boto3
        name = f"{service}-{region}" if f"{service}-{region}" in self.scripts else service
        return super().client(name, account=account, region=region)


def site(**answers: Mapping[str, Any] | Exception) -> Site:
    regions = [{"RegionName": name} for name in answers]
    scripts = {
        f"cloudformation-{name}": Script("cloudformation", region=name).on("DescribeStacks", answer)
        for name, answer in answers.items()
    }
    ec2 = Script("ec2").on("DescribeRegions", {"Regions": regions})
    clients = Regional(ec2=ec2, **scripts)
    return Site(clients=clients, organization=ORGANIZATION, hub_account=HUB, region="eu-central-1")


DENIED = refusal("AccessDenied", "with an explicit deny in a service control policy")


def test_a_region_that_the_organization_denies_holds_no_spoke() -> None:
    answers: dict[str, Mapping[str, Any] | Exception] = {
        "eu-central-1": described("CREATE_COMPLETE"),
        "us-east-1": DENIED,
    }
    there = site(**answers, **{"eu-west-1": ABSENT})
    assert list(own_spoke.find(there, HUB)) == ["eu-central-1"]


def test_an_account_whose_own_region_may_not_be_seen_is_not_taken_for_empty() -> None:
    with pytest.raises(Misconfigured, match="explicit deny"):
        own_spoke.find(site(**{"eu-central-1": DENIED}), HUB)


def test_the_roles_of_plain_stacks_cannot_wander_either() -> None:
    parameters = [{"ParameterKey": "RoleRegion", "ParameterValue": "us-east-1"}]
    there = site(**{"eu-central-1": described("CREATE_COMPLETE", Parameters=parameters)})
    own = OwnSpoke(there, Deployment(operator=Recording(), sleep=Pauses()), HUB)
    with pytest.raises(Misconfigured, match=f"the roles of the account {HUB} are made in us-east-1"):
        own.deploy(VALUES, Regions(primary="eu-central-1", others=()))
