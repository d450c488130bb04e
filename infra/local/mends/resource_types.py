"""CloudFormation resource types that moto does not know.

moto 5.2.5 skips a type that it does not know: the stack is complete, the resource does not exist, and a reference to it
is empty. `SKIPPED_BY_MOTO` lists those that our templates need; each is created here by the very call that the API
makes. Any other unknown type fails the stack, so that none vanishes unseen.
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException, ValidationError
from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import SecretsManagerBackend, secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from infra.local.mends.replacement import replaced


class MendedResource:
    """What moto's CloudFormation asks of a resource.

    Args:
        physical_resource_id: What `!Ref` gives.
        attributes: What `!GetAtt` gives.
    """

    type_name: ClassVar[str]
    name_property: ClassVar[str] = ""
    readable: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, physical_resource_id: str, attributes: Mapping[str, str] | None = None) -> None:
        self.physical_resource_id = physical_resource_id
        self.attributes = dict(attributes or {})

    @classmethod
    @abstractmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """Create the resource, or bring an existing one to these properties."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "MendedResource":
        """Moto's call for a new resource."""
        return cls.apply(resource_name, cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "MendedResource",  # noqa: ARG003  # moto's signature
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "MendedResource":
        """Moto's call for a changed resource."""
        return cls.apply(new_resource_name, cloudformation_json["Properties"], account_id, region_name)

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether `!GetAtt` knows it."""
        return attr in cls.readable

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What `!GetAtt` gives."""
        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """At once."""
        return True


class QueuePolicy(MendedResource):
    """The policy of one or more queues."""

    type_name = "AWS::SQS::QueuePolicy"

    @classmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """As SetQueueAttributes does."""
        for url in properties["Queues"]:
            queue = url.rsplit("/", 1)[-1]
            attributes = {"Policy": json.dumps(properties["PolicyDocument"])}
            sqs_backends[account][region].set_queue_attributes(queue, attributes)
        return cls(name)


class EventBusPolicy(MendedResource):
    """One statement of a bus's policy."""

    type_name = "AWS::Events::EventBusPolicy"

    @classmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """As PutPermission with a policy does."""
        statement = {"Sid": properties["StatementId"], **properties["Statement"]}
        bus = events_backends[account][region].describe_event_bus(properties.get("EventBusName", "default"))
        bus.add_policy({"Version": "2012-10-17", "Statement": [statement]})
        return cls(name)


class BucketPolicy(MendedResource):
    """The policy of a bucket."""

    type_name = "AWS::S3::BucketPolicy"

    @classmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """As PutBucketPolicy does."""
        buckets = s3_backends[account][get_partition(region)]
        buckets.put_bucket_policy(properties["Bucket"], json.dumps(properties["PolicyDocument"]).encode())
        return cls(name)


class TopicPolicy(MendedResource):
    """The policy of one or more topics."""

    type_name = "AWS::SNS::TopicPolicy"

    @classmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """As SetTopicAttributes does."""
        for arn in properties["Topics"]:
            topics = sns_backends[account][region]
            topics.set_topic_attribute(arn, "_policy_json", properties["PolicyDocument"])
        return cls(name)


class Secret(MendedResource):
    """A secret, empty or with a generated value."""

    type_name = "AWS::SecretsManager::Secret"
    name_property = "Name"
    readable = frozenset({"Id"})

    @classmethod
    def apply(cls, name: str, properties: dict[str, Any], account: str, region: str) -> "MendedResource":
        """As CreateSecret does; the value of a secret that is there already stays."""
        store = secretsmanager_backends[account][region]
        if name not in store.secrets:
            generated = properties.get("GenerateSecretString")
            store.create_secret(
                name=name,
                secret_string=_password(store, generated) if generated is not None else properties.get("SecretString"),
                secret_binary=None,
                description=properties.get("Description"),
                tags=properties.get("Tags"),
                kms_key_id=properties.get("KmsKeyId"),
                client_request_token=None,
                replica_regions=[],
                force_overwrite=False,
            )
        arn = store.describe_secret(name).arn
        return cls(arn, {"Id": arn})


def _password(store: SecretsManagerBackend, wanted: Mapping[str, Any]) -> str:
    answer = store.get_random_password(
        password_length=int(wanted.get("PasswordLength", 32)),
        exclude_characters=wanted.get("ExcludeCharacters", ""),
        exclude_numbers=wanted.get("ExcludeNumbers", False),
        exclude_punctuation=wanted.get("ExcludePunctuation", False),
        exclude_uppercase=wanted.get("ExcludeUppercase", False),
        exclude_lowercase=wanted.get("ExcludeLowercase", False),
        include_space=wanted.get("IncludeSpace", False),
        require_each_included_type=wanted.get("RequireEachIncludedType", True),
    )
    return str(json.loads(answer)["RandomPassword"])


SKIPPED_BY_MOTO: Mapping[str, type[MendedResource]] = {
    kind.type_name: kind for kind in (QueuePolicy, EventBusPolicy, BucketPolicy, TopicPolicy, Secret)
}
"""The types that moto 5.2.5 skips and our templates need."""


@contextmanager
def mended() -> Iterator[None]:
    """CloudFormation creates them too, and refuses what it does not know."""
    known_types = parsing.get_model_map
    known_names = parsing.get_name_type_map
    class_of = parsing.resource_class_from_type

    def with_mended_types() -> dict[str, Any]:
        return {**known_types(), **SKIPPED_BY_MOTO}

    def with_mended_names() -> dict[str, str]:
        return {**known_names(), **{name: kind.name_property for name, kind in SKIPPED_BY_MOTO.items()}}

    def class_or_refusal(resource_type: str) -> object:
        if resource_type in with_mended_types() or resource_type in parsing.NULL_MODELS:
            return class_of(resource_type)
        raise ValidationError(message=f"the embedded cloud cannot create {resource_type}: a mend is missing")

    with ExitStack() as mends:
        mends.enter_context(replaced(parsing, "get_model_map", with_mended_types))
        mends.enter_context(replaced(parsing, "get_name_type_map", with_mended_names))
        mends.enter_context(replaced(parsing, "resource_class_from_type", class_or_refusal))
        yield
