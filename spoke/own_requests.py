"""Requests of our own for a scan: how they are written, and how they are read again."""

import json
from enum import StrEnum
from typing import Any

from spoke.arn import FunctionArn
from spoke.changes import Change, ChangeKind
from spoke.envelope import Faulty, MalformedReason, function_of, label, moment, optional, place_of, shown, text_of

SOURCE = "scanhub"
DETAIL_TYPE = "Scan Request"


class RequestReason(StrEnum):
    """Why we asked for a scan ourselves."""

    SWEEP = "sweep"
    MANUAL = "manual"
    RESCAN = "rescan"


def scan_request(function: FunctionArn, *, reason: RequestReason | str, force: bool = False) -> str:
    """The body of a request of our own, as `spoke.events.read` understands it.

    Args:
        function: A function or a published version; an alias or `$LATEST` stands for its function.
        reason: Why.
        force: Whether a fresh result is to be renewed all the same.

    Raises:
        ValueError: `reason` is none of `RequestReason`.
    """
    request = {
        "source": SOURCE,
        "detail-type": DETAIL_TYPE,
        "account": function.account,
        "region": function.region,
        "detail": {
            "functionArn": str(function.content),
            "reason": RequestReason(reason).value,
            "force": force,
        },
    }
    return json.dumps(request, separators=(",", ":"))


def read(envelope: dict[str, Any], detail: dict[str, Any]) -> Change:
    """What a request of our own asks for.

    Raises:
        Faulty: It cannot be read.
    """
    account, region = place_of(envelope)
    reason = text_of(detail, "reason", "detail.")
    if reason not in RequestReason.__members__.values():
        raise Faulty(MalformedReason.BAD_REASON, f"detail.reason is {shown(reason)}")
    return Change(
        kind=ChangeKind.REQUESTED,
        function=function_of(detail, "functionArn", "detail.", account=account, region=region).content,
        account=account,
        region=region,
        at=moment(envelope, "time"),
        event_id=label(envelope, "id"),
        reason=reason,
        force=optional(detail, "force", bool, "detail.") or False,
        replay=label(envelope, "replay-name"),
    )
