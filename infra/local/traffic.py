"""Lambda change events as CloudTrail records them, put on a spoke's default bus.

A local cloud has no CloudTrail: whoever changes a function says so here. The shapes are those of real records: names
with dates, responses in the state `Pending`, no code and no environment. AWS refuses PutEvents with a source that
begins with `aws.`; moto and LocalStack take it, MiniStack refuses as AWS does.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypedDict

from infra.calls import calling
from infra.local.deployment import Deployment
from infra.local.publication import Published
from spoke.errors import Misconfigured

_BATCH = 10
"""Entries that one PutEvents takes."""


class Entry(TypedDict):
    """One entry of PutEvents; the bus is the default one."""

    Time: datetime
    Source: str
    Resources: list[str]
    DetailType: str
    Detail: str


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded API call; `entry` makes the event of it.

    Attributes:
        name: Of the event, as CloudTrail writes it: `CreateFunction20150331`.
        account: Where the call was made.
        region: Where the call was made.
        at: When (aware, UTC).
        request: `requestParameters`.
        response: `responseElements`; None where the call answers nothing, or failed.
        error_code: Of a call that failed.
        error_message: Of a call that failed.
        event_source: `lambda.amazonaws.com`.
    """

    name: str
    account: str
    region: str
    at: datetime
    request: Mapping[str, Any]
    response: Mapping[str, Any] | None
    error_code: str | None = None
    error_message: str | None = None
    event_source: str = "lambda.amazonaws.com"

    def entry(self) -> Entry:
        """The entry for PutEvents. Each has an event id of its own; put one twice for a duplicate."""
        detail = {
            "eventVersion": "1.11",
            "userIdentity": _deployer(self.account, self.at),
            "eventTime": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": self.event_source,
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": "203.0.113.24",
            "userAgent": "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7",
            "requestParameters": self.request,
            "responseElements": self.response,
            "requestID": str(uuid.uuid4()),
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
            "tlsDetails": {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{self.event_source.split('.', 1)[0]}.{self.region}.amazonaws.com",
            },
        }
        if self.error_code is not None:
            detail |= {"errorCode": self.error_code, "errorMessage": self.error_message or self.error_code}
        return {
            "Time": self.at,
            "Source": f"aws.{self.event_source.split('.', 1)[0]}",
            "Resources": [],
            "DetailType": "AWS API Call via CloudTrail",
            "Detail": json.dumps(detail),
        }

    def failed(self, code: str, message: str) -> "Call":
        """The same call, refused: CloudTrail records it too, without a response."""
        return replace(self, response=None, error_code=code, error_message=message)


def created(function: Published, *, publish: bool = False, at: datetime | None = None) -> Call:
    """CreateFunction; with `publish` the response names version 1."""
    at = at or datetime.now(UTC)
    configuration = function.answer["Configuration"]
    return _call(
        "CreateFunction20150331",
        function,
        at,
        request={
            "functionName": configuration["FunctionName"],
            "runtime": configuration.get("Runtime"),
            "role": configuration["Role"],
            "handler": configuration.get("Handler"),
            "code": {},
            "packageType": configuration.get("PackageType", "Zip"),
            "architectures": configuration.get("Architectures", ["x86_64"]),
            "publish": publish,
        },
        response={
            **_response(function, at, publish=publish),
            "state": "Pending",
            "stateReason": "The function is being created.",
            "stateReasonCode": "Creating",
        },
    )


def code_updated(
    function: Published, *, named_by_arn: bool = False, publish: bool = False, at: datetime | None = None
) -> Call:
    """UpdateFunctionCode; the caller may have named the function by its ARN."""
    at = at or datetime.now(UTC)
    name = function.arn if named_by_arn else function.answer["Configuration"]["FunctionName"]
    return _call(
        "UpdateFunctionCode20150331v2",
        function,
        at,
        request={"functionName": name, "publish": publish, "dryRun": False},
        response=_being_updated(function, at, publish=publish),
    )


def configuration_updated(function: Published, *, at: datetime | None = None) -> Call:
    """UpdateFunctionConfiguration: layers as ARNs in the request, as objects in the response."""
    at = at or datetime.now(UTC)
    configuration = function.answer["Configuration"]
    request: dict[str, Any] = {
        "functionName": configuration["FunctionName"],
        "timeout": configuration.get("Timeout", 3),
    }
    response = _being_updated(function, at)
    if layers := configuration.get("Layers"):
        request["layers"] = [layer["Arn"] for layer in layers]
        response["layers"] = [{"arn": layer["Arn"], "codeSize": layer["CodeSize"]} for layer in layers]
    return _call("UpdateFunctionConfiguration20150331v2", function, at, request=request, response=response)


def deleted(function: Published, *, at: datetime | None = None) -> Call:
    """DeleteFunction: it answers nothing, the name stands in the request alone."""
    name = function.answer["Configuration"]["FunctionName"]
    return _call("DeleteFunction20150331", function, at, request={"functionName": name}, response=None)


