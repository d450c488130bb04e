"""A CloudFormation stack brought up from one of our templates, or brought up to date."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra.calls import AwsClient, calling
from spoke.errors import Misconfigured, Unavailable

TEMPLATES = Path(__file__).resolve().parents[1]
"""Where `hub.yaml` and `spoke.yaml` lie."""

_DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_PATIENCE = 300.0
_PAUSE = 0.5


def bring_up(client: AwsClient, name: str, template: str, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Create the stack, or update it if it is there, and wait until it is done.

    Args:
        client: A boto3 CloudFormation client of the account and region.
        name: The stack's.
        template: A file name in `TEMPLATES`.
        parameters: The template's.

    Returns:
        Its outputs.

    Raises:
        Misconfigured: It failed; with the first reason.
        Unavailable: Nothing answers, or it is not done after five minutes.
    """
    arguments = {
        "StackName": name,
        "TemplateBody": (TEMPLATES / template).read_text("utf-8"),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    with calling(f"deploying the stack {name} of {template}"):
        if _described(client, name) is None:
            client.create_stack(**arguments)
        else:
            _update(client, arguments)
        stack = _finished(client, name)
    if stack["StackStatus"] not in _DONE:
        raise Misconfigured(f"the stack {name} ended as {stack['StackStatus']}: {_first_reason(client, name)}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _described(client: AwsClient, name: str) -> dict[str, Any] | None:
    try:
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return stacks[0]


def _update(client: AwsClient, arguments: dict[str, Any]) -> None:
    try:
        client.update_stack(**arguments)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def _finished(client: AwsClient, name: str) -> dict[str, Any]:
    waiting = Retrying(
        retry=retry_if_result(lambda stack: stack is not None and stack["StackStatus"].endswith("_IN_PROGRESS")),
        wait=wait_fixed(_PAUSE),
        stop=stop_after_delay(_PATIENCE),
    )
    try:
        stack = waiting(lambda: _described(client, name))
    except RetryError:
        raise Unavailable(f"the stack {name} is not done after {_PATIENCE:g} seconds") from None
    if stack is None:
        raise Misconfigured(f"the stack {name} was deleted while it was deployed")
    return stack


def _first_reason(client: AwsClient, name: str) -> str:
    with calling(f"reading the events of the stack {name}"):
        events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failed:
        return "no reason was given"
    first = failed[-1]
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason was given')}"
