"""Lambda's calls as CloudTrail records them and EventBridge delivers them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from spoke import timestamps
from spoke.arn import FunctionArn, InvalidArn
from spoke.changes import Change, ChangeKind, Ignored, IgnoredReason
from spoke.envelope import Faulty, MalformedReason, function_of, label, moment, optional, place_of, shown, text_of
from spoke.snapshot import fingerprint
from spoke.tags import TAG_KEYS

SOURCE = "aws.lambda"
DETAIL_TYPE = "AWS API Call via CloudTrail"

_KINDS = {
    "CreateFunction": ChangeKind.CREATED,
    "UpdateFunctionCode": ChangeKind.CODE_UPDATED,
    "UpdateFunctionConfiguration": ChangeKind.CONFIGURATION_UPDATED,
    "DeleteFunction": ChangeKind.DELETED,
}
# Lambda's names in CloudTrail carry the API's date and version, or not: `UpdateFunctionCode20150331v2`.
_EVENT_NAME = re.compile(r"([A-Za-z]+)(?:\d{8}(?:v\d+)?)?", re.ASCII)
# base64 of a SHA-256 (zip), or its hexadecimal digits (image)
_CODE_SHA256 = re.compile(r"[A-Za-z0-9+/]{43}=|[0-9a-f]{64}")
_LAYER = re.compile(r"arn:[!-~]{1,2044}")


def read(envelope: dict[str, Any], detail: dict[str, Any]) -> Change | Ignored:
    """What CloudTrail's record of a call tells.

    Raises:
        Faulty: It cannot be read.
    """
    event_source = optional(detail, "eventSource", str, "detail.")
    if event_source not in {None, "lambda.amazonaws.com"}:
        return Ignored(IgnoredReason.FOREIGN_SOURCE, shown(event_source))
    event_name = text_of(detail, "eventName", "detail.")
    if detail.get("errorCode") is not None:
        return Ignored(IgnoredReason.FAILED_CALL, f"{shown(event_name)}: {shown(detail['errorCode'])}")
    match = _EVENT_NAME.fullmatch(event_name)
    call = match[1] if match is not None else event_name
    if call in {"TagResource", "UntagResource"}:
        return Ignored(IgnoredReason.OWN_TAGGING if _is_own_tagging(detail) else IgnoredReason.TAGGING, call)
    kind = _KINDS.get(call)
    if kind is None:
        return Ignored(IgnoredReason.OTHER_CALL, shown(event_name))
    return _change(kind, envelope, detail)


def _change(kind: ChangeKind, envelope: dict[str, Any], detail: dict[str, Any]) -> Change | Ignored:
    request = optional(detail, "requestParameters", dict, "detail.") or {}
    response = optional(detail, "responseElements", dict, "detail.") or {}
    if request.get("dryRun") is True:
        return Ignored(IgnoredReason.DRY_RUN, "the call changed nothing")
    account, region = place_of(envelope)
    at = moment(detail, "eventTime", "detail.") or moment(envelope, "time")
    if at is None:
        raise Faulty(MalformedReason.MISSING_FIELD, "neither detail.eventTime nor time is there")
    function = _function(request, response, account, region)
    if kind is ChangeKind.DELETED and (function.qualifier is not None or request.get("qualifier") is not None):
        return Ignored(IgnoredReason.VERSION_DELETED, "one version was deleted, not the function")
    return Change(
        kind=kind,
        function=function.unqualified,
        account=account,
        region=region,
        at=at,
        event_id=label(envelope, "id"),
        fingerprint=_fingerprint(response),
        last_modified=_last_modified(response),
        replay=label(envelope, "replay-name"),
    )


def _function(request: Mapping[str, Any], response: Mapping[str, Any], account: str, region: str) -> FunctionArn:
    # The response's ARN is Lambda's own word; the request holds whatever the caller wrote.
    arn = response.get("functionArn")
    if isinstance(arn, str):
        try:
            return FunctionArn.parse(arn)
        except InvalidArn:
            if request.get("functionName") is None:
                raise Faulty(MalformedReason.BAD_ARN, f"detail.responseElements.functionArn is {shown(arn)}") from None
    return function_of(request, "functionName", "detail.requestParameters.", account=account, region=region)


def _fingerprint(response: Mapping[str, Any]) -> str | None:
    """A hint that spares a call; anything odd gives none, since GetFunction tells the truth later."""
    code = response.get("codeSha256")
    if not isinstance(code, str) or _CODE_SHA256.fullmatch(code) is None:
        return None
    layers = response.get("layers")
    if layers is None:
        layers = []
    if not isinstance(layers, list):
        return None
    arns = [_layer(layer) for layer in layers]
    known = [arn for arn in arns if arn is not None]
    return fingerprint(code, known) if len(known) == len(arns) else None


def _layer(layer: object) -> str | None:
    """Its ARN, alone as in requests or in an object as in responses."""
    arn = layer.get("arn") if isinstance(layer, dict) else layer
    return arn if isinstance(arn, str) and _LAYER.fullmatch(arn) else None


def _last_modified(response: Mapping[str, Any]) -> datetime | None:
    text = response.get("lastModified")
    try:
        return timestamps.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _is_own_tagging(detail: Mapping[str, Any]) -> bool:
    request = detail.get("requestParameters")
    if not isinstance(request, dict):
        return False
    keys = request.get("tags") or request.get("tagKeys")
    return isinstance(keys, (dict, list)) and all(isinstance(key, str) and key in TAG_KEYS for key in keys)
