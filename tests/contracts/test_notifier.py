"""What every notifier does, whichever stands behind it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from aiobotocore.session import AioSession

from hub.notification import Notification
from hub.topic import SnsNotifier
from spoke.errors import Throttled
from tests.hub.samples import FUNCTION
from tests.hub.test_notify import CIRCUIT, FAILED, FOUND
from worker.memory.notifier import MemoryNotifier
from worker.ports import Notifier

Told = tuple[str, str | None, str]
Inbox = Callable[[], Awaitable[list[Told]]]
"""What arrived so far, as (kind, function ARN, reason), in the order of arrival."""


def seen(notification: Notification) -> Told:
    function = notification.function
    return notification.kind.value, str(function) if function is not None else None, notification.reason


@pytest.fixture(params=["memory", "sns"])
async def topic(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Notifier, Inbox]]:
    if request.param == "memory":
        memory = MemoryNotifier()

        async def told() -> list[Told]:
            return [seen(one) for one in memory.told]

        yield memory, told
        return
    session: AioSession = request.getfixturevalue("aws")
    async with session.create_client("sns") as sns, session.create_client("sqs") as sqs:
        topic_arn = (await sns.create_topic(Name="scanhub"))["TopicArn"]
        url = (await sqs.create_queue(QueueName="inbox"))["QueueUrl"]
        named = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        await sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=named["Attributes"]["QueueArn"])

        async def received() -> list[Told]:
            answer = await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            documents = [json.loads(json.loads(one["Body"])["Message"]) for one in answer.get("Messages", [])]
            return [(one["kind"], one["functionArn"], one["reason"]) for one in documents]

        yield SnsNotifier(sns, topic_arn), received


@pytest.mark.parametrize(
    "notification",
    [
        FOUND,
        FAILED,
        replace(FAILED, reason="x" * 1500),
        replace(FOUND, function=replace(FUNCTION, name="f" * 140)),
        replace(FOUND, summary=None),
        CIRCUIT,
    ],
)
async def test_a_notification_arrives(topic: tuple[Notifier, Inbox], notification: Notification) -> None:
    notifier, inbox = topic
    await notifier.notify(notification)
    assert await inbox() == [seen(notification)]


async def test_each_notification_arrives_once(topic: tuple[Notifier, Inbox]) -> None:
    notifier, inbox = topic
    assert await inbox() == []
    await notifier.notify(FOUND)
    await notifier.notify(FAILED)
    assert sorted(await inbox()) == sorted(map(seen, (FOUND, FAILED)))


async def test_the_memory_notifier_can_show_a_fault() -> None:
    async def lose_the_answer(operation: str, *, after: bool) -> None:
        if after:
            raise Throttled(f"{operation} was throttled")

    notifier = MemoryNotifier(lose_the_answer)
    with pytest.raises(Throttled, match="notify was throttled"):
        await notifier.notify(FOUND)
    assert notifier.told == [FOUND]
