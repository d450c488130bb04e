"""One dead-letter queue in SQS: what lies in it, as somebody reads it who will not scan it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from hub.dead_letters.message import ParkedMessage, read_parked
from hub.delivery import DELIVERY_ATTRIBUTES, delivered
from hub.message import Message, Source
from hub.queue import SqsQueue
from hub.queue_batches import ENTRIES_A_BATCH, tens
from spoke.aws_errors import translated
from spoke.clock import Clock
from spoke.errors import ScanhubError

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

log = structlog.get_logger()

VISIBILITY = timedelta(minutes=5)
"""For so long others do not see what was received; renewed. After a kill they see it again by then."""


class DeadLetters:
    """One dead-letter queue in SQS.

    Args:
        client: Of the hub's account.
        url: The dead-letter queue's.
        source: The queue whose messages are parked here.
        clock: Tells when a message was received.
        visibility: For how long what was received stays invisible to others unless it is extended.
    """

    def __init__(
        self, client: "SQSClient", *, url: str, source: Source, clock: Clock, visibility: timedelta = VISIBILITY
    ) -> None:
        self._client = client
        self._url = url
        self._clock = clock
        self.source = source
        self.visibility = visibility
        # A queue like any other one, for what does not concern the attributes; nothing is parked from it.
        self._queue = SqsQueue(client, url=url, dlq_url=url, source=source, clock=clock, visibility=visibility)

    async def in_flight(self) -> int:
        """About how many messages somebody holds at the moment.

        Raises:
            Misconfigured: The queue is not there, or may not be read.
        """
        return (await self._queue.depth()).in_flight

    async def receive(self, *, wait: int) -> Sequence[ParkedMessage]:
        """Up to ten messages, with all their attributes; waits up to `wait` seconds for the first.

        Raises:
            Misconfigured: The queue is not there, or may not be read.
        """
        with translated(f"receiving from {self._url}"):
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=ENTRIES_A_BATCH,
                WaitTimeSeconds=wait,
                VisibilityTimeout=int(self.visibility.total_seconds()),
                MessageSystemAttributeNames=list(DELIVERY_ATTRIBUTES),
                MessageAttributeNames=["All"],
            )
        received_at = self._clock.now()
        return [
            read_parked(
                delivered(one, source=self.source, received_at=received_at),
                {name: value.get("StringValue", "") for name, value in one.get("MessageAttributes", {}).items()},
            )
            for one in answer.get("Messages", [])
        ]

    async def extend(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Keep them invisible to others for another while, within SQS's 12 hours; returns those that failed."""
        return await self._queue.extend(messages, self.visibility)

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Delete them for good; returns those for which that failed."""
        return await self._queue.delete(messages)

    async def release(self, messages: Sequence[Message]) -> None:
        """Show them to others again, at once. What fails is shown when its visibility ends."""
        answers = await asyncio.gather(*(self._release(ten) for ten in tens(messages)), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, ScanhubError):
                log.warning("parked messages not released", reason=answer.text, visible_within=str(self.visibility))
            elif isinstance(answer, BaseException):
                raise answer

    async def _release(self, messages: Sequence[Message]) -> None:
        with translated(f"releasing messages of {self._url}"):
            await self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": one.receipt_handle, "VisibilityTimeout": 0}
                    for number, one in enumerate(messages)
                ],
            )
