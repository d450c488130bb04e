"""Parked messages given up for good, after it was written down what they were."""

import json
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.dead_letters.holding import Holding
from hub.dead_letters.message import ParkedMessage
from hub.results_bucket import Objects
from spoke.clock import Clock
from spoke.errors import ScanhubError

SCHEMA_VERSION = 1
PREFIX = "operations/dropped/"
_IN_MEMORY = 16 * 1024 * 1024
"""Bytes of a record beyond which it goes to a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What became of a drop.

    Attributes:
        record: The key of the record in the results bucket.
        deleted: Recorded and deleted.
        failed: Recorded, and still parked.
        why: What failed, in one line.
    """

    record: str
    deleted: tuple[ParkedMessage, ...]
    failed: tuple[ParkedMessage, ...] = ()
    why: str = ""


async def drop(
    messages: Sequence[ParkedMessage], holding: Holding, objects: Objects, *, by: str, because: str, clock: Clock
) -> Dropped:
    """Record the messages in one object of JSON lines, then delete them.

    Args:
        messages: At least one.
        holding: In which they are.
        objects: The results bucket.
        by: Who drops them, as AWS knows the caller (an ARN).
        because: Why, in one line; may be empty.
        clock: For the record.

    Raises:
        Throttled, Unavailable, Misconfigured: The record could not be stored; then nothing was deleted.
    """
    now = clock.now().astimezone(UTC)
    key = f"{PREFIX}{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.jsonl"
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as record:
        for one in messages:
            record.write(json.dumps(_entry(one, by=by, because=because, at=now)).encode() + b"\n")
        size = record.tell()
        record.seek(0)
        await objects.put(key, record, size=size, content_type="application/x-ndjson")  # type: ignore[arg-type]  # a file in all but its class
    try:
        undeleted = {one.id for one in await holding.delete(messages)}
    except ScanhubError as error:
        # Which of them are gone is not known; the next look tells.
        return Dropped(record=key, deleted=(), failed=tuple(messages), why=error.text)
    return Dropped(
        record=key,
        deleted=tuple(one for one in messages if one.id not in undeleted),
        failed=tuple(one for one in messages if one.id in undeleted),
        why="SQS did not delete them, or somebody else has them" if undeleted else "",
    )


def _entry(one: ParkedMessage, *, by: str, because: str, at: datetime) -> dict[str, Any]:
    return {
        "schemaVersion": SCHEMA_VERSION,
        "droppedAt": _written(at),
        "droppedBy": by,
        "because": because,
        "queue": one.source.value,
        "messageId": one.id,
        "sentAt": _written(one.message.sent_at),
        "attributes": dict(one.attributes),
        "body": one.message.body,
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
