import base64
import hashlib
import json
import re
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation import parsing

from hub.qualys import parse
from hub.settings import Settings
from infra.local import deployment as deployment_module
from infra.local.deployment import HUB_STACK, SPOKE_STACK, Deployment, deploy, publish
from infra.local.mends.resource_types import SKIPPED_BY_MOTO
from infra.local.stacks import bring_up
from spoke.errors import Misconfigured, Unavailable
from tests.infra.local.packages import SmallFunction
from tests.infra.template import template


def queue_attributes(deployment: Deployment, url: str) -> dict[str, Any]:
    attributes: dict[str, Any] = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return attributes


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


@pytest.mark.parametrize("name", ["hub.yaml", "spoke.yaml"])
def test_every_resource_of_the_templates_is_one_that_moto_or_a_mend_creates(name: str) -> None:
    types = {resource["Type"] for resource in template(name)["Resources"].values()}
    assert types <= set(parsing.get_model_map()) | set(SKIPPED_BY_MOTO)


def test_moto_still_skips_what_is_mended() -> None:
    # When it learns a type, its mend must go.
    assert not set(SKIPPED_BY_MOTO) & {model.cloudformation_type() for model in parsing.get_model_list()}


def test_every_resource_of_the_hub_really_exists(deployment: Deployment) -> None:
    pages = deployment.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=HUB_STACK)
    created = {one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}
    conditional = {"QualysSecretKeyUse"}
    # moto lists no bus among a stack's resources; it is described below
    assert set(template("hub.yaml")["Resources"]) - conditional - {"Bus"} <= created


def test_every_queue_has_its_policy_its_key_and_its_dead_letter_queue(deployment: Deployment) -> None:
    resources = template("hub.yaml")["Resources"]
    queues = {name: one for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    client = deployment.client("sqs")
    for name, queue in queues.items():
        url = client.get_queue_url(QueueName=queue["Properties"]["QueueName"])["QueueUrl"]
        attributes = queue_attributes(deployment, url)
        denied = [one for one in json.loads(attributes["Policy"])["Statement"] if one["Effect"] == "Deny"]
        assert [one["Condition"] for one in denied] == [{"Bool": {"aws:SecureTransport": "false"}}], name
        assert denied[0]["Resource"] == attributes["QueueArn"]
        assert attributes["KmsMasterKeyId"] in deployment.outputs["ResultsKmsKeyArn"]
    for source in ("Changes", "Sweep"):
        attributes = queue_attributes(deployment, deployment.outputs[f"{source}QueueUrl"])
        dead = queue_attributes(deployment, deployment.outputs[f"{source}DlqUrl"])
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1000}


def test_only_the_rule_may_send_to_the_changes_queue_from_outside(deployment: Deployment) -> None:
    policy = json.loads(queue_attributes(deployment, deployment.outputs["ChangesQueueUrl"])["Policy"])
    (allowed,) = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    rule = f"arn:aws:events:eu-central-1:{deployment.hub_account}:rule/scanhub/scanhub-changes"
    assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": rule}
    key = deployment.client("kms").get_key_policy(KeyId=deployment.outputs["ResultsKmsKeyArn"], PolicyName="default")
    # moto gives a key's policy back as CloudFormation handed it in
    policy = key["Policy"] if isinstance(key["Policy"], dict) else json.loads(key["Policy"])
    (grant,) = [one for one in policy["Statement"] if one["Principal"].get("Service") == "events.amazonaws.com"]
    # Another rule here, and every event is lost without a word.
    assert grant["Condition"]["ArnEquals"] == {"aws:SourceArn": rule}
    assert set(grant["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_the_bus_admits_lambda_events_of_the_organization_alone(deployment: Deployment) -> None:
    bus = deployment.client("events").describe_event_bus(Name="scanhub")
    (statement,) = json.loads(bus["Policy"])["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": deployment.organization, "events:source": "aws.lambda"}
    }
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", deployment.outputs["BusArn"])


def test_the_bucket_is_private_encrypted_versioned_and_speaks_tls_only(deployment: Deployment) -> None:
    s3, bucket = deployment.client("s3"), deployment.settings["SCANHUB_RESULTS_BUCKET"]
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": deployment.outputs["ResultsKmsKeyArn"],
    }
    (ownership,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership == {"ObjectOwnership": "BucketOwnerEnforced"}
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["what-was-replaced"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["results"]["Status"] == "Disabled"


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


def test_the_ledger_has_its_index_its_expiry_and_its_backups(deployment: Deployment) -> None:
    client, name = deployment.client("dynamodb"), deployment.settings["SCANHUB_LEDGER_TABLE"]
    table = client.describe_table(TableName=name)["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], [key["AttributeName"] for key in index["KeySchema"]]) == ("by-state", ["state", "at"])
    assert table["DeletionProtectionEnabled"] is False
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_topics_policy_allows_nobody_and_refuses_plain_http(deployment: Deployment) -> None:
    attributes = deployment.client("sns").get_topic_attributes(TopicArn=deployment.settings["SCANHUB_TOPIC_ARN"])
    (statement,) = json.loads(attributes["Attributes"]["Policy"])["Statement"]
    assert (statement["Effect"], statement["Sid"]) == ("Deny", "TlsOnly")


def test_the_service_runs_the_task_that_the_template_describes(deployment: Deployment) -> None:
    client = deployment.client("ecs")
    (service,) = client.describe_services(cluster="scanhub", services=["scanhub-worker"])["services"]
    task = client.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    given = {pair["name"]: pair["value"] for pair in container["environment"]}
    assert {name: given.get(name) for name in deployment.settings} == dict(deployment.settings)


def test_the_read_role_stands_once_in_each_spoke_and_asks_for_the_external_id(deployment: Deployment) -> None:
    secret = deployment.client("secretsmanager").get_secret_value(SecretId=deployment.outputs["ExternalIdSecretArn"])
    for account in deployment.spokes:
        role = deployment.client("iam", account=account).get_role(RoleName="scanhub-spoke")["Role"]
        assume, name_itself = role["AssumeRolePolicyDocument"]["Statement"]
        assert assume["Principal"] == name_itself["Principal"] == {"AWS": deployment.outputs["TaskRoleArn"]}
        assert assume["Condition"]["StringEquals"] == {
            "sts:ExternalId": secret["SecretString"],
            "aws:PrincipalOrgID": deployment.organization,
        }
        made_by = [
            stacks.describe_stacks(StackName=SPOKE_STACK)["Stacks"][0].get("Outputs", [])
            for stacks in (
                deployment.client("cloudformation", account=account, region=region) for region in deployment.regions
            )
        ]
        assert [sum(one["OutputKey"] == "SpokeRoleArn" for one in outputs) for outputs in made_by] == [1, 0]


def test_each_spoke_keeps_what_could_not_be_forwarded(deployment: Deployment) -> None:
    for account in deployment.spokes:
        for region in deployment.regions:
            client = deployment.client("sqs", account=account, region=region)
            url = client.get_queue_url(QueueName="scanhub-forward-undelivered")["QueueUrl"]
            attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            (allowed,) = [one for one in json.loads(attributes["Policy"])["Statement"] if one["Effect"] == "Allow"]
            rule = f"arn:aws:events:{region}:{account}:rule/scanhub-forward"
            assert allowed["Condition"]["ArnEquals"] == {"aws:SourceArn": rule}
            assert attributes["SqsManagedSseEnabled"] == "true"


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
