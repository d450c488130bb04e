"""Message bodies as EventBridge delivers them."""

import json
from datetime import datetime
from typing import Any

from spoke.arn import FunctionArn

CALLS = {
    "create": "CreateFunction20150331",
    "update": "UpdateFunctionCode20150331v2",
    "config": "UpdateFunctionConfiguration20150331v2",
    "delete": "DeleteFunction20150331",
    "tag": "TagResource20170331v2",
}


def event(
    function: FunctionArn,
    call: str,
    *,
    at: datetime,
    code: str | None,
    layers: tuple[str, ...] = (),
    account: str | None = None,
    **detail: Any,
) -> str:
    """A CloudTrail record of Lambda in EventBridge's envelope.

    Args:
        function: Which.
        call: A key of `CALLS`.
        at: When it was made.
        code: `CodeSha256` in the response; None leaves the response out.
        layers: Layer version ARNs.
        account: Of the envelope, if not the function's.
        **detail: Replaces fields of `detail`.
    """
    response: dict[str, Any] | None = None
    if code is not None:
        response = {
            "functionName": function.name,
            "functionArn": str(function),
            "codeSha256": code,
            "lastModified": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000",
            "state": "Active",
            "lastUpdateStatus": "InProgress",
        }
        if layers:
            response["layers"] = [{"arn": arn, "codeSize": 2_811} for arn in layers]
    whose = account or function.account
    return json.dumps(
        {
            "version": "0",
            "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.lambda",
            "account": whose,
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "region": function.region,
            "resources": [],
            "detail": {
                "eventVersion": "1.11",
                "userIdentity": {"type": "AssumedRole", "accountId": whose},
                "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": "lambda.amazonaws.com",
                "eventName": CALLS[call],
                "awsRegion": function.region,
                "requestParameters": {"functionName": function.name},
                "responseElements": response,
                "eventType": "AwsApiCall",
                "recipientAccountId": whose,
            }
            | detail,
        }
    )


def failed_call(function: FunctionArn, *, at: datetime) -> str:
    """An update that Lambda refused: nothing has changed."""
    return event(function, "update", at=at, code=None, errorCode="ResourceConflictException")


def tagging(function: FunctionArn, *, at: datetime, own: bool) -> str:
    """TagResource: scanhub's own write, or somebody else's."""
    key = "QualysScanStatus" if own else "team"
    return event(
        function, "tag", at=at, code=None, requestParameters={"resource": str(function), "tags": {key: "success"}}
    )


def request(function: FunctionArn, *, reason: str, force: bool = False) -> str:
    """A request of scanhub's own."""
    return json.dumps(
        {
            "source": "scanhub",
            "detail-type": "Scan Request",
            "account": function.account,
            "region": function.region,
            "detail": {"functionArn": str(function), "reason": reason, "force": force},
        }
    )


MALFORMED = (
    "",
    "not JSON at all",
    "[]",
    '{"source": "aws.lambda", "detail-type": "AWS API Call via CloudTrail", "account": "210000000001"}',
    (
        '{"source": "scanhub", "detail-type": "Scan Request", "account": "21", "region": "eu-central-1", '
        '"detail": {"functionArn": "payments", "reason": "sweep"}}'
    ),
)
