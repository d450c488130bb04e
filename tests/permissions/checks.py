"""A recorded call -> what IAM is asked: each action, on each resource, with the keys that policies look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from infra.permissions.operations import ACTIONS
from tests.permissions.door import Call
from tests.policies.evaluator import Context

PARTITION = "aws"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be allowed.

    Attributes:
        call: That asks for it.
        action: Of IAM.
        resource: ARN, or `*` for an action that knows no resource.
        account: The resource's.
        context: Condition keys, beside those that every request has.
    """

    call: Call
    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)

    @property
    def role(self) -> str:
        """The ARN of the role whose session asks."""
        return self.call.session.role

    def __str__(self) -> str:
        return f"{self.call.session.arn}: {self.action} on {self.resource}"


def checks(call: Call) -> Iterator[Check]:
    """What the call itself needs.

    Raises:
        KeyError: A call that `infra.permissions.operations` or this module does not know.
    """
    for action in ACTIONS[str(call.operation)]:
        if action == "sts:SetSourceIdentity" and "SourceIdentity" not in call.parameters:
            continue
        if action == "lambda:ListTags" and call.session.policy is not None:
            # GetFunction then leaves the tags out: the worker has looked at them, the scanner has no use for them.
            continue
        for resource in _anything(call) if action == "iam:PassRole" else _RESOURCES[call.operation.service](call):
            yield Check(
                call=call,
                action=_of_item(action, resource),
                resource=resource.arn,
                account=resource.account,
                context=_context(action, call),
            )


def through_services(check: Check, key: str) -> Iterator[Check]:
    """What a service asks of the key for a caller whose call was let through: with the caller's rights, in its name.

    Sources: Amazon SQS developer guide, "Key management"; Amazon SNS developer guide, "Managing Amazon SNS encryption
    keys and costs"; S3 user guide, "Using server-side encryption with AWS KMS keys"; Secrets Manager user guide,
    "Secret encryption and decryption"; DynamoDB developer guide, "DynamoDB encryption at rest: usage notes".

    Args:
        check: Of the hub's account, where all is encrypted with one key.
        key: Its ARN.
    """
    service = check.call.operation.service
    for action in _ASKED_OF_THE_KEY.get(check.action, ()):
        yield Check(
            call=check.call,
            action=action,
            resource=key,
            account=check.account,
            context={
                "kms:ViaService": f"{service}.{check.call.region}.amazonaws.com",
                "kms:CallerAccount": check.account,
            },
        )


_TABLES_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_ASKED_OF_THE_KEY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
        "sqs:ReceiveMessage": ("kms:Decrypt",),
        "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
        "s3:PutObject": ("kms:GenerateDataKey",),
        "s3:GetObject": ("kms:Decrypt",),
        "secretsmanager:GetSecretValue": ("kms:Decrypt",),
        "dynamodb:BatchGetItem": _TABLES_KEY,
        "dynamodb:GetItem": _TABLES_KEY,
        "dynamodb:Query": _TABLES_KEY,
        "dynamodb:Scan": _TABLES_KEY,
        "dynamodb:UpdateItem": _TABLES_KEY,
    }
)


@dataclass(frozen=True)
class _Resource:
    arn: str
    account: str
    item: str = ""
    """Of a transaction: what it does to the item."""


def _of_item(action: str, resource: _Resource) -> str:
    return f"dynamodb:{_ITEMS[resource.item]}" if resource.item else action


