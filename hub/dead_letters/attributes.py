"""The attributes of a parked message, within what SQS admits."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hub.message import Parking
from hub.tries import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_sqs.type_defs import MessageAttributeValueTypeDef

MAX_MESSAGE_BYTES = 1_048_576
"""Body, and the names, types and values of the attributes together (SQS quotas)."""

_NOT_ADMITTED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The complement of what SendMessage documents for text."""

_HEAD_BYTES = 1024
_CUT = "\n[...]\n"
_BETWEEN = ", "


def parked_attributes(body: str, parking: Parking) -> "Mapping[str, MessageAttributeValueTypeDef]":
    """`reason`, `attempts`, `parkedAt`, `functionArn`, `detail` and `history`, the most needed first.

    Beside a body near SQS's limit `detail` is cut in its middle, so that its first line and its end stay, and `history`
    loses its oldest entries; what does not fit at all is left out. So is what is empty, since SQS refuses empty values.
    SQS admits ten attributes.
    """
    room = MAX_MESSAGE_BYTES - len(body.encode())
    attributes: dict[str, MessageAttributeValueTypeDef] = {}
    for name, kind, value in (
        ("reason", "String", parking.reason),
        ("attempts", "Number", str(parking.attempts)),
        ("parkedAt", "String", _moment(parking.at)),
        ("functionArn", "String", parking.function),
        ("detail", "String", parking.detail),
    ):
        overhead = len(name) + len(kind)
        text = _NOT_ADMITTED.sub("\N{REPLACEMENT CHARACTER}", value)
        if name == "detail":
            text = _cut(text, room - overhead)
        size = overhead + len(text.encode())
        if text and size <= room:
            attributes[name] = {"DataType": kind, "StringValue": text}
            room -= size
    history = _history(parking.history, room - len("history") - len("String"))
    if history:
        attributes["history"] = {"DataType": "String", "StringValue": history}
    return attributes


def _history(failures: Sequence[Failure], limit: int) -> str:
    """A JSON list of the newest failures that fit into `limit` bytes of UTF-8, oldest first; empty if none does."""
    kept: list[str] = []
    left = limit - len("[]")
    for failure in reversed(failures):
        entry = _NOT_ADMITTED.sub(
            "\N{REPLACEMENT CHARACTER}",
            json.dumps(
                {
                    "attempt": failure.attempt,
                    "reason": failure.reason,
                    "text": failure.text,
                    "at": _moment(failure.at),
                },
                ensure_ascii=False,
            ),
        )
        left -= len(entry.encode()) + (len(_BETWEEN) if kept else 0)
        if left < 0:
            break
        kept.append(entry)
    return f"[{_BETWEEN.join(reversed(kept))}]" if kept else ""


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8: the beginning, a mark, and the end."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    head = min(_HEAD_BYTES, (limit - len(_CUT)) // 2)
    if head <= 0:
        return ""
    tail = limit - len(_CUT) - head
    return raw[:head].decode(errors="ignore") + _CUT + raw[-tail:].decode(errors="ignore")