def tagged(function: Published, tags: Mapping[str, str], *, at: datetime | None = None) -> Call:
    """TagResource, which the rules do not forward."""
    return _call(
        "TagResource20170331v2", function, at, request={"resource": function.arn, "tags": dict(tags)}, response=None
    )


def foreign(account: str, region: str, *, at: datetime | None = None) -> Call:
    """A call to another service, which the rules do not forward."""
    return Call(
        "PutBucketTagging",
        account,
        region,
        at or datetime.now(UTC),
        request={"bucketName": "quarterly-figures", "tagging": "", "Host": "quarterly-figures.s3.amazonaws.com"},
        response=None,
        event_source="s3.amazonaws.com",
    )


def broken(account: str, region: str, *, at: datetime | None = None) -> Call:
    """A record that the rules forward, and nobody can read: it names no function."""
    return Call(
        "UpdateFunctionCode20150331v2",
        account,
        region,
        at or datetime.now(UTC),
        request={"functionName": ["not", "a", "name"], "publish": "maybe"},
        response={"functionArn": 42},
    )


def put(deployment: Deployment, account: str, region: str, calls: Sequence[Call | Entry]) -> tuple[str, ...]:
    """Put the events on the default bus of that account and region.

    Returns:
        EventBridge's ids, in order. An event that no rule matches has one too.

    Raises:
        Misconfigured: The cloud refuses one.
        Unavailable: Nothing answers.
    """
    bus = deployment.client("events", account=account, region=region)
    ids: list[str] = []
    for batch in _batches([call.entry() if isinstance(call, Call) else call for call in calls]):
        with calling(f"putting events on the default bus of {account}, {region}"):
            answer = bus.put_events(Entries=batch)
        for result in answer["Entries"]:
            if "EventId" not in result:
                raise Misconfigured(
                    f"the bus of {account}, {region} refuses an event: {result.get('ErrorCode')}:"
                    f" {result.get('ErrorMessage')}; this cloud cannot stand in for CloudTrail"
                )
            ids.append(result["EventId"])
    return tuple(ids)


def send_raw(deployment: Deployment, body: str) -> str:
    """Send a body straight to the changes queue, as an administrator of the hub may: what EventBridge never carries.

    Returns:
        The message's id.
    """
    url = deployment.outputs["ChangesQueueUrl"]
    with calling(f"sending to {url}"):
        return str(deployment.client("sqs").send_message(QueueUrl=url, MessageBody=body)["MessageId"])


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    left = iter(entries)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _call(
    name: str,
    function: Published,
    at: datetime | None,
    *,
    request: Mapping[str, Any],
    response: Mapping[str, Any] | None,
) -> Call:
    return Call(name, function.account, function.region, at or datetime.now(UTC), request=request, response=response)


def _being_updated(function: Published, at: datetime, *, publish: bool = False) -> dict[str, Any]:
    return {
        **_response(function, at, publish=publish),
        "state": "Active",
        "lastUpdateStatus": "InProgress",
        "lastUpdateStatusReason": "The function is being created.",
        "lastUpdateStatusReasonCode": "Creating",
    }


def _response(function: Published, at: datetime, *, publish: bool = False) -> dict[str, Any]:
    """`responseElements`: the configuration with small first letters, as CloudTrail writes it."""
    configuration = function.answer["Configuration"]
    kept = ("FunctionName", "Runtime", "Role", "Handler", "CodeSize", "Description", "Timeout", "MemorySize")
    response = {_small(key): configuration[key] for key in kept if key in configuration}
    return response | {
        "functionArn": f"{function.arn}:1" if publish else function.arn,
        "version": "1" if publish else "$LATEST",
        "codeSha256": configuration["CodeSha256"],
        "lastModified": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "packageType": configuration.get("PackageType", "Zip"),
        "architectures": configuration.get("Architectures", ["x86_64"]),
        "revisionId": str(uuid.uuid4()),
        "tracingConfig": {"mode": "PassThrough"},
        "ephemeralStorage": {"size": 512},
        "snapStart": {"applyOn": "None", "optimizationStatus": "Off"},
        "loggingConfig": {"logFormat": "Text", "logGroup": f"/aws/lambda/{configuration['FunctionName']}"},
    }


def _small(key: str) -> str:
    return key[0].lower() + key[1:]


def _deployer(account: str, at: datetime) -> dict[str, Any]:
    """A session of a deployment role, as `userIdentity` shows it."""
    return {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLE123:release-1734",
        "arn": f"arn:aws:sts::{account}:assumed-role/deployer/release-1734",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLEEXAMPLE12",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLE123",
                "arn": f"arn:aws:iam::{account}:role/deployer",
                "accountId": account,
                "userName": "deployer",
            },
            "attributes": {"creationDate": f"{at:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"},
        },
    }
