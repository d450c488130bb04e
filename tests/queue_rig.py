"""A queue under test, in memory or in moto's SQS, whose time passes when told."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from aiobotocore.session import AioSession

from hub.message import Message, Source
from hub.queue import SqsQueue
from tests.conftest import HUB_ACCOUNT, REGION
from worker.memory.clock import ManualClock
from worker.memory.queue import MemoryQueue
from worker.ports import Queue

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

VISIBILITY = timedelta(seconds=120)


def event(name: str = "checkout-api") -> str:
    """A change as EventBridge puts it into the queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "8b6d6d0e-7d0f-4d0c-a7f5-9d4c2f3f0b2e",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.lambda",
            "account": "210987654321",
            "region": "eu-central-1",
            "detail": {"eventName": "UpdateFunctionCode20150331v2", "requestParameters": {"functionName": name}},
        }
    )


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class QueueRig(Protocol):
    queue: Queue
    clock: ManualClock

    def pass_(self, time: timedelta) -> None: ...

    async def dead_letters(self) -> list[tuple[str, Mapping[str, str]]]: ...


class MemoryQueueRig:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.memory = MemoryQueue(source=Source.SWEEP, clock=self.clock, visibility=VISIBILITY)
        self.queue: Queue = self.memory

    def pass_(self, time: timedelta) -> None:
        self.clock.advance(time)

    async def dead_letters(self) -> list[tuple[str, Mapping[str, str]]]:
        return [
            (
                body,
                {
                    "reason": parking.reason,
                    "detail": parking.detail,
                    "functionArn": parking.function,
                    "attempts": str(parking.attempts),
                    "parkedAt": iso(parking.at),
                    "history": json.dumps(
                        [
                            {"attempt": one.attempt, "reason": one.reason, "text": one.text, "at": iso(one.at)}
                            for one in parking.history
                        ]
                    ),
                },
            )
            for body, parking in self.memory.parked
        ]


class SqsRig:
    def __init__(self, client: "SQSClient", url: str, dlq_url: str) -> None:
        self.client = client
        self.url = url
        self.dlq_url = dlq_url
        self.clock = ManualClock(datetime.now(UTC))
        self.queue: Queue = self.sqs()

    def sqs(self, *, url: str | None = None, dlq_url: str | None = None) -> SqsQueue:
        return SqsQueue(
            self.client,
            url=url or self.url,
            dlq_url=dlq_url or self.dlq_url,
            source=Source.SWEEP,
            clock=self.clock,
            visibility=VISIBILITY,
        )

    def pass_(self, time: timedelta) -> None:
        """moto's server runs in this process and on the wall clock: instead of its clock its messages are moved."""
        from moto.sqs.models import sqs_backends  # noqa: PLC0415  # slow to import; only these tests need it

        self.clock.advance(time)
        for message in sqs_backends[HUB_ACCOUNT][REGION].queues["scanhub-sweep"]._messages:
            message.visible_at -= time.total_seconds() * 1000

    async def dead_letters(self) -> list[tuple[str, Mapping[str, str]]]:
        answer = await self.client.receive_message(
            QueueUrl=self.dlq_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [
            (one["Body"], {name: value["StringValue"] for name, value in one["MessageAttributes"].items()})
            for one in answer.get("Messages", [])
        ]


@asynccontextmanager
async def sqs_rig(session: AioSession) -> AsyncIterator[SqsRig]:
    """Two empty standard queues."""
    async with session.create_client("sqs", region_name=REGION) as client:
        url = (await client.create_queue(QueueName="scanhub-sweep"))["QueueUrl"]
        dlq_url = (await client.create_queue(QueueName="scanhub-sweep-dlq"))["QueueUrl"]
        yield SqsRig(client, url, dlq_url)


async def one_message(rig: QueueRig) -> Message:
    """The one message in the queue, received."""
    (message,) = await rig.queue.receive(10, wait=0)
    return message
