"""Spokes after what goes wrong in real organizations: failures, interruptions, units and accounts that go."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from infra import stack_sets
from infra.calls import AwsClient
from infra.rollout import status
from infra.rollout.deployment import Deployment
from infra.rollout.operations import OperationFailed
from infra.rollout.removal import Removal, RemovalOptions
from infra.rollout.site import REGIONS_STACK_SET, STACK_SET, Site
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import hub, spokes
from tests.infra.script import Script, refusal

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy

PRIMARY, OTHER = "eu-central-1", "us-east-1"


@dataclasses.dataclass
class Watched:
    """A site's clients, one of them with a script in front."""

    site: Site
    clients: Mapping[str, AwsClient]

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        if account is None and service in self.clients:
            return self.clients[service]
        return self.site.clients.client(service, account=account, region=region)


def watched(site: Site, **scripts: Script) -> Site:
    return dataclasses.replace(site, clients=Watched(site, {name: one.client for name, one in scripts.items()}))


def current(site: Site, name: str) -> set[str]:
    found = stack_sets.instances(site.own("cloudformation"), name, site.call_as)
    return {one.account for one in found if one.is_current}


def test_one_account_that_fails_does_not_keep_the_other_regions_from_all_others(
    ground: Ground, deployment: Deployment
) -> None:
    site = ground.site()
    hub(site, deployment)
    ground.accounts.client("sqs", account="210000000002").create_queue(QueueName="scanhub-forward-undelivered")
    with pytest.raises(OperationFailed, match=r"^not every account .* 210000000002 eu-central-1: FAILED: .*already"):
        spokes(site, deployment, regions=(PRIMARY, OTHER))
    others = set(ground.organization.members) - {"210000000002"}
    assert current(site, STACK_SET) == others
    assert current(site, REGIONS_STACK_SET) >= others
    # It fails again, and still keeps nobody from a further region.
    with pytest.raises(OperationFailed, match="210000000002"):
        spokes(site, deployment, regions=(PRIMARY, OTHER, "eu-west-1"))
    found = stack_sets.instances(site.own("cloudformation"), REGIONS_STACK_SET, site.call_as)
    assert {one.account for one in found if one.region == "eu-west-1" and one.is_current} >= others


def test_an_operation_that_still_runs_is_awaited_before_anything_is_said_to_be_done(
    ground: Ground, deployment: Deployment
) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    left = "7e1c2d3b-0f5a-4f0f-9a51-3f6f3b1f6d11"
    script = Script("cloudformation", client=site.own("cloudformation"))
    script.on("ListStackSetOperations", {"Summaries": [{"OperationId": left, "Status": "RUNNING"}]})
    script.on(
        "DescribeStackSetOperation",
        {"StackSetOperation": {"Status": "RUNNING"}},
        {"StackSetOperation": {"Status": "FAILED"}},
    )
    script.on("ListStackSetOperationResults", {"Summaries": []})
    operator = Recording()
    dry = Recording()
    spokes(watched(site, cloudformation=script), Deployment(operator=dry, dry_run=True))
    assert script.calls["DescribeStackSetOperation"] == []
    assert any("an operation runs already" in warning for warning in dry.warnings)
    spokes(watched(site, cloudformation=script), dataclasses.replace(deployment, operator=operator))
    assert len(script.calls["DescribeStackSetOperation"]) == 2
    assert operator.lines[0] == f"stack set {STACK_SET}: the operation {left} runs already; waiting until it ends"
    # Only what is there after it has ended is planned from.
    order = list(script.calls)
    assert order.index("ListStackSetOperations") < order.index("ListStackInstances")


def test_a_region_that_goes_goes_before_the_others_are_updated(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment, regions=(PRIMARY, OTHER, "eu-west-1"))
    script = Script("cloudformation", client=site.own("cloudformation"))
    spokes(
        watched(site, cloudformation=script),
        deployment,
        regions=(PRIMARY, "eu-west-1"),
        remove_other_regions=True,
        parameters={"CreateAlarm": "true"},
    )
    done = [name for name in script.calls if name in {"DeleteStackInstances", "UpdateStackSet"}]
    # The primary's set has nothing to remove: its update comes first.
    assert done == ["UpdateStackSet", "DeleteStackInstances"]
    [deleted] = script.calls["DeleteStackInstances"]
    assert deleted["Regions"] == [OTHER]
    found = stack_sets.instances(site.own("cloudformation"), REGIONS_STACK_SET, site.call_as)
    assert {one.region for one in found} == {"eu-west-1"}
    # Without any other region the set stays, empty, and the next run has nothing to do.
    spokes(site, deployment, regions=(PRIMARY,), remove_other_regions=True)
    again = Recording(agreeing=False)
    spokes(site, dataclasses.replace(deployment, operator=again))
    assert again.plans == []


