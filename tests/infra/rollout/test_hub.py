import dataclasses
import json
from typing import Any

import pytest
from pydantic import SecretStr

from infra import stacks
from infra.rollout.change_set import ChangeSet
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions, HubRollout
from infra.rollout.operator import Declined
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK, Site
from infra.stacks import Stack
from spoke.errors import Misconfigured, ScanhubError
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import IMAGE, QUALYS, TOKEN, hub

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy


def stack(site: Site, name: str = HUB_STACK) -> Stack:
    found = stacks.describe(site.hub("cloudformation"), name)
    assert found is not None
    return found


def secret(site: Site) -> dict[str, Any]:
    arn = stack(site).outputs["QualysSecretArn"]
    value: dict[str, Any] = json.loads(site.hub("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    return value


def services(site: Site) -> list[str]:
    arns: list[str] = site.hub("ecs").list_services(cluster="scanhub")["serviceArns"]
    return [arn.rpartition("/")[2] for arn in arns]


def test_one_run_brings_up_network_hub_worker_and_monitoring(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions(image=IMAGE, create_network=True, qualys_secret=QUALYS))
    # The hub twice: first without a worker, whose tasks would not stay up while their secret is empty.
    shown = [(plan.stack, plan.is_new) for plan in operator.plans if isinstance(plan, ChangeSet)]
    assert shown == [
        (NETWORK_STACK, True),
        (HUB_STACK, True),
        (HUB_STACK, False),
        (MONITORING_STACK, True),
    ]
    assert len(operator.questions) == 4
    assert services(site) == ["scanhub-worker"]
    assert secret(site) == {"qualys_pod": "US1", "qualys_access_token": TOKEN}
    there, network = stack(site), stack(site, NETWORK_STACK)
    assert there.is_protected
    assert there.parameters["OrganizationId"] == ground.organization.id
    assert there.parameters["VpcId"] == network.outputs["VpcId"]
    assert there.parameters["SubnetIds"] == network.outputs["SubnetIds"]
    assert TOKEN not in operator.everything()
    assert any(
        step.what == "Bus (AWS::Events::EventBus)" and step.status == "CREATE_COMPLETE" for step in operator.steps
    )


def test_the_second_run_changes_nothing_and_asks_nothing(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions(image=IMAGE, create_network=True, qualys_secret=QUALYS))
    before = (stack(site), secret(site))
    again = Recording(agreeing=False)
    hub(site, dataclasses.replace(deployment, operator=again), HubOptions())
    assert again.plans == []
    assert again.questions == []
    assert again.lines == [f"stack {HUB_STACK}: no changes", f"stack {MONITORING_STACK}: no changes"]
    assert (stack(site), secret(site)) == before


def test_one_parameter_is_changed_and_all_others_keep_their_values(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions(monitoring=False, parameters={"MaxReceiveCount": "500", "ArchiveDays": "7"}))
    operator = Recording()
    changed = HubOptions(monitoring=False, parameters={"MaxReceiveCount": "600"})
    hub(site, dataclasses.replace(deployment, operator=operator), changed)
    [plan] = operator.plans
    assert isinstance(plan, ChangeSet)
    assert [(one.name, one.before, one.after) for one in plan.parameters] == [("MaxReceiveCount", "500", "600")]
    assert ("Modify", "ChangesQueue") in {(one.action, one.resource) for one in plan.resources}
    parameters = stack(site).parameters
    assert (parameters["MaxReceiveCount"], parameters["ArchiveDays"]) == ("600", "7")


def test_a_dry_run_leaves_nothing_behind(ground: Ground, operator: Recording) -> None:
    site = ground.site()
    dry = Deployment(operator=operator, dry_run=True)
    hub(site, dry, HubOptions(image=IMAGE, create_network=True))
    names = [plan.stack for plan in operator.plans if isinstance(plan, ChangeSet)]
    assert names == [NETWORK_STACK, HUB_STACK, MONITORING_STACK]
    assert operator.questions == []
    client = site.hub("cloudformation")
    assert [stacks.describe(client, name) for name in names] == [None, None, None]


def test_a_dry_run_of_an_update_shows_it_and_changes_nothing(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    before, operator = stack(site), Recording()
    options = HubOptions(monitoring=False, parameters={"MaxReceiveCount": "500"})
    hub(site, Deployment(operator=operator, dry_run=True), options)
    assert len(operator.plans) == 1
    assert stack(site) == before
    left = site.hub("cloudformation").list_change_sets(StackName=HUB_STACK)["Summaries"]
    assert [one for one in left if one["ExecutionStatus"] == "AVAILABLE"] == []


def test_an_operator_who_does_not_agree_leaves_nothing_behind(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    refusing = dataclasses.replace(deployment, operator=Recording(agreeing=False))
    with pytest.raises(Declined):
        hub(site, refusing)
    assert stacks.describe(site.hub("cloudformation"), HUB_STACK) is None


def test_an_interruption_at_the_question_leaves_nothing_behind(ground: Ground, deployment: Deployment) -> None:
    def interrupted(question: str) -> bool:
        raise KeyboardInterrupt(question)

    site = ground.site()
    with pytest.raises(KeyboardInterrupt):
        hub(site, dataclasses.replace(deployment, operator=Recording(agreeing=interrupted)))
    assert stacks.describe(site.hub("cloudformation"), HUB_STACK) is None


def test_without_an_image_there_is_no_worker_and_that_is_said(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    hub(site, deployment)
    assert "ServiceName" not in stack(site).outputs
    assert any("scanhub rollout image" in warning for warning in operator.warnings)
    assert any("has no value yet; the worker needs one" in warning for warning in operator.warnings)


def test_a_worker_is_not_deployed_to_stand_without_its_secret(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    options = HubOptions(image=IMAGE, create_network=True, monitoring=False)
    with pytest.raises(ScanhubError, match=r"the hub stands, but not its worker: .*--qualys-secret-file") as caught:
        hub(site, deployment, options)
    assert not isinstance(caught.value, Misconfigured)
    assert "ServiceName" not in stack(site).outputs
    # Where somebody can be asked, the same command goes on from there.
    HubRollout(site, deployment, options, lambda: QUALYS).run()
    assert secret(site)["qualys_access_token"] == TOKEN
    assert services(site) == ["scanhub-worker"]
    assert TOKEN not in operator.everything()


def test_a_secret_of_the_operators_own_is_never_filled_nor_asked_for(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    manager = site.hub("secretsmanager")
    own = manager.create_secret(Name="theirs")["ARN"]

    def asked() -> SecretStr:
        pytest.fail("it is not ours to fill")

    def run(operator: Recording, **options: Any) -> None:
        wanted = HubOptions(image=IMAGE, create_network=True, monitoring=False, **options)
        HubRollout(site, dataclasses.replace(deployment, operator=operator), wanted, asked).run()

    empty = Recording()
    run(empty, parameters={"QualysSecretArn": own})
    assert stack(site).outputs["QualysSecretArn"] == own
    assert f"the secret {own} has no value yet; the worker needs one" in empty.warnings
    # Nor by a later run, which keeps the parameter without naming it.
    with pytest.raises(Misconfigured, match="fill that yourself"):
        run(Recording(), qualys_secret=QUALYS)
    assert "VersionIdsToStages" not in manager.describe_secret(SecretId=own)
    manager.delete_secret(SecretId=own, ForceDeleteWithoutRecovery=True)
    gone = Recording()
    run(gone)
    assert any(one.startswith("whether the Qualys secret has a value cannot be told") for one in gone.warnings)


def test_a_new_value_for_the_secret_replaces_the_old_one(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions(monitoring=False, qualys_secret=QUALYS))
    renewed = SecretStr(QUALYS.get_secret_value().replace(TOKEN, "renewed"))
    hub(site, deployment, HubOptions(monitoring=False, qualys_secret=renewed))
    assert secret(site)["qualys_access_token"] == "renewed"


def test_what_a_removed_hub_has_left_is_told_before_a_new_one_stumbles_over_it(
    ground: Ground, deployment: Deployment
) -> None:
    site = ground.site()
    site.hub("logs").create_log_group(logGroupName="/scanhub/worker")
    with pytest.raises(Misconfigured, match=r"has left the log group /scanhub/worker, .*remove --delete-results"):
        hub(site, deployment)


def test_from_the_management_account_the_hub_is_entered_through_its_administrator(
    ground: Ground, deployment: Deployment
) -> None:
    site = ground.site(ground.organization.management_account)
    assert site.hub_account == ground.organization.hub_account
    hub(site, deployment)
    assert stacks.describe(ground.site().hub("cloudformation"), HUB_STACK) is not None
    own = ground.acting_as(ground.organization.management_account).client("cloudformation")
    assert stacks.describe(own, HUB_STACK) is None


def test_a_member_that_administers_nothing_is_told_what_it_will_need(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    member = next(account for account in ground.organization.members if account != ground.organization.hub_account)
    hub(ground.site(member), deployment)
    assert any(f"register-delegated-administrator --account-id {member}" in warning for warning in operator.warnings)
    assert any("no organization trail" in warning for warning in operator.warnings)


def test_with_an_organization_trail_nothing_is_warned_of(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    site.hub("s3").create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": site.region})
    site.hub("cloudtrail").create_trail(
        Name="all", S3BucketName="trail", IsOrganizationTrail=True, IsMultiRegionTrail=True
    )
    hub(site, deployment)
    assert not any("trail" in warning for warning in operator.warnings)
