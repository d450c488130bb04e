"""The SNS topic that people and programs subscribe to."""

from typing import TYPE_CHECKING

from hub import notify
from hub.notification import Notification
from spoke.aws_errors import translated

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient


class SnsNotifier:
    """Publishes to a topic; implements `worker.ports.Notifier`.

    Args:
        client: An aiobotocore SNS client.
        topic_arn: The topic.
    """

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    async def notify(self, notification: Notification) -> None:
        """Publish one message; `hub.notify` has its wording. It is some ten KiB at most, of SNS's 256.

        Raises:
            Throttled, Unavailable: After botocore's own retries.
            Misconfigured: The topic does not exist, or it or its key may not be used.
        """
        with translated(f"publishing to {self._topic_arn}"):
            await self._client.publish(
                TopicArn=self._topic_arn,
                Subject=notify.subject(notification),
                Message=notify.messages(notification),
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in notify.attributes(notification).items()
                },
            )


class Silence:
    """Where no topic is set, nobody is told; implements `worker.ports.Notifier`."""

    async def notify(self, notification: Notification) -> None:
        """Nothing."""
