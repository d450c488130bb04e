"""What each call to AWS that the code makes asks of IAM.

From the Service Authorization Reference, where a call and its action have different names or one call needs several:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
Beyond the calls themselves: a transaction is checked by what its items do (DynamoDB developer guide, "Using IAM with
DynamoDB transactions"), a batch of SQS by the action on one message (Amazon SQS developer guide, "Amazon SQS API
permissions"), HeadBucket by `s3:ListBucket` (S3 API reference), a source identity by an action of its own (STS API
reference, AssumeRole), GetFunction leaves the tags out without `lambda:ListTags` (Lambda API reference), and everybody
may ask who they are (STS API reference, GetCallerIdentity). Services have the name that requests are signed for.
"""

from collections.abc import Mapping
from types import MappingProxyType

from botocore import xform_name

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dynamodb:BatchGetItem": ("dynamodb:BatchGetItem",),
        "dynamodb:DescribeTable": ("dynamodb:DescribeTable",),
        "dynamodb:GetItem": ("dynamodb:GetItem",),
        "dynamodb:Query": ("dynamodb:Query",),
        "dynamodb:Scan": ("dynamodb:Scan",),
        "dynamodb:TransactWriteItems": ("dynamodb:UpdateItem",),
        "dynamodb:UpdateItem": ("dynamodb:UpdateItem",),
        "ec2:DescribeRegions": ("ec2:DescribeRegions",),
        "ecs:DescribeServices": ("ecs:DescribeServices",),
        "ecs:RunTask": ("ecs:RunTask", "iam:PassRole"),
        "ecs:UpdateTaskProtection": ("ecs:UpdateTaskProtection",),
        "lambda:GetFunction": ("lambda:GetFunction", "lambda:ListTags"),
        "lambda:GetLayerVersionByArn": ("lambda:GetLayerVersion",),
        "lambda:ListAliases": ("lambda:ListAliases",),
        "lambda:ListFunctions": ("lambda:ListFunctions",),
        "lambda:ListProvisionedConcurrencyConfigs": ("lambda:ListProvisionedConcurrencyConfigs",),
        "lambda:TagResource": ("lambda:TagResource",),
        "monitoring:GetMetricData": ("cloudwatch:GetMetricData",),
        "organizations:ListAccounts": ("organizations:ListAccounts",),
        "organizations:ListAccountsForParent": ("organizations:ListAccountsForParent",),
        "organizations:ListOrganizationalUnitsForParent": ("organizations:ListOrganizationalUnitsForParent",),
        "s3:GetObject": ("s3:GetObject",),
        "s3:HeadBucket": ("s3:ListBucket",),
        "s3:PutObject": ("s3:PutObject",),
        "secretsmanager:GetSecretValue": ("secretsmanager:GetSecretValue",),
        "sns:Publish": ("sns:Publish",),
        "sqs:ChangeMessageVisibility": ("sqs:ChangeMessageVisibility",),
        "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
        "sqs:DeleteMessage": ("sqs:DeleteMessage",),
        "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
        "sqs:GetQueueAttributes": ("sqs:GetQueueAttributes",),
        "sqs:ReceiveMessage": ("sqs:ReceiveMessage",),
        "sqs:SendMessage": ("sqs:SendMessage",),
        "sqs:SendMessageBatch": ("sqs:SendMessage",),
        "sts:AssumeRole": ("sts:AssumeRole", "sts:SetSourceIdentity"),
        "sts:GetCallerIdentity": (),
        "tagging:GetResources": ("tag:GetResources",),
    }
)
"""`service:Operation` -> actions. In TransactWriteItems the code has updates alone; a test holds that."""

MODELS: Mapping[str, str] = MappingProxyType({"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"})
"""The name that botocore has for a service, where its requests are signed for another one."""

METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        method: tuple(call for call in ACTIONS if xform_name(call.partition(":")[2]) == method)
        for method in {xform_name(call.partition(":")[2]) for call in ACTIONS}
    }
)
"""A client's method -> the calls that it may be: `get_function` -> `lambda:GetFunction`."""


def needs(method: str, action: str) -> bool:
    """Whether a client's method asks for this action."""
    return any(action in ACTIONS[call] for call in METHODS.get(method, ()))