_ITEMS = {
    "Update": "UpdateItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _context(action: str, call: Call) -> dict[str, str | tuple[str, ...]]:
    parameters = call.parameters
    if action == "lambda:TagResource":
        tags: Mapping[str, str] = parameters["Tags"]
        return {"aws:TagKeys": tuple(tags), **{f"aws:RequestTag/{name}": value for name, value in tags.items()}}
    if action == "s3:PutObject":
        keys = {"ServerSideEncryption": "", "SSEKMSKeyId": "-aws-kms-key-id"}
        found = {f"s3:x-amz-server-side-encryption{end}": parameters.get(name) for name, end in keys.items()}
        return {name: value for name, value in found.items() if value is not None}
    if action.startswith("sts:"):
        named = {"sts:RoleSessionName": parameters["RoleSessionName"]} if action == "sts:AssumeRole" else {}
        external = {"sts:ExternalId": parameters["ExternalId"]} if action == "sts:AssumeRole" else {}
        return {**named, **external, "sts:SourceIdentity": parameters["SourceIdentity"]}
    return {}


def _arn(call: Call, rest: str) -> _Resource:
    account = call.session.account
    return _Resource(f"arn:{PARTITION}:{call.operation.service}:{call.region}:{account}:{rest}", account)


def _given(arn: str) -> _Resource:
    return _Resource(arn, arn.split(":")[4])


def _queue(call: Call) -> Iterator[_Resource]:
    account, name = str(call.parameters["QueueUrl"]).rsplit("/", 2)[1:]
    yield _Resource(f"arn:{PARTITION}:sqs:{call.region}:{account}:{name}", account)


def _tables(call: Call) -> Iterator[_Resource]:
    parameters = call.parameters
    if "RequestItems" in parameters:
        yield from (_arn(call, f"table/{name}") for name in parameters["RequestItems"])
    elif "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            ((kind, of),) = item.items()
            table = _arn(call, f"table/{of['TableName']}")
            yield _Resource(table.arn, table.account, kind)
    else:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield _arn(call, f"table/{parameters['TableName']}{index}")


def _bucket(call: Call) -> Iterator[_Resource]:
    key = call.parameters.get("Key")
    arn = f"arn:{PARTITION}:s3:::{call.parameters['Bucket']}"
    yield _Resource(arn if key is None else f"{arn}/{key}", call.session.account)


UNNAMED_ORGANIZATION = "o-0000000000"
"""A call does not say of which organization a unit is; `Granted.named` does."""


def _organizations(call: Call) -> Iterator[_Resource]:
    parent = call.parameters.get("ParentId")
    if parent is None:
        yield _Resource("*", call.session.account)
        return
    kind = "root" if str(parent).startswith("r-") else "ou"
    account = call.session.account
    yield _Resource(f"arn:{PARTITION}:organizations::{account}:{kind}/{UNNAMED_ORGANIZATION}/{parent}", account)


def _anything(call: Call) -> Iterator[_Resource]:
    yield _Resource("*", call.session.account)


def _containers(call: Call) -> Iterator[_Resource]:
    parameters = call.parameters
    match call.operation.name:
        case "DescribeServices":
            yield from (_arn(call, f"service/{parameters['cluster']}/{name}") for name in parameters["services"])
        case "RunTask":
            # The family alone: its newest revision.
            yield _arn(call, f"task-definition/{parameters['taskDefinition']}:*")
        case _:
            yield from map(_given, parameters["tasks"])


def _function(call: Call) -> Iterator[_Resource]:
    parameters = call.parameters
    if call.operation.name == "ListFunctions":
        yield _Resource("*", call.session.account)
    else:
        yield _given(str(parameters.get("FunctionName") or parameters.get("Resource") or parameters["Arn"]))


_RESOURCES: Mapping[str, Callable[[Call], Iterator[_Resource]]] = MappingProxyType(
    {
        "dynamodb": _tables,
        "ec2": _anything,
        "ecs": _containers,
        "lambda": _function,
        "monitoring": _anything,
        "organizations": _organizations,
        "s3": _bucket,
        "secretsmanager": lambda call: iter([_given(call.parameters["SecretId"])]),
        "sns": lambda call: iter([_given(call.parameters["TopicArn"])]),
        "sqs": _queue,
        "sts": lambda call: iter([_given(call.parameters["RoleArn"])]),
        "tagging": _anything,
    }
)


def asked(calls: tuple[Call, ...], keys: Mapping[str, str]) -> tuple[Check, ...]:
    """All that the calls ask of IAM, each thing once.

    Args:
        calls: What was recorded.
        keys: The key under which an account's data lie: account -> ARN.
    """
    found: dict[Any, Check] = {}
    for call in calls:
        for check in checks(call):
            for one in (check, *through_services(check, keys[check.account])) if check.account in keys else (check,):
                context = tuple(sorted(one.context.items()))
                found.setdefault((call.session, one.action, one.resource, context), one)
    return tuple(found.values())
