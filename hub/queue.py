"""One SQS queue and its dead-letter queue."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from botocore.exceptions import ClientError
from tenacity import retry, retry_if_result, stop_after_attempt, wait_random_exponential

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES, parked_attributes
from hub.message import Depth, Message, Parking, Source
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
One = TypeVar("One")


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
        return [*spent, *await self._in_batches(f"extending messages of {self._url}", _tens(live), _handle, change)]

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

        return await self._in_batches(f"deleting messages of {self._url}", _tens(messages), _handle, delete)

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
        return [*too_long, *await self._in_batches(f"sending to {self._url}", _calls(sendable), _entry, send)]

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

    async def _in_batches(
        self, doing: str, batches: Iterator[Sequence[One]], entry: Callable[[One], dict[str, Any]], call: Batch
    ) -> list[One]:
        """Make the `call` for all batches at once; returns what failed.

        Every batch runs, also when another one raises: a heartbeat must not lose the others for it.
        """
        outcomes = await asyncio.gather(
            *(self._one_batch(doing, one, entry, call) for one in batches), return_exceptions=True
        )
        failed: list[One] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            failed += outcome
        return failed

    async def _one_batch(
        self, doing: str, batch: Sequence[One], entry: Callable[[One], dict[str, Any]], call: Batch
    ) -> list[One]:
        pending = dict(enumerate(batch))
        refused: list[One] = []

        @retry(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        async def attempt() -> list[One]:
            """What failed by SQS's own fault and is worth another try."""
            entries = [{"Id": str(number), **entry(one)} for number, one in pending.items()]
            with translated(doing):
                answer = await call(entries)
            faults = {int(fault["Id"]): fault for fault in answer.get("Failed", [])}
            refused.extend(pending[number] for number, fault in faults.items() if fault["SenderFault"])
            for number in list(pending):
                if number not in faults or faults[number]["SenderFault"]:
                    del pending[number]
            return list(pending.values())

        undecided = await attempt()
        return [*refused, *undecided]


def _tens(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(messages), ENTRIES_A_BATCH):
        yield messages[start : start + ENTRIES_A_BATCH]


def _handle(message: Message) -> dict[str, Any]:
    return {"ReceiptHandle": message.receipt_handle}


def _calls(requests: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """As many in a call as it takes: the limit of a message is also that of a whole call (API of SendMessageBatch)."""
    call: list[tuple[str, str]] = []
    size = 0
    for one in requests:
        if call and (len(call) == ENTRIES_A_BATCH or size + _size(one) > MAX_MESSAGE_BYTES):
            yield call
            call, size = [], 0
        call.append(one)
        size += _size(one)
    if call:
        yield call


def _size(request: tuple[str, str]) -> int:
    return len(request[0].encode())


def _entry(request: tuple[str, str]) -> dict[str, Any]:
    body, group = request
    return {"MessageBody": body, "MessageGroupId": group}
