import dataclasses
from typing import Any

import pytest

from infra import stack_sets, stacks
from infra.calls import AwsClient
from infra.local.organization import join
from infra.rollout.deployment import Deployment
from infra.rollout.operations import OperationFailed
from infra.rollout.operator import Declined
from infra.rollout.site import HUB_STACK, REGIONS_STACK_SET, SPOKE_STACK, STACK_SET, Site
from infra.rollout.spokes_plan import SpokesPlan
from infra.stack_sets import StackSet
from spoke.errors import Misconfigured
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import hub, spokes
from tests.infra.script import Script

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy

PRIMARY, OTHER = "eu-central-1", "us-east-1"


def described(site: Site, name: str = STACK_SET) -> StackSet:
    found = stack_sets.describe(site.own("cloudformation"), name, site.call_as)
    assert found is not None
    return found


def covered(site: Site, name: str = STACK_SET) -> set[tuple[str, str]]:
    found = stack_sets.instances(site.own("cloudformation"), name, site.call_as)
    assert all(one.is_current for one in found)
    return {(one.account, one.region) for one in found}


def external_id(site: Site) -> str:
    outputs = stacks.outputs(site.hub("cloudformation"), HUB_STACK)
    assert outputs is not None
    value: str = site.hub("secretsmanager").get_secret_value(SecretId=outputs["ExternalIdSecretArn"])["SecretString"]
    return value


def trust(ground: Ground, account: str) -> dict[str, Any]:
    iam = ground.accounts.client("iam", account=account)
    role = iam.get_role(RoleName="scanhub-spoke")["Role"]
    statement: dict[str, Any] = role["AssumeRolePolicyDocument"]["Statement"][0]
    return statement


