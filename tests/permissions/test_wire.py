"""What botocore really sends is read back as what was asked for."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from infra.permissions.operations import ACTIONS
from infra.permissions.operations import MODELS as NAMES
from tests.conftest import MODELS, REGION
from tests.permissions.wire import Sent, operation

QUEUE = "http://127.0.0.1:5000/123456789012/scanhub-changes"
FUNCTION = "arn:aws:lambda:eu-central-1:210000000001:function:orders"
LAYER = "arn:aws:lambda:eu-central-1:210000000001:layer:shared:3"
ENTRIES = [{"Id": "0", "ReceiptHandle": "r"}]
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "dynamodb:BatchGetItem": {"RequestItems": {"ledger": {"Keys": [KEY]}}},
    "dynamodb:DescribeTable": {"TableName": "ledger"},
    "dynamodb:GetItem": {"TableName": "ledger", "Key": KEY},
    "dynamodb:Query": {"TableName": "ledger", "IndexName": "by-state"},
    "dynamodb:Scan": {"TableName": "ledger"},
    "dynamodb:TransactWriteItems": {
        "TransactItems": [{"Update": {"TableName": "ledger", "Key": KEY, "UpdateExpression": "SET a = b"}}],
        "ClientRequestToken": "t",
    },
    "dynamodb:UpdateItem": {"TableName": "ledger", "Key": KEY},
    "ec2:DescribeRegions": {},
    "ecs:DescribeServices": {"cluster": "scanhub", "services": ["scanhub-worker"]},
    "ecs:RunTask": {"cluster": "scanhub", "taskDefinition": "scanhub-sweep", "launchType": "FARGATE", "count": 1},
    "ecs:UpdateTaskProtection": {"cluster": "scanhub", "tasks": ["t"], "protectionEnabled": True},
    "lambda:GetFunction": {"FunctionName": FUNCTION},
    "lambda:GetLayerVersionByArn": {"Arn": LAYER},
    "lambda:ListAliases": {"FunctionName": FUNCTION, "Marker": "m"},
    "lambda:ListFunctions": {"MaxItems": 1, "FunctionVersion": "ALL"},
    "lambda:ListProvisionedConcurrencyConfigs": {"FunctionName": FUNCTION},
    "lambda:TagResource": {"Resource": FUNCTION, "Tags": {"QualysScanStatus": "success"}},
    "monitoring:GetMetricData": {"MetricDataQueries": [], "StartTime": 1795333480.5, "EndTime": 1795334380.5},
    "organizations:ListAccounts": {"NextToken": "t"},
    "organizations:ListAccountsForParent": {"ParentId": "ou-ab12-11111111"},
    "organizations:ListOrganizationalUnitsForParent": {"ParentId": "ou-ab12-11111111"},
    "s3:GetObject": {"Bucket": "results", "Key": "scans/a b/é.json"},
    "s3:HeadBucket": {"Bucket": "results"},
    "s3:PutObject": {"Bucket": "results", "Key": "scans/a/b", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"},
    "secretsmanager:GetSecretValue": {"SecretId": "scanhub/qualys"},
    "sns:Publish": {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:t", "Message": "m"},
    "sqs:ChangeMessageVisibility": {"QueueUrl": QUEUE, "ReceiptHandle": "r", "VisibilityTimeout": 3},
    "sqs:ChangeMessageVisibilityBatch": {"QueueUrl": QUEUE, "Entries": ENTRIES},
    "sqs:DeleteMessage": {"QueueUrl": QUEUE, "ReceiptHandle": "r"},
    "sqs:DeleteMessageBatch": {"QueueUrl": QUEUE, "Entries": ENTRIES},
    "sqs:GetQueueAttributes": {"QueueUrl": QUEUE, "AttributeNames": ["All"]},
    "sqs:ReceiveMessage": {"QueueUrl": QUEUE},
    "sqs:SendMessage": {"QueueUrl": QUEUE, "MessageBody": "b"},
    "sqs:SendMessageBatch": {"QueueUrl": QUEUE, "Entries": [{"Id": "0", "MessageBody": "b"}]},
    "sts:GetCallerIdentity": {},
    "tagging:GetResources": {"ResourcesPerPage": 100, "ResourceTypeFilters": ["lambda:function"]},
    "sts:AssumeRole": {"RoleArn": "arn:aws:iam::210000000001:role/scanhub-spoke", "RoleSessionName": "scan-orders"},
}
"""Of each call that IAM is asked for: parameters that are read back as they were given."""

ALIKE: Mapping[str, Mapping[str, Any]] = {
    "lambda:GetFunctionConfiguration": {"FunctionName": FUNCTION},
    "lambda:GetLayerVersion": {"LayerName": "shared", "VersionNumber": 3},
    "lambda:Invoke": {"FunctionName": FUNCTION},
    "lambda:GetProvisionedConcurrencyConfig": {"FunctionName": FUNCTION, "Qualifier": "7"},
    "lambda:ListLayers": {},
    "lambda:ListVersionsByFunction": {"FunctionName": FUNCTION},
    "lambda:ListTags": {"Resource": FUNCTION},
    "lambda:UntagResource": {"Resource": FUNCTION, "TagKeys": ["a"]},
    "s3:CopyObject": {"Bucket": "results", "Key": "b", "CopySource": "other/a"},
    "s3:DeleteObject": {"Bucket": "results", "Key": "b"},
    "s3:GetObjectTagging": {"Bucket": "results", "Key": "b"},
    "s3:HeadObject": {"Bucket": "results", "Key": "b"},
    "s3:ListObjectsV2": {"Bucket": "results"},
    "s3:PutObjectAcl": {"Bucket": "results", "Key": "b", "ACL": "private"},
    "s3:UploadPart": {"Bucket": "results", "Key": "b", "PartNumber": 1, "UploadId": "u"},
}
"""What looks like one of them: a worker that began to call it must not pass for one that does not."""


@pytest.fixture(scope="module")
def session() -> botocore.session.Session:
    one = botocore.session.Session()
    one.register_component("data_loader", MODELS)
    one.set_credentials("key", "secret")
    return one


def sent(session: botocore.session.Session, call: str, parameters: Mapping[str, Any]) -> Sent:
    """What botocore puts on the wire for a call."""
    service, _, name = call.partition(":")
    client = session.create_client(
        NAMES.get(service, service),
        region_name=REGION,
        endpoint_url="http://127.0.0.1:5000",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )
    caught: list[AWSPreparedRequest] = []

    def catch(request: AWSPreparedRequest, **_: object) -> None:
        caught.append(request)
        raise ConnectionRefusedError

    client.meta.events.register("before-send", catch)
    method = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}[name]
    with pytest.raises((ConnectionRefusedError, BotoCoreError)):
        getattr(client, method)(**parameters)
    client.close()
    url, body = urlsplit(caught[0].url), caught[0].body
    # Some values are bytes, whatever botocore's types say.
    found: Iterable[tuple[str, object]] = caught[0].headers.items()
    headers = {name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in found}
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    return Sent(service=service, method=caught[0].method, path=url.path, query=query, headers=headers, body=content)


def test_every_call_of_the_table_is_tried() -> None:
    assert set(REQUESTS) == set(ACTIONS)


@pytest.mark.parametrize("call", [*REQUESTS, *ALIKE])
def test_a_request_is_read_back(session: botocore.session.Session, call: str) -> None:
    given = {**REQUESTS, **ALIKE}[call]
    what, parameters = operation(sent(session, call, given))
    assert str(what) == call
    if call in REQUESTS:
        # What stands in a path or a query comes back as text.
        assert {name: str(parameters[name]) for name in given} == {name: str(value) for name, value in given.items()}


def test_a_request_that_no_model_knows_is_an_error() -> None:
    with pytest.raises(LookupError, match="/2099"):
        operation(Sent(service="lambda", method="GET", path="/2099-01-01/x", query={}, headers={}, body=b""))
