"""SQS: queues and their policies.

moto 5.2.5 changes nothing of a queue but its visibility time-out and its wait, and knows no `AWS::SQS::QueuePolicy`.
"""

from typing import Self

from botocore.exceptions import ClientError

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import AlreadyExists, Properties, Resource

_SETTINGS = frozenset({"QueueName", "Tags"})


class Queue(Resource):
    """A queue."""

    type_name = "AWS::SQS::Queue"
    name_property = "QueueName"
    readable = frozenset({"Arn", "QueueName", "QueueUrl"})
    replaced_by = frozenset({"FifoQueue"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateQueue does, which would adopt a queue that is there already."""
        name = name[:80]
        try:
            calls.do("sqs", "get_queue_url", QueueName=name)
        except ClientError:
            pass
        else:
            raise AlreadyExists("Sqs", name)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        calls.do("sqs", "create_queue", QueueName=name, Attributes=_attributes(properties), tags=tags)
        url = f"https://sqs.{calls.region}.amazonaws.com/{calls.account}/{name}"
        return cls(url, {"Arn": calls.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As SetQueueAttributes does."""
        if gone := _attributes(self.properties).keys() - properties.keys():
            raise NotImplementedError(f"the embedded cloud takes no {', '.join(sorted(gone))} away from a queue")
        calls.do("sqs", "set_queue_attributes", QueueUrl=self.physical_resource_id, Attributes=_attributes(properties))

    def remove(self, calls: Calls) -> None:
        """As DeleteQueue does."""
        calls.do("sqs", "delete_queue", QueueUrl=self.physical_resource_id)


class QueuePolicy(Resource):
    """The policy of one or more queues."""

    type_name = "AWS::SQS::QueuePolicy"
    known = frozenset({"PolicyDocument", "Queues"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As SetQueueAttributes does."""
        for url in properties["Queues"]:
            policy = {"Policy": properties["PolicyDocument"]}
            calls.do("sqs", "set_queue_attributes", QueueUrl=url, Attributes=policy)
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As SetQueueAttributes does."""
        gone = [url for url in self.properties["Queues"] if url not in properties["Queues"]]
        self._clear(gone, calls)
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As SetQueueAttributes without a policy does."""
        self._clear(self.properties["Queues"], calls)

    def _clear(self, urls: list[str], calls: Calls) -> None:
        for url in urls:
            calls.do("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": ""})


def _attributes(properties: Properties) -> Properties:
    return {key: value for key, value in properties.items() if key not in _SETTINGS}
