import pytest

from infra.rollout import status
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions
from infra.rollout.operations import OperationFailed
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK, SPOKE_STACK
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.rollouts import IMAGE, QUALYS, hub, spokes

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy

PRIMARY, OTHER = "eu-central-1", "us-east-1"


def test_nothing_deployed_is_not_complete(ground: Ground) -> None:
    found = status.look(ground.site())
    assert not found.is_complete
    assert [(stack.name, stack.status, stack.is_well) for stack in found.stacks] == [
        (NETWORK_STACK, "ABSENT", True),
        (HUB_STACK, "ABSENT", False),
        (MONITORING_STACK, "ABSENT", True),
    ]
    assert found.spokes == ()
    assert {one.account.id for one in found.uncovered} == {
        *ground.organization.members,
        ground.organization.management_account,
    }


def test_all_is_well_then_one_account_is_missing_and_one_is_gone(ground: Ground, deployment: Deployment) -> None:
    site, organization = ground.site(), ground.organization
    hub(site, deployment, HubOptions(image=IMAGE, create_network=True, qualys_secret=QUALYS))
    spokes(
        site,
        deployment,
        units=(organization.units["workloads"], organization.units["security"]),
        regions=(PRIMARY, OTHER),
    )
    found = status.look(site)
    assert found.is_complete
    assert all(stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} for stack in found.stacks)
    assert all(stack.is_current for stack in found.stacks)
    assert found.outdated_sets == ()
    assert len(found.spokes) == 2 * 3
    reasons = {one.account.id: one.reason for one in found.uncovered}
    assert reasons.pop(organization.management_account).startswith(
        "the management account, which stack sets never reach"
    )
    assert reasons == {"210000000003": "in no organizational unit that is covered"}

    # Somebody deletes one instance by hand.
    management = ground.accounts.client("cloudformation", account=organization.management_account)
    management.delete_stack_instances(
        StackSetName="scanhub-spoke-regions",
        DeploymentTargets={
            "OrganizationalUnitIds": [organization.units["workloads"]],
            "Accounts": ["210000000002"],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[OTHER],
        RetainStacks=False,
        CallAs="SELF",
    )
    found = status.look(site)
    assert not found.is_complete
    [bad] = [one for one in found.spokes if not one.is_well]
    assert (bad.account.id, bad.region, bad.status) == ("210000000002", OTHER, "MISSING")
    assert "scanhub rollout spokes" in bad.what_to_do
    spokes(site, deployment)
    assert status.look(site).is_complete


def test_a_failure_is_told_with_its_reason_and_what_to_do(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    ground.accounts.client("sqs", account="210000000003").create_queue(QueueName="scanhub-forward-undelivered")
    with pytest.raises(OperationFailed):
        spokes(site, deployment)
    [bad] = [one for one in status.look(site).spokes if not one.is_well]
    assert (bad.account.id, bad.region) == ("210000000003", PRIMARY)
    assert bad.status.startswith("OUTDATED")
    assert "already exists" in bad.reason
    assert "delete or rename it" in bad.what_to_do


def test_another_template_and_a_hub_without_a_worker_are_told(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    client = site.hub("cloudformation")
    body = client.get_template(StackName=HUB_STACK)["TemplateBody"]
    text = str(body).replace("MaximumRetryAttempts: 185", "MaximumRetryAttempts: 184")
    client.update_stack(
        StackName=HUB_STACK,
        TemplateBody=text,
        UsePreviousTemplate=False,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "OrganizationId", "UsePreviousValue": True}],
    )
    [stack] = [one for one in status.look(site).stacks if one.name == HUB_STACK]
    assert stack.is_current is False
    assert not stack.is_well
    assert "no worker" in stack.reason


def test_the_management_account_sees_its_own_stacks(ground: Ground, deployment: Deployment) -> None:
    management = ground.organization.management_account
    hub(ground.site(), deployment)
    site = ground.site(management)
    spokes(site, deployment, regions=(PRIMARY, OTHER))
    found = status.look(site)
    own = [(stack.account, stack.region, stack.is_well) for stack in found.stacks if stack.name == SPOKE_STACK]
    assert own == [(management, PRIMARY, True), (management, OTHER, True)]
    assert found.uncovered == ()
    client = site.inside(management, "cloudformation", OTHER)
    client.delete_stack(StackName=SPOKE_STACK)
    missing = [stack for stack in status.look(site).stacks if stack.name == SPOKE_STACK and not stack.is_well]
    assert [(stack.region, stack.status) for stack in missing] == [(OTHER, "ABSENT")]
