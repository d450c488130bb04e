"""A CloudFormation stack brought up from one of our templates, or brought up to date, without asking anybody."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra import stacks
from infra.calls import AwsClient, calling
from infra.stacks import DONE, TEMPLATES, template_text
from spoke.errors import Misconfigured

__all__ = ["TEMPLATES", "bring_up"]

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
        "TemplateBody": template_text(template),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    with calling(f"deploying the stack {name} of {template}"):
        if stacks.describe(client, name) is None:
            client.create_stack(**arguments)
        else:
            _update(client, arguments)
    stack = stacks.finished(client, name, patience=_PATIENCE, pause=_PAUSE)
    if stack is None:
        raise Misconfigured(f"the stack {name} was deleted while it was deployed")
    if stack.status not in DONE:
        reason = stacks.first_failure(client, stack.id) or "no reason was given"
        raise Misconfigured(f"the stack {name} ended as {stack.status}: {reason}")
    return stack.outputs


def _update(client: AwsClient, arguments: dict[str, Any]) -> None:
    try:
        client.update_stack(**arguments)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