def test_every_account_of_the_organization_is_covered_in_every_region(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    hub(site, deployment)
    operator.plans.clear()
    spokes(site, deployment, regions=(OTHER, PRIMARY))
    members = set(ground.organization.members)
    assert covered(site) == {(account, PRIMARY) for account in members}
    assert covered(site, REGIONS_STACK_SET) == {(account, OTHER) for account in members}
    [plan] = operator.plans
    assert isinstance(plan, SpokesPlan)
    assert {account.id for account in plan.accounts} == members
    outputs = stacks.outputs(site.hub("cloudformation"), HUB_STACK) or {}
    secret = external_id(site)
    for account in members:
        statement = trust(ground, account)
        assert statement["Principal"] == {"AWS": outputs["TaskRoleArn"]}
        assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == secret
        for region in (PRIMARY, OTHER):
            rules = ground.accounts.client("events", account=account, region=region)
            assert rules.list_targets_by_rule(Rule="scanhub-forward")["Targets"][0]["Arn"] == outputs["BusArn"]
    # The hub's own region makes the roles.
    first, second = described(site), described(site, REGIONS_STACK_SET)
    assert first.parameters["RoleRegion"] == second.parameters["RoleRegion"] == PRIMARY
    assert first.auto_deploys
    assert second.auto_deploys
    assert first.is_managed_execution
    # What nobody may see.
    assert first.parameters["ScannerExternalId"] == "****"
    assert secret not in operator.everything()
    assert any("--management-only" in line for line in operator.lines)
    # Again: nothing to do, nothing to ask.
    again = Recording(agreeing=False)
    spokes(site, dataclasses.replace(deployment, operator=again))
    assert again.plans == []
    assert again.lines[0] == "stack sets scanhub-spoke: no changes; 4 accounts are covered"
    # An account that joins is covered without us.
    join(ground.accounts, ground.organization, "210000000009", "sandbox")
    assert ("210000000009", PRIMARY) in covered(site)
    assert ("210000000009", OTHER) in covered(site, REGIONS_STACK_SET)


def test_a_unit_alone_is_covered_with_the_units_below_it_then_another_one_and_another_region(
    ground: Ground, deployment: Deployment
) -> None:
    site, units = ground.site(), ground.organization.units
    hub(site, deployment)
    spokes(site, deployment, units=(units["workloads"],))
    one, two, three = (f"21000000000{number}" for number in (1, 2, 3))
    assert covered(site) == {(one, PRIMARY), (two, PRIMARY)}
    assert stack_sets.describe(site.own("cloudformation"), REGIONS_STACK_SET, site.call_as) is None
    spokes(site, deployment, units=(units["sandbox"],), regions=(PRIMARY, OTHER))
    assert covered(site) == {(account, PRIMARY) for account in (one, two, three)}
    assert covered(site, REGIONS_STACK_SET) == {(account, OTHER) for account in (one, two, three)}
    assert set(described(site).organizational_units) == {units["workloads"], units["sandbox"]}
    # A region goes only if that is asked for.
    spokes(site, deployment, regions=(PRIMARY, "eu-west-1"))
    assert {region for _, region in covered(site, REGIONS_STACK_SET)} == {OTHER, "eu-west-1"}
    spokes(site, deployment, regions=(PRIMARY, "eu-west-1"), remove_other_regions=True)
    assert {region for _, region in covered(site, REGIONS_STACK_SET)} == {"eu-west-1"}
    assert {region for _, region in covered(site)} == {PRIMARY}


def test_a_new_external_id_reaches_every_role_and_is_shown_to_nobody(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    renewed = "renewed0external0id0renewed0external0id0"
    arn = (stacks.outputs(site.hub("cloudformation"), HUB_STACK) or {})["ExternalIdSecretArn"]
    site.hub("secretsmanager").put_secret_value(SecretId=arn, SecretString=renewed)
    operator = Recording()
    spokes(site, dataclasses.replace(deployment, operator=operator), parameters={"CreateAlarm": "true"})
    [plan] = operator.plans
    assert isinstance(plan, SpokesPlan)
    assert plan.sets[0].changes[-1] == "ScannerExternalId: a new value (not shown)"
    assert plan.sets[0].changes[0].startswith("CreateAlarm: ")
    statement = trust(ground, "210000000002")
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == renewed
    assert renewed not in operator.everything()


def test_an_account_that_fails_is_named_and_tried_again_by_the_next_run(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    queues = ground.accounts.client("sqs", account="210000000002")
    taken = queues.create_queue(QueueName="scanhub-forward-undelivered")["QueueUrl"]
    operator = Recording()
    failing = dataclasses.replace(deployment, operator=operator)
    with pytest.raises(
        OperationFailed, match=r"210000000002 eu-central-1: FAILED: .*already exists.*delete or rename it"
    ):
        spokes(site, failing)
    assert ("210000000002 eu-central-1", "FAILED") in {(step.where, step.status) for step in operator.steps}
    others = [
        one for one in stack_sets.instances(site.own("cloudformation"), STACK_SET, site.call_as) if one.is_current
    ]
    assert {one.account for one in others} == set(ground.organization.members) - {"210000000002"}
    queues.delete_queue(QueueUrl=taken)
    operator.plans.clear()
    spokes(site, failing)
    [plan] = operator.plans
    assert isinstance(plan, SpokesPlan)
    assert [one.account for one in plan.sets[0].retried] == ["210000000002"]
    assert covered(site) == {(account, PRIMARY) for account in ground.organization.members}


def test_from_the_management_account_it_gets_stacks_of_its_own(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    management = ground.organization.management_account
    hub(ground.site(), deployment)
    site = ground.site(management)
    spokes(site, deployment, regions=(PRIMARY, OTHER))
    assert {account for account, _ in covered(site)} == set(ground.organization.members)
    for region in (PRIMARY, OTHER):
        assert stacks.outputs(site.inside(management, "cloudformation", region), SPOKE_STACK) is not None
    assert trust(ground, management)["Condition"]["StringEquals"]["sts:ExternalId"] == external_id(site)
    assert external_id(site) not in operator.everything()
    # The same StackSet is seen from the delegated administrator.
    assert covered(ground.site()) == covered(site)
    again = Recording(agreeing=False)
    spokes(site, dataclasses.replace(deployment, operator=again))
    assert again.plans == []


def test_a_dry_run_and_an_operator_who_does_not_agree_change_nothing(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    operator = Recording()
    spokes(site, Deployment(operator=operator, dry_run=True))
    assert len(operator.plans) == 1
    assert operator.questions == []
    with pytest.raises(Declined):
        spokes(site, dataclasses.replace(deployment, operator=Recording(agreeing=False)))
    assert stack_sets.describe(site.own("cloudformation"), STACK_SET, site.call_as) is None


def test_the_roles_cannot_wander_to_another_region(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    spokes(site, deployment)
    with pytest.raises(Misconfigured, match=r"made in eu-central-1: .*us-east-1.*remove --spokes-only"):
        spokes(site, deployment, regions=(PRIMARY, OTHER), primary_region=OTHER)


def test_without_a_hub_there_are_no_spokes(ground: Ground, deployment: Deployment) -> None:
    with pytest.raises(
        Misconfigured, match=r"no complete hub .* in 123456789012, eu-central-1: run scanhub rollout hub"
    ):
        spokes(ground.site(), deployment)
    with pytest.raises(Misconfigured, match=r"--management-only needs the management account"):
        spokes(ground.site(), deployment, management_only=True)


def test_waves_are_what_cloudformation_is_asked_for(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    client = site.own("cloudformation")
    recorded = Script("cloudformation", client=client)

    class Watched:
        def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
            own = service == "cloudformation" and account is None
            return client if own else site.clients.client(service, account=account, region=region)

    spokes(dataclasses.replace(site, clients=Watched()), deployment, regions=(PRIMARY, OTHER))
    call, _ = recorded.calls["CreateStackInstances"]
    assert call["OperationPreferences"] == {
        "RegionConcurrencyType": "PARALLEL",
        "MaxConcurrentPercentage": 25,
        "FailureToleranceCount": 1,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    }
    assert call["DeploymentTargets"] == {"OrganizationalUnitIds": [ground.organization.root]}
    created, other = recorded.calls["CreateStackSet"]
    assert (created["PermissionModel"], created["CallAs"]) == ("SERVICE_MANAGED", "DELEGATED_ADMIN")
    assert created["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    # When an account joins, the regions without roles of their own wait for the one that makes them.
    assert other["AutoDeployment"] == {**created["AutoDeployment"], "DependsOn": [described(site).arn]}
