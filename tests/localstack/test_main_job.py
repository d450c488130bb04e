"""The main job on LocalStack: the same run and the same checks as on the embedded cloud."""

from collections.abc import Iterator

import pytest

from infra.local.deployment import Deployment, deploy
from infra.permissions.templates import names
from infra.rollout.site import HUB_STACK, MONITORING_STACK, SPOKE_STACK
from tests.conftest import forget_aws
from tests.e2e.checks import MainJob
from tests.e2e.main_job import Aftermath, run
from tests.infra.template import template
from tests.localstack.host_mode import ACCOUNT, Localstack

pytestmark = [
    pytest.mark.localstack,
    pytest.mark.timeout(300),  # the first test starts LocalStack, deploys eight stacks and runs the whole job
]

UNKNOWN = "unknown"
"""LocalStack's physical id for a resource of a type that it does not know: "complete", and nowhere."""

LEFT_OUT = frozenset({"AWS::CloudWatch::Dashboard", "AWS::Events::Archive"})
"""The types in what is deployed that LocalStack does not know. What is here, docs/local.md must name."""

DEPLOYED = {HUB_STACK: "hub.yaml", MONITORING_STACK: "hub-monitoring.yaml", SPOKE_STACK: "spoke.yaml"}
NOT_DEPLOYED = {"hub-network.yaml"}
"""It has no ECS, whose service alone needs the network; and 4.9 knows no Fn::Cidr."""

HUB_CONDITIONS = {"CreatesQualysSecret", "Monitors", "RaisesAlarms"}
"""Those that hold in the hub's stacks as they are deployed here, without an image to run: nothing scales or sweeps."""

PRIMARY_CONDITIONS = {"CreatesRoles", "WritesTags"}
"""Those that hold in a spoke's stack of the primary region; in the other regions none does."""


@pytest.fixture(scope="module")
def aftermath(localstack: Localstack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """One run for all tests of this module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_aws(monkeypatch)
        for name, value in localstack.environment.items():
            monkeypatch.setenv(name, value)
        yield run(None, tmp_path_factory.mktemp("main-job"), monkeypatch)


class TestMainJob(MainJob):
    """On LocalStack, with DynamoDB from moto."""


def stands(deployment: Deployment) -> Iterator[tuple[str, str, str, set[str]]]:
    """Each stack that was deployed: its name, account and region, and the conditions that hold in it."""
    for stack in (HUB_STACK, MONITORING_STACK):
        yield stack, deployment.hub_account, deployment.hub_region, HUB_CONDITIONS
    for account in deployment.spokes:
        for region in deployment.regions:
            yield SPOKE_STACK, account, region, PRIMARY_CONDITIONS if region == deployment.regions[0] else set()


@pytest.mark.usefixtures("on_localstack")
class TestDeployment:
    """Our templates on LocalStack's CloudFormation: nothing may be left out without anybody noticing."""

    def test_every_template_is_deployed_or_is_said_not_to_be(self) -> None:
        assert {*DEPLOYED.values(), *NOT_DEPLOYED} == set(names())

    def test_every_resource_was_really_created(self, aftermath: Aftermath) -> None:
        deployment = aftermath.deployment
        assert deployment.hub_account == ACCOUNT
        left_out: set[str] = set()
        for stack, account, region, conditions in stands(deployment):
            stacks = deployment.client("cloudformation", account=account, region=region)
            resources = stacks.describe_stack_resources(StackName=stack)["StackResources"]
            created = [one for one in resources if "PhysicalResourceId" in one]  # the others a condition left out
            declared = template(DEPLOYED[stack])["Resources"]
            meant = {name for name, one in declared.items() if one.get("Condition") in {None, *conditions}}
            assert {one["LogicalResourceId"] for one in created} == meant, (stack, account, region)
            assert {one["ResourceStatus"] for one in created} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
            left_out |= {one["ResourceType"] for one in created if one["PhysicalResourceId"] == UNKNOWN}
        assert left_out == LEFT_OUT

    def test_the_rules_of_all_regions_go_by_the_one_role_of_their_account(self, aftermath: Aftermath) -> None:
        deployment = aftermath.deployment
        for account in deployment.spokes:
            role = deployment.client("iam", account=account).get_role(RoleName="scanhub-forward")["Role"]["Arn"]
            assert role.split(":")[4] == account
            for region in deployment.regions:
                rules = deployment.client("events", account=account, region=region)
                (target,) = rules.list_targets_by_rule(Rule="scanhub-forward")["Targets"]
                assert (target["Arn"], target["RoleArn"]) == (deployment.outputs["BusArn"], role)

    def test_each_alarm_tells_the_hubs_topic(self, aftermath: Aftermath) -> None:
        declared = template("hub-monitoring.yaml")["Resources"].values()
        of_alarms = [one for one in declared if one["Type"] == "AWS::CloudWatch::Alarm"]
        meant = {one["Properties"]["AlarmName"] for one in of_alarms if one.get("Condition") in {None, *HUB_CONDITIONS}}
        alarms = aftermath.deployment.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
        assert {one["AlarmName"] for one in alarms} == meant
        assert {tuple(one["AlarmActions"]) for one in alarms} == {(aftermath.deployment.outputs["TopicArn"],)}

    def test_the_ledger_is_in_moto(self, aftermath: Aftermath, localstack: Localstack) -> None:
        ledger = aftermath.deployment.client("dynamodb")
        assert ledger.meta.endpoint_url == localstack.moto
        described = ledger.describe_table(TableName=aftermath.deployment.settings["SCANHUB_LEDGER_TABLE"])["Table"]
        assert {index["IndexName"] for index in described["GlobalSecondaryIndexes"]} == {"by-state", "by-account"}

    def test_a_second_deployment_keeps_queues_and_secrets(self, aftermath: Aftermath) -> None:
        first = aftermath.deployment
        again = deploy(spokes=1, regions=first.regions[:1], hub_region=first.hub_region)
        assert again.outputs == first.outputs
        client = again.client("secretsmanager")
        kept = client.get_secret_value(SecretId=again.outputs["ExternalIdSecretArn"])["SecretString"]
        assert kept == aftermath.secrets["external id"]
