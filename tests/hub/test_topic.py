import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import AioSession

from hub import notify
from hub.notification import Notification
from hub.topic import Silence, SnsNotifier
from spoke.errors import Misconfigured
from tests.hub.test_notify import CIRCUIT, FAILED, FOUND

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient


@pytest.fixture
async def sns(aws: AioSession) -> AsyncIterator["SNSClient"]:
    async with aws.create_client("sns") as client:
        yield client


@pytest.mark.parametrize("notification", [FOUND, CIRCUIT], ids=["found", "circuit"])
async def test_a_queue_gets_the_document_with_the_attributes(
    aws: AioSession, sns: "SNSClient", notification: Notification
) -> None:
    topic = (await sns.create_topic(Name="scanhub"))["TopicArn"]
    async with aws.create_client("sqs") as sqs:
        url = (await sqs.create_queue(QueueName="told"))["QueueUrl"]
        named = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        await sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=named["Attributes"]["QueueArn"])
        await SnsNotifier(sns, topic).notify(notification)
        (message,) = (await sqs.receive_message(QueueUrl=url))["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == notify.subject(notification)
    assert json.loads(envelope["Message"]) == notify.document(notification)
    told = {name: one["Value"] for name, one in envelope["MessageAttributes"].items()}
    assert told == notify.attributes(notification)


async def test_a_topic_that_does_not_exist_is_told_in_one_line(sns: "SNSClient") -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:absent"
    with pytest.raises(Misconfigured, match=f"publishing to {topic}") as error:
        await SnsNotifier(sns, topic).notify(FAILED)
    assert "\n" not in error.value.text


async def test_silence_tells_nobody() -> None:
    await Silence().notify(FOUND)
