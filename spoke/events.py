"""The bodies of the queues' messages: an EventBridge envelope -> `Change`, `Ignored` or `Malformed`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from spoke import timestamps
from spoke.arn import FunctionArn, InvalidArn, is_account, is_region
from spoke.envelope import Faulty, Malformed, MalformedReason, field, label, moment, optional, parsed, shown, text_of
from spoke.snapshot import fingerprint
from spoke.tags import TAG_KEYS

__all__ = [
    "Change",
    "ChangeKind",
    "Ignored",
    "IgnoredReason",
    "Malformed",
    "MalformedReason",
    "Reading",
    "RequestReason",
    "read",
    "scan_request",
]

CLOUDTRAIL = "AWS API Call via CloudTrail"
REQUEST_SOURCE = "scanhub"
REQUEST = "Scan Request"


class ChangeKind(StrEnum):
    """What happened to a function."""

    CREATED = "created"
    CODE_UPDATED = "code_updated"
    CONFIGURATION_UPDATED = "configuration_updated"
    DELETED = "deleted"
    REQUESTED = "requested"


class RequestReason(StrEnum):
    """Why we asked for a scan ourselves."""

    SWEEP = "sweep"
    MANUAL = "manual"
    RESCAN = "rescan"


class IgnoredReason(StrEnum):
    """Why an event asks for nothing."""

    FAILED_CALL = "failed_call"
    DRY_RUN = "dry_run"
    OWN_TAGGING = "own_tagging"
    TAGGING = "tagging"
    VERSION_DELETED = "version_deleted"
    OTHER_CALL = "other_call"
    FOREIGN_SOURCE = "foreign_source"
    FOREIGN_DETAIL_TYPE = "foreign_detail_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a function, or somebody wants it scanned.

    Attributes:
        kind: What happened.
        function: Without qualifier; in a request of our own it may be a published version. Its account may differ from
            the envelope's: whoever acts on it compares them.
        account: The envelope's account.
        region: The envelope's region.
        at: When it happened (aware, UTC); None for a request of our own, whose envelope needs no time.
        event_id: The envelope's id; None for a request of our own.
        fingerprint: Of the function after the change, where the event tells it; else None.
        last_modified: The function's, after the change, where the event tells it (aware, UTC).
        reason: `event`, or the request's `sweep`, `manual` or `rescan`.
        force: Whether a fresh result is to be renewed all the same.
        replay: The name of the archive's replay that brought it; None for an event that comes for the first time.
    """

    kind: ChangeKind
    function: FunctionArn
    account: str
    region: str
    at: datetime | None = None
    event_id: str | None = None
    fingerprint: str | None = None
    last_modified: datetime | None = None
    reason: str = "event"
    force: bool = False
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A sound event that asks for nothing. `detail` is one short line."""

    reason: IgnoredReason
    detail: str = ""


Reading = Change | Ignored | Malformed

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


def read(body: str) -> Reading:
    """What the body of a message says. Never raises.

    Args:
        body: An EventBridge envelope: a CloudTrail record of Lambda, or a request of our own.
    """
    try:
        envelope = parsed(body)
        source = text_of(envelope, "source")
        if source == REQUEST_SOURCE:
            return _request(envelope)
        if source != "aws.lambda":
            return Ignored(IgnoredReason.FOREIGN_SOURCE, shown(source))
        return _cloudtrail(envelope)
    except Faulty as faulty:
        return faulty.fault


def scan_request(function: FunctionArn, *, reason: RequestReason | str, force: bool = False) -> str:
    """The body of a request of our own, as `read` understands it.

    Args:
        function: A function or a published version; an alias or `$LATEST` stands for its function.
        reason: Why.
        force: Whether a fresh result is to be renewed all the same.

    Raises:
        ValueError: `reason` is none of `RequestReason`.
    """
    request = {
        "source": REQUEST_SOURCE,
        "detail-type": REQUEST,
        "account": function.account,
        "region": function.region,
        "detail": {
            "functionArn": str(function.content),
            "reason": RequestReason(reason).value,
            "force": force,
        },
    }
    return json.dumps(request, separators=(",", ":"))


def _request(envelope: dict[str, Any]) -> Reading:
    detail_type = text_of(envelope, "detail-type")
    if detail_type != REQUEST:
        return Ignored(IgnoredReason.FOREIGN_DETAIL_TYPE, shown(detail_type))
    detail = field(envelope, "detail", dict)
    account, region = _where(envelope)
    reason = text_of(detail, "reason", "detail.")
    if reason not in RequestReason.__members__.values():
        raise Faulty(MalformedReason.BAD_REASON, f"detail.reason is {shown(reason)}")
    return Change(
        kind=ChangeKind.REQUESTED,
        function=_complete(text_of(detail, "functionArn", "detail."), "detail.functionArn", account, region).content,
        account=account,
        region=region,
        at=moment(envelope, "time"),
        event_id=label(envelope, "id"),
        reason=reason,
        force=optional(detail, "force", bool, "detail.") or False,
        replay=label(envelope, "replay-name"),
    )


def _cloudtrail(envelope: dict[str, Any]) -> Reading:
    detail_type = text_of(envelope, "detail-type")
    if detail_type != CLOUDTRAIL:
        return Ignored(IgnoredReason.FOREIGN_DETAIL_TYPE, shown(detail_type))
    detail = field(envelope, "detail", dict)
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


def _change(kind: ChangeKind, envelope: dict[str, Any], detail: dict[str, Any]) -> Reading:
    request = optional(detail, "requestParameters", dict, "detail.") or {}
    response = optional(detail, "responseElements", dict, "detail.") or {}
    if request.get("dryRun") is True:
        return Ignored(IgnoredReason.DRY_RUN, "the call changed nothing")
    account, region = _where(envelope)
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


def _where(envelope: dict[str, Any]) -> tuple[str, str]:
    account = text_of(envelope, "account")
    if not is_account(account):
        raise Faulty(MalformedReason.BAD_ACCOUNT, f"account is {shown(account)}, not twelve digits")
    region = text_of(envelope, "region")
    if not is_region(region):
        raise Faulty(MalformedReason.BAD_REGION, f"region is {shown(region)}")
    return account, region


def _function(request: Mapping[str, Any], response: Mapping[str, Any], account: str, region: str) -> FunctionArn:
    # The response's ARN is Lambda's own word; the request holds whatever the caller wrote.
    arn = response.get("functionArn")
    if isinstance(arn, str):
        try:
            return FunctionArn.parse(arn)
        except InvalidArn:
            if request.get("functionName") is None:
                raise Faulty(MalformedReason.BAD_ARN, f"detail.responseElements.functionArn is {shown(arn)}") from None
    path = "detail.requestParameters."
    return _complete(text_of(request, "functionName", path), f"{path}functionName", account, region)


def _complete(text: str, where: str, account: str, region: str) -> FunctionArn:
    try:
        return FunctionArn.complete(text, account=account, region=region)
    except InvalidArn:
        raise Faulty(MalformedReason.BAD_ARN, f"{where} is {shown(text)}") from None


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
