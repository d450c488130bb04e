"""Functions published to a local cloud, as those of a member account are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra.calls import AwsClient, calling
from infra.local.deployment import Deployment
from spoke.errors import Unavailable

PENDING = {"Pending", "InProgress"}
"""`State` or `LastUpdateStatus` of a function that is being created or updated."""

SETTLE_PAUSE = 0.5
SETTLE_PATIENCE = 60.0
"""Seconds between two looks at a function that is being created or updated, and in all."""

FUNCTION_ROLE = "scanhub-sample-function"


class FunctionSpec(Protocol):
    """A function to publish. `account` and `region` are taken modulo the number of spokes and regions deployed."""

    @property
    def name(self) -> str:
        """The function's name."""
        ...

    @property
    def account(self) -> int:
        """In which spoke, from 0."""
        ...

    @property
    def region(self) -> int:
        """In which region, from 0."""
        ...

    @property
    def runtime(self) -> str:
        """Such as `python3.12`."""
        ...

    @property
    def handler(self) -> str:
        """Such as `app.handler`."""
        ...

    @property
    def architecture(self) -> str:
        """`x86_64` or `arm64`."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """The function's tags."""
        ...

    def build(self) -> bytes:
        """The zip package."""
        ...


@dataclass(frozen=True, kw_only=True)
class Published:
    """A function that was published.

    Attributes:
        arn: Without qualifier.
        account: Its spoke.
        region: Its region.
        answer: What GetFunction says of it: `Configuration`, `Code`, `Tags`.
    """

    arn: str
    account: str
    region: str
    answer: Mapping[str, Any]


def publish(deployment: Deployment, spec: FunctionSpec) -> Published:
    """Create the function in its spoke, or give an existing one this code and these tags.

    Waits until nothing of it is pending.

    Raises:
        Misconfigured: The local cloud refuses it.
        Unavailable: Nothing answers.
    """
    account = deployment.spokes[spec.account % len(deployment.spokes)]
    region = deployment.regions[spec.region % len(deployment.regions)]
    functions = deployment.client("lambda", account=account, region=region)
    with calling(f"publishing the function {spec.name} in {account}, {region}"):
        role = function_role(deployment.client("iam", account=account, region=region))
        arn = _create_or_update(functions, spec, role)
        answer = _settled(functions, spec.name)
    answer.pop("ResponseMetadata", None)
    return Published(arn=arn, account=account, region=region, answer=answer)


def _settled(functions: AwsClient, name: str) -> dict[str, Any]:
    """What GetFunction says once nothing is pending any more.

    Not once it is active: LocalStack without Docker cannot run a function, and calls it failed; its code can be read.
    """

    def pending(answer: Mapping[str, Any]) -> bool:
        configuration = answer["Configuration"]
        return bool({configuration.get("State"), configuration.get("LastUpdateStatus")} & PENDING)

    waiting = Retrying(
        retry=retry_if_result(pending), wait=wait_fixed(SETTLE_PAUSE), stop=stop_after_delay(SETTLE_PATIENCE)
    )
    try:
        answer: dict[str, Any] = waiting(functions.get_function, FunctionName=name)
    except RetryError:
        raise Unavailable(f"the function {name} is still pending after {SETTLE_PATIENCE} s") from None
    return answer


def _create_or_update(functions: AwsClient, spec: FunctionSpec, role: str) -> str:
    package = spec.build()
    try:
        created = functions.create_function(
            FunctionName=spec.name,
            Runtime=spec.runtime,
            Handler=spec.handler,
            Role=role,
            Architectures=[spec.architecture],
            Code={"ZipFile": package},
            Tags=dict(spec.tags),
        )
        return str(created["FunctionArn"])
    except functions.exceptions.ResourceConflictException:
        updated = functions.update_function_code(FunctionName=spec.name, ZipFile=package)
        arn = str(updated["FunctionArn"])
        if spec.tags:
            functions.tag_resource(Resource=arn, Tags=dict(spec.tags))
        return arn


def function_role(iam: AwsClient) -> str:
    """The ARN of the role by which sample functions run, made where it is missing."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
    try:
        role = iam.create_role(RoleName=FUNCTION_ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName=FUNCTION_ROLE)
    return str(role["Role"]["Arn"])
