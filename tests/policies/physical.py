"""What AWS names the resources of a stack: what `!Ref` and `!GetAtt` give, by their types."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where a template is deployed, and under which name."""

    account: str
    region: str
    partition: str
    name: str

    @property
    def url_suffix(self) -> str:
        """What the host names of the partition end with."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def pseudo(self, name: str) -> str:
        """A pseudo parameter's value, such as that of `AWS::Region`."""
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": self.url_suffix,
            "AWS::StackName": self.name,
        }[name]

    def arn(self, service: str, resource: str, *, is_global: bool = False) -> str:
        """An ARN of this account and region."""
        region = "" if is_global else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"


Physical = tuple[str, Mapping[str, str]]
"""What `!Ref` gives for a resource, and what `!GetAtt` does, attribute by attribute."""


@dataclass(frozen=True)
class Named:
    """One resource of a stack.

    Attributes:
        stack: Where it lies.
        logical_name: Its name in the template.
        value: Gives one of its properties, resolved; None where it is not set.
    """

    stack: Stack
    logical_name: str
    value: Callable[[str], Any]

    @property
    def digits(self) -> str:
        """64 hexadecimal digits that differ from resource to resource, and stay the same from run to run."""
        return hashlib.sha256(f"{self.stack}{self.logical_name}".encode()).hexdigest()

    def name(self, key: str) -> str:
        """What its property says, or what CloudFormation would make up."""
        given = self.value(key)
        made_up = f"{self.stack.name}-{self.logical_name}-{self.digits[:12].upper()}"
        return made_up if given is None else str(given)


def physical(kind: str, named: Named) -> Physical:
    """What AWS names a resource of a type, such as `AWS::SQS::Queue`."""
    return _KINDS[kind](named) if kind in _KINDS else _other(named)


def _key(named: Named) -> Physical:
    digits = named.digits
    key = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
    return key, {"Arn": named.stack.arn("kms", f"key/{key}"), "KeyId": key}


def _queue(named: Named) -> Physical:
    stack, name = named.stack, named.name("QueueName")
    url = f"https://sqs.{stack.region}.{stack.url_suffix}/{stack.account}/{name}"
    return url, {"Arn": stack.arn("sqs", name), "QueueName": name, "QueueUrl": url}


def _topic(named: Named) -> Physical:
    arn = named.stack.arn("sns", named.name("TopicName"))
    return arn, {"TopicArn": arn, "Arn": arn, "TopicName": named.name("TopicName")}


def _bucket(named: Named) -> Physical:
    name = named.name("BucketName").lower()
    return name, {"Arn": f"arn:{named.stack.partition}:s3:::{name}"}


def _secret(named: Named) -> Physical:
    # Secrets Manager ends each name in six characters of its own.
    arn = named.stack.arn("secretsmanager", f"secret:{named.name('Name')}-{named.digits[:6]}")
    return arn, {"Id": arn, "Arn": arn}


def _role(named: Named) -> Physical:
    name = named.name("RoleName")
    arn = named.stack.arn("iam", f"role{named.value('Path') or '/'}{name}", is_global=True)
    return name, {"Arn": arn, "RoleId": f"AROA{named.digits[:17].upper()}"}


def _rule(named: Named) -> Physical:
    bus, name = named.value("EventBusName"), named.name("Name")
    path = name if bus in {None, "default"} else f"{bus}/{name}"
    return path.replace("/", "|"), {"Arn": named.stack.arn("events", f"rule/{path}")}


def _task_definition(named: Named) -> Physical:
    arn = named.stack.arn("ecs", f"task-definition/{named.name('Family')}:1")
    return arn, {"TaskDefinitionArn": arn}


def _by_name(key: str, service: str, arn: str) -> Callable[[Named], Physical]:
    def kind(named: Named) -> Physical:
        name = named.name(key)
        return name, {"Arn": named.stack.arn(service, arn.format(name)), "Name": name}

    return kind


def _other(named: Named) -> Physical:
    """No policy names it; what it is called does not matter."""
    name = named.name("Name")
    return name, {key: f"{name}.{key}" for key in _ATTRIBUTES}


_ATTRIBUTES = ("AllocationId", "Arn", "CidrBlock", "GroupId", "Id", "Name", "VpcId")
_KINDS: Mapping[str, Callable[[Named], Physical]] = {
    "AWS::CloudWatch::Alarm": _by_name("AlarmName", "cloudwatch", "alarm:{}"),
    "AWS::DynamoDB::Table": _by_name("TableName", "dynamodb", "table/{}"),
    "AWS::ECS::Cluster": _by_name("ClusterName", "ecs", "cluster/{}"),
    "AWS::ECS::TaskDefinition": _task_definition,
    "AWS::Events::EventBus": _by_name("Name", "events", "event-bus/{}"),
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _by_name("LogGroupName", "logs", "log-group:{}:*"),
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::SecretsManager::Secret": _secret,
}
