import base64
import hashlib
import json
import re
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from hub.qualys import parse
from hub.settings import Settings
from infra.local import deployment as deployment_module
from infra.local.deployment import SPOKE_STACK, Deployment, deploy, publish
from infra.local.stacks import bring_up
from spoke.errors import Misconfigured, Unavailable
from tests.infra.local.packages import SmallFunction


def test_it_is_a_hub_and_three_spokes_in_two_regions(deployment: Deployment) -> None:
    assert deployment.hub_account == "123456789012"
    assert deployment.spokes == ("210000000001", "210000000002", "210000000003")
    assert deployment.regions == ("eu-central-1", "us-east-1")
    for account in deployment.spokes:
        for region in deployment.regions:
            stacks = deployment.client("cloudformation", account=account, region=region)
            (stack,) = stacks.describe_stacks()["Stacks"]
            assert stack["StackName"] == SPOKE_STACK
            assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
            assert stacks.meta.region_name == region
            assert f":{region}:{account}:" in stack["StackId"]


def test_the_settings_start_a_worker(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deployment.settings.items():
        monkeypatch.setenv(name, value)
    settings = Settings()  # type: ignore[call-arg]  # from the environment
    assert settings.changes_queue_url.endswith(f"/{deployment.hub_account}/scanhub-changes")
    assert settings.sweep_dlq_url is not None
    assert settings.results_kms_key_arn is not None
    assert settings.external_id is None


def test_the_secrets_have_values_and_are_kept_by_a_second_deployment(deployment: Deployment) -> None:
    def values() -> list[str]:
        client = deployment.client("secretsmanager")
        arns = [deployment.outputs["QualysSecretArn"], deployment.outputs["ExternalIdSecretArn"]]
        return [client.get_secret_value(SecretId=arn)["SecretString"] for arn in arns]

    qualys, external_id = before = values()
    credentials = parse(qualys, where="test")
    assert credentials.pod == "US1"
    assert len(credentials.access_token.get_secret_value()) >= 32
    assert re.fullmatch(r"[A-Za-z0-9]{40}", external_id)
    again = deploy(deployment.endpoint)
    assert again == deployment
    assert values() == before
    assert "access_token" not in repr(deployment)


def test_every_deployment_has_secrets_of_its_own(deployment: Deployment) -> None:
    # A fixed token or external id could not be told from a leaked one.
    text = json.dumps({**deployment.settings, **deployment.outputs})
    client = deployment.client("secretsmanager")
    external_id = client.get_secret_value(SecretId=deployment.outputs["ExternalIdSecretArn"])["SecretString"]
    assert external_id not in text


def test_the_bucket_can_be_used_though_its_policy_denies_what_comes_without_tls(deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.settings["SCANHUB_RESULTS_BUCKET"]
    s3.head_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="scans/210000000001/manifest.json", Body=b"{}", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=bucket, Key="scans/210000000001/manifest.json")["Body"].read() == b"{}"


def test_a_bucket_policy_without_conditions_still_holds(deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), "closed"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=bucket, Key="before", Body=b"open")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))
    with pytest.raises(ClientError, match=r"Forbidden|AccessDenied"):
        s3.put_object(Bucket=bucket, Key="after", Body=b"closed")


def test_a_function_is_published_with_its_package_and_again_with_another(deployment: Deployment) -> None:
    spec = SmallFunction("orders", account=1, region=1, tags={"team": "billing"})
    first = publish(deployment, spec)
    assert first.arn == "arn:aws:lambda:us-east-1:210000000002:function:orders"
    changed = SmallFunction("orders", account=1, region=1, tags={"team": "sales"}, source="print('new')\n")
    second = publish(deployment, changed)
    for published, built in ((first, spec), (second, changed)):
        assert published.arn == first.arn
        configuration = published.answer["Configuration"]
        assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(built.build()).digest()).decode()
        assert configuration["State"] == "Active"
        assert published.answer["Tags"] == built.tags
        with urlopen(published.answer["Code"]["Location"], timeout=10) as answer:  # noqa: S310  # the embedded cloud's
            assert answer.read() == built.build()


def test_a_function_for_a_fourth_spoke_goes_to_one_that_is_there(deployment: Deployment) -> None:
    assert publish(deployment, SmallFunction("wraps", account=3, region=2)).account == deployment.spokes[0]


def test_what_lambda_refuses_is_said(deployment: Deployment) -> None:
    with pytest.raises(Misconfigured, match="publishing the function orders in 210000000001, eu-central-1"):
        publish(deployment, SmallFunction("orders", architecture="sparc"))


def test_a_stack_that_fails_names_the_reason(deployment: Deployment) -> None:
    with pytest.raises(Misconfigured, match=r"deploying the stack .* of spoke\.yaml: .*HubBusArn"):
        bring_up(deployment.client("cloudformation", region="eu-west-1"), "incomplete", "spoke.yaml", {})


class Functions:
    """A Lambda client that gives these states, one a call."""

    def __init__(self, *states: dict[str, str]) -> None:
        self._states = list(states)

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803  # boto3's own name
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {"Configuration": {"FunctionName": FunctionName, **state}}


def test_a_function_that_failed_to_start_is_published_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on LocalStack without Docker: its code can be read."""
    monkeypatch.setattr(deployment_module, "SETTLE_PAUSE", 0.0)
    functions = Functions({"State": "Pending"}, {"State": "Failed", "LastUpdateStatus": "Failed"})
    assert deployment_module._settled(functions, "orders")["Configuration"]["State"] == "Failed"


def test_a_function_that_stays_pending_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_module, "SETTLE_PATIENCE", 0.0)
    with pytest.raises(Unavailable, match="orders is still pending"):
        deployment_module._settled(Functions({"LastUpdateStatus": "InProgress"}), "orders")
