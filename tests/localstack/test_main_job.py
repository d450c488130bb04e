"""The main job on LocalStack: the same run and the same checks as on the embedded cloud."""

from collections.abc import Iterator

import pytest

from infra.local.deployment import HUB_STACK, SPOKE_STACK, deploy
from tests.conftest import forget_aws
from tests.e2e.checks import MainJob
from tests.e2e.main_job import Aftermath, run
from tests.localstack.host_mode import ACCOUNT, Localstack

pytestmark = [
    pytest.mark.localstack,
    pytest.mark.timeout(300),  # the first test starts LocalStack, deploys seven stacks and runs the whole job
]

UNKNOWN = "unknown"
"""LocalStack's physical id for a resource of a type that it does not know: "complete", and nowhere."""

LEFT_OUT: frozenset[str] = frozenset()
"""The types in our templates that LocalStack does not know. What is here, docs/local.md must name."""


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


@pytest.mark.usefixtures("on_localstack")
class TestDeployment:
    """Our templates on LocalStack's CloudFormation: nothing may be left out without anybody noticing."""

    def test_every_resource_was_really_created(self, aftermath: Aftermath) -> None:
        deployment = aftermath.deployment
        assert deployment.hub_account == ACCOUNT
        stands = [(HUB_STACK, deployment.hub_account, deployment.hub_region)]
        stands += [(SPOKE_STACK, account, region) for account in deployment.spokes for region in deployment.regions]
        left_out: set[str] = set()
        for stack, account, region in stands:
            stacks = deployment.client("cloudformation", account=account, region=region)
            resources = stacks.describe_stack_resources(StackName=stack)["StackResources"]
            created = [one for one in resources if "PhysicalResourceId" in one]  # the others a condition left out
            assert len(created) > 3
            assert {one["ResourceStatus"] for one in created} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
            left_out |= {one["ResourceType"] for one in created if one["PhysicalResourceId"] == UNKNOWN}
        assert left_out == LEFT_OUT

    def test_the_ledger_is_in_moto(self, aftermath: Aftermath, localstack: Localstack) -> None:
        ledger = aftermath.deployment.client("dynamodb")
        assert ledger.meta.endpoint_url == localstack.moto
        described = ledger.describe_table(TableName=aftermath.deployment.settings["SCANHUB_LEDGER_TABLE"])["Table"]
        assert [index["IndexName"] for index in described["GlobalSecondaryIndexes"]] == ["by-state"]

    def test_a_second_deployment_keeps_queues_and_secrets(self, aftermath: Aftermath) -> None:
        first = aftermath.deployment
        again = deploy(spokes=1, regions=first.regions[:1], hub_region=first.hub_region)
        assert again.outputs == first.outputs
        client = again.client("secretsmanager")
        kept = client.get_secret_value(SecretId=again.outputs["ExternalIdSecretArn"])["SecretString"]
        assert kept == aftermath.secrets["external id"]
