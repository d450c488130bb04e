import json
import re

import pytest
from botocore.exceptions import ClientError

from hub.qualys import parse
from hub.settings import Settings
from infra.local.deployment import Deployment, deploy
from infra.local.stacks import bring_up
from infra.rollout.site import SPOKE_STACK
from spoke.errors import Misconfigured


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


def test_a_stack_that_fails_names_the_reason(deployment: Deployment) -> None:
    with pytest.raises(Misconfigured, match=r"deploying the stack .* of spoke\.yaml: .*HubBusArn"):
        bring_up(deployment.client("cloudformation", region="eu-west-1"), "incomplete", "spoke.yaml", {})
