"""SNS: topics and their policies.

moto 5.2.5 deletes a topic, and who listens to it, to change it, and knows no `AWS::SNS::TopicPolicy`.
"""

from typing import Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import AlreadyExists, Properties, Resource

_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")


class Topic(Resource):
    """A topic."""

    type_name = "AWS::SNS::Topic"
    name_property = "TopicName"
    known = frozenset({"Subscription", "Tags", "TopicName", *_ATTRIBUTES})
    readable = frozenset({"TopicArn", "TopicName"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateTopic, which would adopt a topic that is there already, and Subscribe do."""
        pages = calls.client("sns").get_paginator("list_topics").paginate()
        arn = calls.arn("sns", name)
        if any(topic["TopicArn"] == arn for page in pages for topic in page["Topics"]):
            raise AlreadyExists("Sns", name)
        calls.do("sns", "create_topic", Name=name, Attributes=_attributes(properties), Tags=properties.get("Tags"))
        for one in properties.get("Subscription", []):
            calls.do("sns", "subscribe", TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
        return cls(arn, {"TopicArn": arn, "TopicName": name})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As SetTopicAttributes does."""
        if properties.get("Subscription") != self.properties.get("Subscription"):
            raise NotImplementedError("the embedded cloud changes no Subscription of a topic")
        for name in _ATTRIBUTES:
            if properties.get(name) != self.properties.get(name):
                value = properties.get(name, "")
                arn = self.physical_resource_id
                calls.do("sns", "set_topic_attributes", TopicArn=arn, AttributeName=name, AttributeValue=value)

    def remove(self, calls: Calls) -> None:
        """As DeleteTopic does."""
        calls.do("sns", "delete_topic", TopicArn=self.physical_resource_id)


class TopicPolicy(Resource):
    """The policy of one or more topics."""

    type_name = "AWS::SNS::TopicPolicy"
    known = frozenset({"PolicyDocument", "Topics"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As SetTopicAttributes does."""
        for arn in properties["Topics"]:
            calls.do(
                "sns",
                "set_topic_attributes",
                TopicArn=arn,
                AttributeName="Policy",
                AttributeValue=properties["PolicyDocument"],
            )
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As SetTopicAttributes does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As SetTopicAttributes with AWS's default policy does."""
        for arn in self.properties["Topics"]:
            default = {
                "Version": "2008-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["SNS:Publish", "SNS:Subscribe"],
                        "Resource": arn,
                        "Condition": {"StringEquals": {"AWS:SourceOwner": calls.account}},
                    }
                ],
            }
            calls.do("sns", "set_topic_attributes", TopicArn=arn, AttributeName="Policy", AttributeValue=default)


def _attributes(properties: Properties) -> Properties:
    return {name: properties[name] for name in _ATTRIBUTES if name in properties}
