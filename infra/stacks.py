"""One CloudFormation stack: what it says of itself, when it is done, and why it failed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import sleep as _sleep
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt, wait_fixed

from infra.calls import AwsClient, calling
from infra.words import one_line
from spoke.errors import Unavailable

TEMPLATES = Path(__file__).resolve().parent
"""Where the templates lie, in a checkout and in the installed package alike."""

DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""Where a stack stands as its template says."""

_STARTS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
_FOLLOWS = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed")
"""How CloudFormation begins the reasons of what failed only because something else did."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as CloudFormation describes it.

    Attributes:
        id: The ARN, which also names a stack that was deleted.
        name: The name.
        status: Such as `UPDATE_COMPLETE`.
        reason: AWS's words for the status; mostly empty.
        outputs: Its outputs.
        parameters: Its parameters; those that are not echoed read `****`.
        tags: Its own.
        is_protected: Whether it refuses to be deleted.
    """

    id: str
    name: str
    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    is_protected: bool

    @property
    def is_in_progress(self) -> bool:
        """Whether it changes its state by itself."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The first thing that failed: what failed after it failed because of it.

    Attributes:
        resource: Its logical id.
        type: Such as `AWS::IAM::Role`.
        reason: AWS's words, in one line.
    """

    resource: str
    type: str
    reason: str

    def __str__(self) -> str:
        """For a message."""
        return f"{self.resource} ({self.type}): {self.reason}"


def template_text(template: str) -> str:
    """The text of a template of `TEMPLATES`, such as `hub.yaml`."""
    return (TEMPLATES / template).read_text("utf-8")


def describe(client: AwsClient, name: str) -> Stack | None:
    """The stack, or None if there is none (a deleted one is described by its id alone).

    Args:
        client: A boto3 CloudFormation client of the account and region.
        name: The stack's name or id.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"describing the stack {name}"):
        try:
            answer: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
    return Stack(
        id=answer["StackId"],
        name=answer["StackName"],
        status=answer["StackStatus"],
        reason=one_line(answer.get("StackStatusReason")),
        outputs=_mapping(answer.get("Outputs"), "OutputKey", "OutputValue"),
        parameters=_mapping(answer.get("Parameters"), "ParameterKey", "ParameterValue"),
        tags=_mapping(answer.get("Tags"), "Key", "Value"),
        is_protected=bool(answer.get("EnableTerminationProtection")),
    )


def outputs(client: AwsClient, name: str) -> Mapping[str, str] | None:
    """The stack's outputs, or None if there is no such stack.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    stack = describe(client, name)
    return stack.outputs if stack is not None else None


def finished(
    client: AwsClient,
    name: str,
    *,
    patience: float,
    pause: float,
    sleep: Callable[[float], None] = _sleep,
    progress: Callable[[], None] = lambda: None,
    outlasting: tuple[type[Exception], ...] = (),
) -> Stack | None:
    """The stack once it is not in progress any more; None if it is gone by then.

    Args:
        client: A boto3 CloudFormation client of the account and region.
        name: The stack's name or id.
        patience: Seconds to wait at the most.
        pause: Seconds between two looks.
        sleep: How to pause.
        progress: Called at each look.
        outlasting: Errors of a look that do not end the waiting.

    Raises:
        Unavailable: It takes longer; or AWS cannot be asked.
        Misconfigured: The caller may not ask.
    """

    def looked() -> Stack | None:
        stack = describe(client, name)
        progress()
        return stack

    waiting = Retrying(
        retry=retry_if_result(lambda stack: stack is not None and stack.is_in_progress)
        | retry_if_exception_type(outlasting),
        wait=wait_fixed(pause),
        stop=stop_after_attempt(max(1, round(patience / pause))),
        sleep=sleep,
    )
    try:
        return waiting(looked)
    except RetryError:
        raise Unavailable(f"the stack {name} is not done after {patience:g} seconds; it goes on by itself") from None


def events(client: AwsClient, name: str) -> Iterator[dict[str, Any]]:
    """The events of the stack's latest operation, the newest first (`StackEvents` of CloudFormation's API).

    Raises:
        Misconfigured: There is no such stack, or the caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"reading the events of the stack {name}"):
        for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
            for event in page["StackEvents"]:
                yield event
                is_own = event["PhysicalResourceId"] == event["StackId"] if event.get("PhysicalResourceId") else False
                if is_own and event["ResourceStatus"] in _STARTS:
                    return


def first_failure(client: AwsClient, name: str) -> Failure | None:
    """What failed first in the stack's latest operation, or None if nothing did.

    Raises:
        Misconfigured: There is no such stack, or the caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    first: Failure | None = None
    for event in events(client, name):
        reason = one_line(event.get("ResourceStatusReason") or "no reason was given")
        if event["ResourceStatus"].endswith("_FAILED") and not any(word in reason for word in _FOLLOWS):
            first = Failure(resource=event["LogicalResourceId"], type=event["ResourceType"], reason=reason)
    return first


def _mapping(listed: list[dict[str, str]] | None, key: str, value: str) -> Mapping[str, str]:
    return MappingProxyType({one[key]: one.get(value, "") for one in listed or []})
