"""One message as SQS delivers it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from hub.message import Message, Source

if TYPE_CHECKING:
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

DELIVERY_ATTRIBUTES: tuple[Literal["ApproximateReceiveCount"], Literal["SentTimestamp"]] = (
    "ApproximateReceiveCount",
    "SentTimestamp",
)
"""What ReceiveMessage must be asked for besides, that `delivered` may read it."""


def delivered(answer: "MessageTypeDef", *, source: Source, received_at: datetime) -> Message:
    """A message out of the answer to ReceiveMessage.

    Args:
        answer: One of its `Messages`.
        source: The queue that it came from, or was parked from.
        received_at: When the answer was there, by the worker's clock (aware, UTC).
    """
    return Message(
        id=answer["MessageId"],
        body=answer["Body"],
        receipt_handle=answer["ReceiptHandle"],
        receive_count=int(answer["Attributes"]["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(answer["Attributes"]["SentTimestamp"]) / 1000, UTC),
        received_at=received_at,
        source=source,
    )