def test_a_unit_that_was_deleted_is_left_out_and_told(ground: Ground, deployment: Deployment) -> None:
    site, units = ground.site(), ground.organization.units
    hub(site, deployment)
    spokes(site, deployment, units=(units["workloads"],))
    gone = "ou-gone-00000000"
    there = site.own("cloudformation").describe_stack_set(StackSetName=STACK_SET, CallAs=site.call_as)
    there.pop("ResponseMetadata")
    there["StackSet"]["OrganizationalUnitIds"] = [gone, units["workloads"]]
    script = Script("cloudformation", client=site.own("cloudformation"))
    absent = refusal("StackSetNotFoundException", "not found")
    script.on("DescribeStackSet", there, absent, there, absent, there, absent)
    operator = Recording()
    spokes(
        watched(site, cloudformation=script),
        Deployment(operator=operator, dry_run=True),
        units=(units["sandbox"],),
    )
    assert any(gone in warning for warning in operator.warnings)
    [plan] = operator.plans
    assert gone not in repr(plan)
    seen = status.look(watched(site, cloudformation=script))
    assert {spoke.account.id for spoke in seen.spokes} == {"210000000001", "210000000002"}


def test_an_instance_that_no_operation_reaches_is_told(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    listed = site.own("cloudformation").list_stack_instances(StackSetName=STACK_SET, CallAs=site.call_as)["Summaries"]
    listed[0] |= {"Status": "INOPERABLE", "StackInstanceStatus": {"DetailedStatus": "INOPERABLE"}}
    script = Script("cloudformation", client=site.own("cloudformation"))
    script.on("ListStackInstances", {"Summaries": listed})
    operator = Recording()
    spokes(watched(site, cloudformation=script), Deployment(operator=operator, dry_run=True))
    [warning] = operator.warnings
    assert warning.startswith(f"1 instances are inoperable, such as {listed[0]['Account']} {PRIMARY}")


def suspended(site: Site, account: str) -> Script:
    """Organizations, as it answers once an account is suspended."""
    client = site.own("organizations")
    accounts = [one for page in client.get_paginator("list_accounts").paginate() for one in page["Accounts"]]
    changed = [
        one | ({"Status": "SUSPENDED", "State": "SUSPENDED"} if one["Id"] == account else {}) for one in accounts
    ]
    return Script("organizations", client=client).on("ListAccounts", {"Accounts": changed})


def test_a_suspended_account_is_no_failure_and_is_not_tried_again(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    ground.accounts.client("sqs", account="210000000002").create_queue(QueueName="scanhub-forward-undelivered")
    with pytest.raises(OperationFailed):
        spokes(site, deployment)
    later = watched(site, organizations=suspended(site, "210000000002"))
    again = Recording(agreeing=False)
    spokes(later, dataclasses.replace(deployment, operator=again))
    assert again.plans == []
    found = status.look(later)
    assert all(spoke.is_well for spoke in found.spokes)
    assert {one.account.id: one.reason for one in found.uncovered}["210000000002"].startswith("suspended")


def results(*rows: tuple[str, str]) -> dict[str, Any]:
    return {"Summaries": [{"Account": account, "Region": PRIMARY, "Status": state} for account, state in rows]}


def test_a_suspended_account_does_not_keep_a_stack_set_for_good(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    mine = site.own("cloudformation")
    instance = mine.list_stack_instances(StackSetName=STACK_SET, CallAs=site.call_as)["Summaries"]
    [kept] = [one for one in instance if one["Account"] == "210000000002"]
    cloudformation = Script("cloudformation", client=mine)
    # Announced, removed, and what is left: AWS skips an account that is suspended.
    cloudformation.on("ListStackInstances", {"Summaries": instance}, {"Summaries": instance}, {"Summaries": [kept]})
    operator = Recording()
    Removal(
        watched(site, cloudformation=cloudformation, organizations=suspended(site, "210000000002")),
        dataclasses.replace(deployment, operator=operator),
        RemovalOptions(spokes_only=True),
    ).run()
    first, second = cloudformation.calls["DeleteStackInstances"]
    assert first["RetainStacks"] is False
    assert second["RetainStacks"] is True
    assert second["DeploymentTargets"] == {
        "OrganizationalUnitIds": [ground.organization.root],
        "Accounts": ["210000000002"],
        "AccountFilterType": "INTERSECTION",
    }
    assert any("210000000002" in warning for warning in operator.warnings)
    assert len(cloudformation.calls["DeleteStackSet"]) == 1


def test_an_account_that_refuses_keeps_the_stack_set_and_is_named(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    script = Script("cloudformation", client=site.own("cloudformation"))
    script.on("ListStackSetOperationResults", results(("210000000001", "SUCCEEDED"), ("210000000003", "FAILED")))
    with pytest.raises(
        OperationFailed, match=r"not every instance could be deleted; 210000000003 eu-central-1: FAILED"
    ):
        Removal(watched(site, cloudformation=script), deployment, RemovalOptions(spokes_only=True)).run()
    assert script.calls["DeleteStackSet"] == []
