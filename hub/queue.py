"""One SQS queue and its dead-letter queue."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from botocore.exceptions import ClientError

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES, parked_attributes
from hub.delivery import DELIVERY_ATTRIBUTES, delivered
from hub.message import Depth, Message, Parking, Source
from hub.queue_batches import ENTRIES_A_BATCH, in_batches, sized, tens
from spoke.aws_errors import error_code, translated
from spoke.clock import Clock

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

log = structlog.get_logger()

MAX_WAIT_SECONDS = 20
"""The longest long poll (SQS quotas)."""

_NOT_OURS = frozenset({"MessageNotInflight", "ReceiptHandleIsInvalid"})


class SqsQueue:
    """One SQS standard queue and its dead-letter queue.

    Args:
        client: Of the hub's account.
        url: The queue's.
        dlq_url: The dead-letter queue's.
        source: Which of the two queues this is.
        clock: Tells when a message was received, and what is left of its 12 hours.
        visibility: For how long a received message stays invisible to others unless it is extended.
    """

    def __init__(
        self, client: "SQSClient", *, url: str, dlq_url: str, source: Source, clock: Clock, visibility: timedelta
    ) -> None:
        self._client = client
        self._url = url
        self._dlq_url = dlq_url
        self._source = source
        self._clock = clock
        self._visibility = visibility

    @property
    def source(self) -> Source:
        """Which of the two queues this is."""
        return self._source

    async def check(self) -> None:
        """Ask both queues one cheap question.

        Raises:
            Misconfigured: One is not there, or may not be read.
            Unavailable: The endpoint does not answer.
        """
        await self._depth(self._url)
        await self._depth(self._dlq_url)

    async def receive(self, limit: int, *, wait: float) -> Sequence[Message]:
        """Up to `limit` (1-10) messages; waits up to `wait` seconds (0-20) for the first.

        An empty answer may come early. Cancelling closes the connection: SQS then keeps what it has not sent yet.
        """
        with translated(f"receiving from {self._url}"):
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, ENTRIES_A_BATCH),
                # Rounded up: a wait of zero is a short poll, which asks only some of SQS's servers.
                WaitTimeSeconds=min(math.ceil(wait), MAX_WAIT_SECONDS),
                VisibilityTimeout=int(self._visibility.total_seconds()),
                MessageSystemAttributeNames=list(DELIVERY_ATTRIBUTES),
            )
        received_at = self._clock.now()
        return [delivered(one, source=self._source, received_at=received_at) for one in answer.get("Messages", [])]

    async def extend(self, messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
        """Keep them invisible for `visibility` from now, within the 12 hours of each; returns those that failed."""
        now = self._clock.now()
        seconds = {message.receipt_handle: message.visibility(visibility, now) for message in messages}
        spent = [message for message in messages if not seconds[message.receipt_handle]]

        async def change(entries: list[dict[str, Any]]) -> Mapping[str, Any]:
            timed = [{**entry, "VisibilityTimeout": seconds[entry["ReceiptHandle"]]} for entry in entries]
            answer = await self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=timed)  # type: ignore[arg-type]  # built as plain dicts
            return dict(answer)

        live = [message for message in messages if seconds[message.receipt_handle]]
        return [*spent, *await in_batches(f"extending messages of {self._url}", tens(live), _handle, change)]

    async def give_back(self, message: Message, delay: timedelta) -> None:
        """Let it come again after `delay`, within its 12 hours. One that is not ours any more is not an error."""
        with translated(f"giving a message back to {self._url}"):
            try:
                await self._client.change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=message.receipt_handle,
                    VisibilityTimeout=message.visibility(delay, self._clock.now()),
                )
            except ClientError as error:
                # SQS's older protocol puts a namespace before the name: AWS.SimpleQueueService.MessageNotInflight.
                if error_code(error).rpartition(".")[2] not in _NOT_OURS:
                    raise

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Delete them; returns those for which that failed, also for an invalid handle."""

        async def delete(entries: list[dict[str, Any]]) -> Mapping[str, Any]:
            answer = await self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]  # built as plain dicts
            return dict(answer)

        return await in_batches(f"deleting messages of {self._url}", tens(messages), _handle, delete)

    async def park(self, message: Message, parking: Parking) -> None:
        """Send it to the dead-letter queue, then delete it here. Ended in between, it is there twice, never lost."""
        with translated(f"parking a message in {self._dlq_url}"):
            await self._client.send_message(
                QueueUrl=self._dlq_url,
                MessageBody=message.body,
                MessageAttributes=parked_attributes(message.body, parking),
            )
        if await self.delete([message]):
            log.warning("parked message not deleted", message_id=message.id, consequence="it comes once more")

    async def send(self, body: str, *, group: str) -> None:
        """Put a body of our own into the queue. On a standard queue the group makes it fair: one per account."""
        with translated(f"sending to {self._url}"):
            await self._client.send_message(QueueUrl=self._url, MessageBody=body, MessageGroupId=group)

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Put (body, group) pairs into the queue, ten and 1 MiB in a call.

        Returns:
            Those that were not taken: SQS refused them, failed at them three times, or they are too long for it.

        Raises:
            Throttled, Unavailable: A whole call failed; what other calls sent is in the queue all the same.
        """

        async def send(entries: list[dict[str, Any]]) -> Mapping[str, Any]:
            answer = await self._client.send_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]  # built as plain dicts
            return dict(answer)

        too_long = [one for one in requests if _size(one) > MAX_MESSAGE_BYTES]
        sendable = [one for one in requests if _size(one) <= MAX_MESSAGE_BYTES]
        # The limit of a message is also that of a whole call (API of SendMessageBatch).
        calls = sized(sendable, _size, MAX_MESSAGE_BYTES)
        return [*too_long, *await in_batches(f"sending to {self._url}", calls, _entry, send)]

    async def depth(self) -> Depth:
        """How much lies in it, about."""
        return await self._depth(self._url)

    async def parked(self) -> int:
        """How many messages lie in the dead-letter queue, about, whoever holds them."""
        depth = await self._depth(self._dlq_url)
        return depth.visible + depth.in_flight + depth.delayed

    async def _depth(self, url: str) -> Depth:
        with translated(f"reading the attributes of {url}"):
            answer = await self._client.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        figures = answer["Attributes"]
        return Depth(
            visible=int(figures["ApproximateNumberOfMessages"]),
            in_flight=int(figures["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(figures["ApproximateNumberOfMessagesDelayed"]),
        )


def _handle(message: Message) -> dict[str, Any]:
    return {"ReceiptHandle": message.receipt_handle}


def _size(request: tuple[str, str]) -> int:
    return len(request[0].encode())


def _entry(request: tuple[str, str]) -> dict[str, Any]:
    body, group = request
    return {"MessageBody": body, "MessageGroupId": group}
