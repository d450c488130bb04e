"""What the end-to-end scenario needs of LocalStack in host mode, piece by piece."""

import base64
import hashlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import REGION
from tests.localstack.host_mode import ACCOUNT, ROOT, VENV, Localstack

pytestmark = [
    pytest.mark.localstack,
    pytest.mark.timeout(120),  # the first test starts LocalStack, which takes its time on a busy machine
]

SPOKE = "210987654321"
OTHER_REGION = "us-east-1"
CHANGED = {"source": ["aws.lambda"], "detail-type": ["AWS API Call via CloudTrail"]}


@pytest.mark.usefixtures("on_localstack")
@pytest.mark.parametrize("region", [REGION, OTHER_REGION])
def test_an_event_of_a_spoke_reaches_the_hubs_queue_with_its_account_and_region(region: str) -> None:
    sqs, hub, bus = boto3.client("sqs"), boto3.client("events"), f"hop-{region}"
    bus_arn = hub.create_event_bus(Name=bus)["EventBusArn"]
    queue = sqs.create_queue(QueueName=f"hop-{region}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {**CHANGED, "account": [SPOKE], "region": [region]}
    hub.put_rule(Name=f"changes-{region}", EventBusName=bus, EventPattern=json.dumps(pattern))
    hub.put_targets(Rule=f"changes-{region}", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    spoke = boto3.client("events", region_name=region, aws_access_key_id=SPOKE, aws_secret_access_key="none")
    spoke.put_rule(Name="forward", EventPattern=json.dumps(CHANGED))
    role = f"arn:aws:iam::{SPOKE}:role/forward"
    spoke.put_targets(
        Rule="forward",
        Targets=[{"Id": "hub", "Arn": bus_arn, "RoleArn": role}],
    )

    detail = {"eventSource": "lambda.amazonaws.com", "eventName": "UpdateFunctionCode20150331v2"}
    entry = {"Source": "aws.lambda", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    assert spoke.put_events(Entries=[entry])["FailedEntryCount"] == 0

    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, MaxNumberOfMessages=10)["Messages"]
    body = json.loads(message["Body"])
    assert (body["account"], body["region"], body["detail"]) == (SPOKE, region, detail)


def test_a_queue_is_named_by_a_url_that_can_be_reached(on_localstack: Localstack) -> None:
    url = boto3.client("sqs").create_queue(QueueName="reached")["QueueUrl"]
    assert url == f"{on_localstack.endpoint}/queue/{REGION}/{ACCOUNT}/reached"


def test_a_function_becomes_active_and_its_code_can_be_read_under_an_assumed_role(on_localstack: Localstack) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
    owner = boto3.client("lambda", aws_access_key_id=SPOKE, aws_secret_access_key="none")
    created = owner.create_function(
        FunctionName="orders",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{SPOKE}:role/orders",
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )
    owner.get_waiter("function_active_v2").wait(FunctionName="orders", WaiterConfig={"Delay": 1, "MaxAttempts": 20})

    session = boto3.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{SPOKE}:role/scanhub-spoke",
        RoleSessionName="scan-orders",
        ExternalId="an-external-id-of-ours",
        SourceIdentity="scanhub",
    )["Credentials"]
    reader = boto3.client(
        "lambda",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    location = reader.get_function(FunctionName=created["FunctionArn"])["Code"]["Location"]
    assert urlsplit(location).netloc == urlsplit(on_localstack.endpoint).netloc
    with urlopen(location) as answer:  # noqa: S310  # the line above: it is LocalStack's
        read = answer.read()
    assert read == package.getvalue()
    assert base64.b64encode(hashlib.sha256(read).digest()).decode() == created["CodeSha256"]


def test_a_templates_table_is_created_in_moto_with_its_expiry(on_localstack: Localstack) -> None:
    table = {
        "TableName": "of-a-template",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
    }
    template = {
        "Resources": {"Ledger": {"Type": "AWS::DynamoDB::Table", "Properties": table}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Ledger", "Arn"]}}},
    }
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="table", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="table", WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    dynamodb = boto3.client("dynamodb", endpoint_url=on_localstack.moto)
    described = dynamodb.describe_table(TableName="of-a-template")["Table"]
    (output,) = stacks.describe_stacks(StackName="table")["Stacks"][0]["Outputs"]
    assert described["TableArn"] == output["OutputValue"] == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/of-a-template"
    expiry = dynamodb.describe_time_to_live(TableName="of-a-template")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}


BOUNDARY = {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Boundary"}]}]}
"""As the conditions of spoke.yaml have it."""


@pytest.mark.usefixtures("on_localstack")
@pytest.mark.parametrize(
    ("boundary", "made"),
    [("arn:aws:iam::aws:policy/PowerUserAccess", "Whole"), ("policy/boundary", "Named"), ("", "Named")],
    ids=["an ARN", "a name", "nothing"],
)
def test_a_templates_condition_may_split_a_parameter(boundary: str, made: str) -> None:
    template = {
        "Parameters": {"Boundary": {"Type": "String"}},
        "Conditions": {
            "NamesWhole": {"Fn::Equals": [BOUNDARY, "arn"]},
            "NamesPart": {"Fn::Not": [{"Condition": "NamesWhole"}]},
        },
        "Resources": {
            "Whole": {"Type": "AWS::SQS::Queue", "Condition": "NamesWhole"},
            "Named": {"Type": "AWS::SQS::Queue", "Condition": "NamesPart"},
        },
    }
    name, stacks = f"split-{len(boundary)}", boto3.client("cloudformation")
    parameter = {"ParameterKey": "Boundary", "ParameterValue": boundary}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=[parameter])
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    resources = stacks.describe_stack_resources(StackName=name)["StackResources"]
    assert [one["LogicalResourceId"] for one in resources if "PhysicalResourceId" in one] == [made]


RESOLVES = """
from localstack.services.cloudformation.engine.template_utils import resolve_condition
resolve_condition("123456789012", "eu-central-1", {"Fn::Split": [":", "arn:aws"]}, {}, {}, {}, "stack")
"""


def test_localstack_itself_still_cannot_split_in_a_condition(tmp_path: Path) -> None:
    # Once it can, the plugin `split_in_conditions` has no use any more.
    environment = {"PATH": os.defpath, "HOME": str(tmp_path)}
    command = [str(VENV / "bin" / "python"), "-c", RESOLVES]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.stderr.splitlines()[-1].startswith("Exception: Invalid condition structure encountered")


@pytest.mark.usefixtures("on_localstack")
def test_both_emulators_speak_of_the_same_hub_account() -> None:
    assert boto3.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert boto3.client("ecs").create_cluster(clusterName="c")["cluster"]["clusterArn"].split(":")[4] == ACCOUNT


@pytest.mark.usefixtures("on_localstack")
def test_a_service_that_nobody_looked_at_is_refused() -> None:
    with pytest.raises(ClientError, match="not enabled"):
        boto3.client("stepfunctions").list_state_machines()


def test_it_listens_on_no_other_address(localstack: Localstack) -> None:
    # A server bound to every address answers at all of 127.0.0.0/8.
    port = urlsplit(localstack.endpoint).port
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.2", port)) != 0
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) == 0


def test_it_keeps_its_files_to_itself(localstack: Localstack) -> None:
    assert (localstack.log.parent / "files" / "var" / "lib" / "localstack").is_dir()


HOLDS_ONE = """
import sys, time
from pathlib import Path
from tests.localstack.host_mode import running
with running(sys.argv[1], Path(sys.argv[2]), region="eu-central-1") as cloud:
    print(cloud.pid, flush=True)
    time.sleep(600)
"""


def test_it_ends_when_the_process_that_started_it_is_killed(localstack: Localstack, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS_ONE, localstack.moto, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        orphan = os.pidfd_open(int(holder.stdout.readline()))
        try:
            holder.send_signal(signal.SIGKILL)
            ended, _, _ = select.select([orphan], [], [], 10)
            assert ended, f"process {orphan} outlived its parent"
        finally:
            os.close(orphan)
