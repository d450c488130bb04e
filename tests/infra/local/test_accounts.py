from collections.abc import Iterator

import boto3
import pytest
from moto.cloudformation.exceptions import ValidationError

from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import deploy
from infra.local.publication import publish
from infra.local.traffic import created, put
from spoke.errors import Misconfigured, Unavailable
from tests.infra.local.packages import SmallFunction


def test_nothing_answers_is_one_line() -> None:
    with pytest.raises(Unavailable, match=r"no connection to http://127\.0\.0\.1:9/$") as caught:
        deploy("http://127.0.0.1:9")
    assert "\n" not in caught.value.text


@pytest.mark.parametrize("endpoint", [None, "https://sts.eu-central-1.amazonaws.com"])
def test_it_refuses_to_deploy_to_aws_itself(endpoint: str | None) -> None:
    with pytest.raises(Misconfigured, match="set AWS_ENDPOINT_URL"):
        deploy(endpoint)


def test_an_endpoint_that_is_no_url_is_said() -> None:
    with pytest.raises((Misconfigured, Unavailable), match="not a url"):
        deploy("not a url")


def test_a_second_organization_does_not_share_the_first_ones_secrets() -> None:
    seen = set()
    for _ in range(2):
        with EmbeddedCloud() as cloud:
            lines: list[str] = []
            small = deploy(
                cloud.endpoint, spokes=1, regions=["eu-west-1"], hub_region="eu-west-1", progress=lines.append
            )
            assert lines == ["hub 123456789012 in eu-west-1", "spoke 210000000001 in eu-west-1"]
            for arn in (small.outputs["QualysSecretArn"], small.outputs["ExternalIdSecretArn"]):
                seen.add(small.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    assert len(seen) == 4


@pytest.fixture
def cloud_without_containers(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An embedded cloud whose ECS answers as LocalStack's free edition does."""

    def refuse(*_: object, **__: object) -> None:
        raise ValidationError(message="not included in your license plan")

    monkeypatch.setattr("moto.ecs.models.EC2ContainerServiceBackend.list_clusters", refuse)
    with EmbeddedCloud() as cloud:
        yield cloud.endpoint


def test_without_ecs_all_but_the_service_is_deployed(cloud_without_containers: str) -> None:
    small = deploy(cloud_without_containers, spokes=1)
    assert "ServiceName" not in small.outputs
    function = publish(small, SmallFunction("orders"))
    put(small, function.account, function.region, [created(function)])
    messages = small.client("sqs").receive_message(QueueUrl=small.settings["SCANHUB_CHANGES_QUEUE_URL"])["Messages"]
    assert len(messages) == 1


def test_credentials_of_the_environment_decide_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # LocalStack takes twelve digits as the account; the embedded cloud takes credentials that it issued itself.
    with EmbeddedCloud() as cloud:
        issued = boto3.client("sts", endpoint_url=cloud.endpoint).assume_role(
            RoleArn="arn:aws:iam::999900001111:role/Admin", RoleSessionName="admin"
        )["Credentials"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", issued["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", issued["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", issued["SessionToken"])
        other = deploy(cloud.endpoint, spokes=1)
    assert other.hub_account == "999900001111"
    assert "999900001111" in other.settings["SCANHUB_CHANGES_QUEUE_URL"]


def test_a_cloud_that_generates_no_external_id_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.mends.resources.keys._generated", lambda *_: None)
    with EmbeddedCloud() as cloud, pytest.raises(Misconfigured, match=r"external-id-.* has no value"):
        deploy(cloud.endpoint)
