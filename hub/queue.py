"""One SQS queue and its dead-letter queue."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_result, stop_after_attempt, wait_random_exponential

from hub.message import Depth, Message, Parking, Source
from hub.parked import parked_attributes
from spoke.aws_errors import error_code, translated
from spoke.clock import Clock

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

log = structlog.get_logger()

ENTRIES_A_BATCH = 10
"""SQS takes so many entries in one call, and gives so many messages (SQS quotas)."""

MAX_WAIT_SECONDS = 20
"""The longest long poll (SQS quotas)."""

_NOT_OURS = frozenset({"MessageNotInflight", "ReceiptHandleIsInvalid"})

Batch = Callable[[list[dict[str, Any]]], Awaitable[Mapping[str, Any]]]


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
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        received_at = self._clock.now()
        return [
            Message(
                id=one["MessageId"],
                body=one["Body"],
                receipt_handle=one["ReceiptHandle"],
                receive_count=int(one["Attributes"]["ApproximateReceiveCount"]),
                sent_at=datetime.fromtimestamp(int(one["Attributes"]["SentTimestamp"]) / 1000, UTC),
                received_at=received_at,
                source=self._source,
            )
            for one in answer.get("Messages", [])
        ]

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
        return [*spent, *await self._in_batches(f"extending messages of {self._url}", live, change)]

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

        return await self._in_batches(f"deleting messages of {self._url}", messages, delete)

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

    async def depth(self) -> Depth:
        """How much lies in it, about."""
        return await self._depth(self._url)

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

    async def _in_batches(self, doing: str, messages: Sequence[Message], batch: Batch) -> list[Message]:
        """Run `batch` over tens at once; returns the messages of failed entries.

        Every batch runs, also when another one raises: a heartbeat must not lose the others for it.
        """
        batches = [messages[start : start + ENTRIES_A_BATCH] for start in range(0, len(messages), ENTRIES_A_BATCH)]
        outcomes = await asyncio.gather(
            *(self._one_batch(doing, one, batch) for one in batches), return_exceptions=True
        )
        failed: list[Message] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            failed += outcome
        return failed

    async def _one_batch(self, doing: str, messages: Sequence[Message], batch: Batch) -> list[Message]:
        pending = dict(enumerate(messages))
        refused: list[Message] = []

        @retry(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        async def attempt() -> list[Message]:
            """What failed by SQS's own fault and is worth another try."""
            entries = [{"Id": str(number), "ReceiptHandle": one.receipt_handle} for number, one in pending.items()]
            with translated(doing):
                answer = await batch(entries)
            faults = {int(fault["Id"]): fault for fault in answer.get("Failed", [])}
            refused.extend(pending[number] for number, fault in faults.items() if fault["SenderFault"])
            for number in list(pending):
                if number not in faults or faults[number]["SenderFault"]:
                    del pending[number]
            return list(pending.values())

        undecided = await attempt()
        return [*refused, *undecided]
