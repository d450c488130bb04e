"""What an update of a stack would do, asked of CloudFormation before it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import sleep as _sleep
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_fixed

from infra import stacks
from infra.calls import AwsClient, calling
from infra.rollout.parameters import Declared
from infra.stacks import Stack
from infra.words import one_line
from spoke.aws_errors import error_code
from spoke.errors import Misconfigured, Unavailable

SHELL = "REVIEW_IN_PROGRESS"
"""The state of a stack that has change sets and nothing else."""

HIDDEN = "(not shown)"

_PAUSE = 2.0
_PATIENCE = 600.0
_MAKING = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})
_ABSENT = "ChangeSetNotFound"
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
"""How CloudFormation says that there is nothing to do: only in words (DescribeChangeSet, `StatusReason`)."""


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """One resource that would change.

    Attributes:
        action: `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
        resource: Its logical id.
        type: Such as `AWS::SQS::Queue`.
        replaces: `True`, `False` or `Conditional`; empty where nothing is modified.
    """

    action: str
    resource: str
    type: str
    replaces: str = ""

    @property
    def is_destructive(self) -> bool:
        """Whether what is there is, or may be, taken away."""
        return self.action == "Remove" or self.replaces in {"True", "Conditional"}


@dataclass(frozen=True, kw_only=True)
class ParameterChange:
    """One parameter with a new value; hidden values read `HIDDEN`.

    Attributes:
        name: The parameter's.
        before: None for a stack or parameter that is new.
        after: The value to come.
    """

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class ChangeSet:
    """A change set that CloudFormation has made and not yet run.

    Attributes:
        id: Its ARN.
        stack: The stack's name.
        stack_id: The stack's ARN.
        account: Twelve digits.
        region: Where the stack is.
        is_new: Whether the stack is created by it.
        resources: What would change.
        parameters: What would be set anew.
    """

    id: str
    stack: str
    stack_id: str
    account: str
    region: str
    is_new: bool
    resources: tuple[ResourceChange, ...]
    parameters: tuple[ParameterChange, ...]


def propose(
    client: AwsClient,
    *,
    name: str,
    template: str,
    declared: Mapping[str, Declared],
    given: Mapping[str, str],
    before: Stack | None,
    sleep: Callable[[float], None] = _sleep,
) -> ChangeSet | None:
    """Have CloudFormation make a change set.

    Args:
        client: A boto3 CloudFormation client of the account and region.
        name: The stack's.
        template: The template's text.
        declared: The template's parameters.
        given: The values to set. A parameter that is not named keeps the value that the stack has, or its default.
        before: The stack as it is; None if there is none.
        sleep: How to pause.

    Returns:
        None if nothing would change.

    Raises:
        Misconfigured: CloudFormation refuses it: a value, a permission, the template.
        Throttled, Unavailable: AWS cannot be asked now, or does not finish within ten minutes.
    """
    existing = before if before is not None and before.status != SHELL else None
    kept = {key for key in declared if key not in given and existing is not None and key in existing.parameters}
    arguments = {
        "StackName": name,
        "ChangeSetName": f"scanhub-{uuid4().hex}",
        "ChangeSetType": "CREATE" if existing is None else "UPDATE",
        "TemplateBody": template,
        "Parameters": [
            *({"ParameterKey": key, "ParameterValue": value} for key, value in sorted(given.items())),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Description": "Made by scanhub rollout",
    }
    with calling(f"making a change set for the stack {name}"):
        made = client.create_change_set(**arguments)
        answer = _made(client, made["Id"], name, sleep)
    if answer["Status"] == "FAILED":
        _give_up(client, name, made, answer.get("StatusReason", ""), is_new=existing is None)
        return None
    return ChangeSet(
        id=made["Id"],
        stack=name,
        stack_id=made["StackId"],
        account=made["StackId"].split(":")[4],
        region=made["StackId"].split(":")[3],
        is_new=existing is None,
        resources=tuple(sorted(_resources(client, made["Id"], name), key=lambda one: (one.action, one.resource))),
        parameters=_parameters(declared, given, existing),
    )


def discard(client: AwsClient, change_set: ChangeSet) -> None:
    """Delete the change set and, if there was no stack before, the empty shell of one that it leaves behind.

    Raises:
        Misconfigured: CloudFormation refuses it.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    _delete(client, change_set.stack, change_set.id, change_set.stack_id, is_new=change_set.is_new)


def execute(client: AwsClient, change_set: ChangeSet) -> None:
    """Begin with it; `infra.stacks.finished` waits for the end.

    Raises:
        Misconfigured: CloudFormation refuses it.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"running the change set for the stack {change_set.stack}"):
        client.execute_change_set(ChangeSetName=change_set.id, StackName=change_set.stack_id)


def _made(client: AwsClient, identity: str, stack: str, sleep: Callable[[float], None]) -> dict[str, Any]:
    waiting = Retrying(
        retry=retry_if_result(lambda answer: answer["Status"] in _MAKING),
        wait=wait_fixed(_PAUSE),
        stop=stop_after_attempt(round(_PATIENCE / _PAUSE)),
        sleep=sleep,
    )
    try:
        answer: dict[str, Any] = waiting(client.describe_change_set, ChangeSetName=identity, StackName=stack)
    except RetryError:
        raise Unavailable(f"the change set for the stack {stack} is not made after {_PATIENCE:g} seconds") from None
    return answer


def _give_up(client: AwsClient, name: str, made: Mapping[str, str], reason: str, *, is_new: bool) -> None:
    """Take the failed change set away; it says either that nothing is to be done, or why it cannot be done."""
    _delete(client, name, made["Id"], made["StackId"], is_new=is_new)
    if not any(words in reason for words in _UNCHANGED):
        raise Misconfigured(f"the stack {name} cannot be changed: {one_line(reason) or 'no reason was given'}")


def _delete(client: AwsClient, name: str, identity: str, stack_id: str, *, is_new: bool) -> None:
    with calling(f"deleting the change set for the stack {name}"):
        try:
            client.delete_change_set(ChangeSetName=identity, StackName=stack_id)
        except ClientError as error:
            # CloudFormation has deleted it with all others, since somebody else ran another one meanwhile.
            if error_code(error) != _ABSENT:
                raise
    if not is_new:
        return
    there = stacks.describe(client, stack_id)
    # Somebody else may have made a stack of the shell meanwhile: it must not be deleted under their hands.
    if there is not None and there.status == SHELL:
        with calling(f"deleting the empty stack {name}"):
            client.delete_stack(StackName=stack_id)


def _resources(client: AwsClient, identity: str, stack: str) -> list[ResourceChange]:
    with calling(f"reading the change set for the stack {stack}"):
        pages = client.get_paginator("describe_change_set").paginate(ChangeSetName=identity, StackName=stack)
        changes = [change["ResourceChange"] for page in pages for change in page.get("Changes", [])]
    return [
        ResourceChange(
            action=one["Action"],
            resource=one["LogicalResourceId"],
            type=one["ResourceType"],
            replaces=one.get("Replacement", "") if one["Action"] == "Modify" else "",
        )
        for one in changes
    ]


def _parameters(
    declared: Mapping[str, Declared], given: Mapping[str, str], existing: Stack | None
) -> tuple[ParameterChange, ...]:
    changes = []
    for name, value in sorted(given.items()):
        before = existing.parameters.get(name) if existing is not None else None
        if declared[name].is_hidden:
            # Whether it differs cannot be told: CloudFormation shows no value of it.
            changes.append(ParameterChange(name=name, before=HIDDEN if before is not None else None, after=HIDDEN))
        elif value != before:
            changes.append(ParameterChange(name=name, before=before, after=value))
    return tuple(changes)
