"""What a call asks of IAM."""

from typing import Any

import pytest

from tests.permissions.checks import UNNAMED_ORGANIZATION, asked, checks
from tests.permissions.door import Call, Session
from tests.permissions.wire import Operation

HUB, SPOKE = "123456789012", "210000000001"
WORKER = Session(
    role=f"arn:aws:iam::{SPOKE}:role/scanhub-spoke", name="scanhub-worker", policy=None, source_identity="scanhub"
)
SCAN = Session(role=WORKER.role, name="scan-orders", policy="{}", source_identity="scanhub")
TASK = Session(role=f"arn:aws:iam::{HUB}:role/scanhub-worker", name="0b69", policy=None, source_identity=None)
FUNCTION = f"arn:aws:lambda:eu-central-1:{SPOKE}:function:orders"
TABLE = f"arn:aws:dynamodb:eu-central-1:{HUB}:table/ledger"
KEY = f"arn:aws:kms:eu-central-1:{HUB}:key/1"


def call(operation: str, session: Session = TASK, **parameters: Any) -> Call:
    service, _, name = operation.partition(":")
    return Call(
        session=session, operation=Operation(service, name), region="eu-central-1", parameters=parameters, status=200
    )


@pytest.mark.parametrize(
    ("made", "asks"),
    [
        (call("s3:HeadBucket", Bucket="results"), {("s3:ListBucket", "arn:aws:s3:::results")}),
        (call("s3:PutObject", Bucket="results", Key="scans/a"), {("s3:PutObject", "arn:aws:s3:::results/scans/a")}),
        (
            call("sqs:DeleteMessageBatch", QueueUrl=f"http://127.0.0.1:5000/{HUB}/scanhub-sweep"),
            {("sqs:DeleteMessage", f"arn:aws:sqs:eu-central-1:{HUB}:scanhub-sweep")},
        ),
        (call("dynamodb:BatchGetItem", RequestItems={"ledger": {}}), {("dynamodb:BatchGetItem", TABLE)}),
        (
            call("dynamodb:Query", TableName="ledger", IndexName="by-state"),
            {("dynamodb:Query", f"{TABLE}/index/by-state")},
        ),
        (
            call(
                "dynamodb:TransactWriteItems",
                TransactItems=[{"Update": {"TableName": "ledger"}}, {"Put": {"TableName": "ledger"}}],
            ),
            {("dynamodb:UpdateItem", TABLE), ("dynamodb:PutItem", TABLE)},
        ),
        (
            call("lambda:GetFunction", WORKER, FunctionName=FUNCTION),
            {("lambda:GetFunction", FUNCTION), ("lambda:ListTags", FUNCTION)},
        ),
        (call("lambda:GetFunction", SCAN, FunctionName=FUNCTION), {("lambda:GetFunction", FUNCTION)}),
        (call("lambda:ListFunctions", WORKER), {("lambda:ListFunctions", "*")}),
        (call("lambda:ListAliases", WORKER, FunctionName=FUNCTION), {("lambda:ListAliases", FUNCTION)}),
        (call("ec2:DescribeRegions", WORKER), {("ec2:DescribeRegions", "*")}),
        (call("tagging:GetResources", WORKER), {("tag:GetResources", "*")}),
        (
            call("ecs:DescribeServices", cluster="scanhub", services=["scanhub-worker"]),
            {("ecs:DescribeServices", f"arn:aws:ecs:eu-central-1:{HUB}:service/scanhub/scanhub-worker")},
        ),
        (
            call("ecs:RunTask", cluster="scanhub", taskDefinition="scanhub-sweep"),
            {
                ("ecs:RunTask", f"arn:aws:ecs:eu-central-1:{HUB}:task-definition/scanhub-sweep:*"),
                ("iam:PassRole", "*"),
            },
        ),
        (call("organizations:ListAccounts"), {("organizations:ListAccounts", "*")}),
        (
            call("organizations:ListAccountsForParent", ParentId="ou-ab12-1"),
            {
                (
                    "organizations:ListAccountsForParent",
                    f"arn:aws:organizations::{HUB}:ou/{UNNAMED_ORGANIZATION}/ou-ab12-1",
                )
            },
        ),
        (call("sts:GetCallerIdentity"), set()),
        (
            call("sqs:SendMessageBatch", QueueUrl=f"http://127.0.0.1:5000/{HUB}/scanhub-sweep"),
            {("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{HUB}:scanhub-sweep")},
        ),
        (
            call("sts:AssumeRole", RoleArn=WORKER.role, RoleSessionName="a", ExternalId="e", SourceIdentity="scanhub"),
            {("sts:AssumeRole", WORKER.role), ("sts:SetSourceIdentity", WORKER.role)},
        ),
    ],
    ids=lambda value: str(value.operation) if isinstance(value, Call) else "",
)
def test_a_call_asks_for_its_actions_on_its_resources(made: Call, asks: set[tuple[str, str]]) -> None:
    assert {(one.action, one.resource) for one in checks(made)} == asks


def test_the_account_is_the_resources_own() -> None:
    entered = call("sts:AssumeRole", RoleArn=WORKER.role, RoleSessionName="a", ExternalId="e", SourceIdentity="s")
    assert {one.account for one in checks(entered)} == {SPOKE}
    assert {one.account for one in checks(call("s3:HeadBucket", Bucket="results"))} == {HUB}


def test_tags_and_external_id_are_in_the_context() -> None:
    (tagged,) = checks(call("lambda:TagResource", WORKER, Resource=FUNCTION, Tags={"QualysScanStatus": "success"}))
    assert tagged.context == {"aws:TagKeys": ("QualysScanStatus",), "aws:RequestTag/QualysScanStatus": "success"}
    entered = call("sts:AssumeRole", RoleArn=WORKER.role, RoleSessionName="a", ExternalId="e", SourceIdentity="s")
    first, second = checks(entered)
    assert first.context == {"sts:RoleSessionName": "a", "sts:ExternalId": "e", "sts:SourceIdentity": "s"}
    assert second.context == {"sts:SourceIdentity": "s"}


def test_what_is_encrypted_asks_for_the_key_through_its_service() -> None:
    calls = (call("sqs:ReceiveMessage", QueueUrl=f"http://h/{HUB}/q"), call("s3:HeadBucket", Bucket="b"))
    of_the_key = [one for one in asked(calls, {HUB: KEY}) if one.resource == KEY]
    assert [(one.action, one.context["kms:ViaService"]) for one in of_the_key] == [
        ("kms:Decrypt", "sqs.eu-central-1.amazonaws.com")
    ]
    assert not [one for one in asked(calls, {}) if one.action.startswith("kms:")]


def test_a_call_that_nobody_has_thought_of_is_an_error() -> None:
    with pytest.raises(KeyError, match="PurgeQueue"):
        list(checks(call("sqs:PurgeQueue", QueueUrl="http://h/1/q")))
