"""Dead-letter queues in moto, filled as a worker fills them, and what lies in them in memory."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiobotocore.session import AioSession

from hub.dead_letters.attributes import parked_attributes
from hub.dead_letters.message import ParkedMessage, read_parked
from hub.dead_letters.queue import DeadLetters
from hub.message import Message, Parking, Source
from hub.queue import SqsQueue
from hub.tries import Failure
from spoke.clock import SystemClock
from tests.conftest import REGION
from worker.memory.clock import START

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

ACCOUNT = "210987654321"
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:checkout-api"


def change(name: str = "checkout-api", account: str = ACCOUNT) -> str:
    """A change as EventBridge puts it into the queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "8b6d6d0e-7d0f-4d0c-a7f5-9d4c2f3f0b2e",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.lambda",
            "account": account,
            "time": "2026-11-20T10:11:12Z",
            "region": "eu-central-1",
            "detail": {
                "eventSource": "lambda.amazonaws.com",
                "eventTime": "2026-11-20T10:11:12Z",
                "eventName": "UpdateFunctionCode20150331v2",
                "requestParameters": {"functionName": name},
            },
        }
    )


def parking(
    reason: str = "scanner_crashed", *, function: str = FUNCTION, at: datetime = START, detail: str = "exit 2"
) -> Parking:
    """Why it was parked, as the worker says it."""
    return Parking(reason, detail, function, 2, at, (Failure(1, "scanner_crashed", "exit 2", at),))


def attributes(body: str, why: Parking) -> dict[str, str]:
    """The attributes as they come back."""
    return {name: value.get("StringValue", "") for name, value in parked_attributes(body, why).items()}


def parked(
    number: int = 1,
    reason: str = "scanner_crashed",
    *,
    body: str | None = None,
    function: str = FUNCTION,
    at: datetime | None = None,
    source: Source = Source.CHANGES,
    told: Mapping[str, str] | None = None,
) -> ParkedMessage:
    """One as it was received; `told` replaces its attributes."""
    body = change() if body is None else body
    at = at or START + timedelta(minutes=number)
    message = Message(
        id=f"{number:08x}-5426-4ff6-9120-cf1fd237f90d",
        body=body,
        receipt_handle=f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number}",
        receive_count=1,
        sent_at=START + timedelta(minutes=number),
        received_at=START + timedelta(hours=1),
        source=source,
    )
    why = attributes(body, parking(reason, function=function, at=at)) if told is None else told
    return read_parked(message, why)


class DlqRig:
    """One queue and its dead-letter queue in moto."""

    def __init__(self, client: "SQSClient", url: str, dlq_url: str, source: Source) -> None:
        self.client = client
        self.url = url
        self.dlq_url = dlq_url
        self.source = source
        self.clock = SystemClock()

    @property
    def queue(self) -> SqsQueue:
        """Where messages were parked from."""
        return SqsQueue(
            self.client,
            url=self.url,
            dlq_url=self.dlq_url,
            source=self.source,
            clock=self.clock,
            visibility=timedelta(minutes=2),
        )

    @property
    def dead_letters(self) -> DeadLetters:
        """Where they lie."""
        return DeadLetters(self.client, url=self.dlq_url, source=self.source, clock=self.clock)

    async def park(self, body: str, why: Parking | None) -> str:
        """Put a message there as a worker does, or without a word as SQS does; returns its id."""
        told: Any = parked_attributes(body, why) if why is not None else {}
        answer = await self.client.send_message(QueueUrl=self.dlq_url, MessageBody=body, MessageAttributes=told)
        return answer["MessageId"]

    async def visible(self, url: str | None = None) -> int:
        """How many messages others can see in the dead-letter queue, or in another one."""
        answer = await self.client.get_queue_attributes(
            QueueUrl=url or self.dlq_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    async def sent(self) -> list[tuple[str, str | None]]:
        """Body and group of what lies in the queue itself, in the order of sending."""
        answer = await self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
        )
        found = answer.get("Messages", [])
        found.sort(key=lambda one: int(one["Attributes"]["SentTimestamp"]))
        return [(one["Body"], one["Attributes"].get("MessageGroupId")) for one in found]


@asynccontextmanager
async def dlq_rig(session: AioSession, source: Source = Source.CHANGES) -> AsyncIterator[DlqRig]:
    """Two empty standard queues."""
    async with session.create_client("sqs", region_name=REGION) as client:
        url = (await client.create_queue(QueueName=f"scanhub-{source}"))["QueueUrl"]
        dlq_url = (await client.create_queue(QueueName=f"scanhub-{source}-dlq"))["QueueUrl"]
        yield DlqRig(client, url, dlq_url, source)
