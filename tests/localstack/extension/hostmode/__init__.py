"""Four plugins for LocalStack in host mode; they run in LocalStack's own process and virtual environment.

LocalStack finds them by the entry points in the `dist-info` folder beside this package, since the harness puts the
folder that holds both on its `PYTHONPATH`. Three of them mend what a LocalStack without its container lacks; the fourth
lets its CloudFormation read the conditions of our templates. What it creates of them is left as LocalStack has it.
"""

import os
import sys
from functools import wraps
from threading import Thread

from localstack.aws.api.dynamodb import DynamodbApi  # type: ignore[import-not-found]  # in LocalStack's own environment
from localstack.aws.forwarder import HttpFallbackDispatcher  # type: ignore[import-not-found]  # same
from localstack.runtime import hooks  # type: ignore[import-not-found]  # same
from localstack.services.cloudformation.engine import template_utils  # type: ignore[import-not-found]  # same
from localstack.services.lambda_.invocation.plugins import (  # type: ignore[import-not-found]  # same
    RuntimeExecutorPlugin,
)
from localstack.services.plugins import Service  # type: ignore[import-not-found]  # same
from localstack.services.providers import aws_provider  # type: ignore[import-not-found]  # same

DYNAMODB_URL = "HOSTMODE_DYNAMODB_URL"
"""The environment variable that holds the endpoint to which every DynamoDB call is forwarded."""


@aws_provider(api="dynamodb", name="elsewhere")  # type: ignore[untyped-decorator]  # see the imports
def dynamodb() -> Service:
    """DynamoDB that runs elsewhere. LocalStack's own is a Java archive that it would download.

    Tests could reach the other DynamoDB by its endpoint alone; LocalStack's CloudFormation, which must create the
    table of a template, cannot: it calls LocalStack only.
    """
    endpoint = os.environ[DYNAMODB_URL]
    return Service.for_provider(
        DynamodbApi(), dispatch_table_factory=lambda api: HttpFallbackDispatcher(api, lambda *_: endpoint)
    )


class NoExecutor:
    """Prepares a function for nothing: it becomes Active, its code can be read, and it can never be invoked.

    The executor that LocalStack brings downloads a binary and pulls an image for every function, and leaves the
    function in the state Failed where it cannot.
    """

    @classmethod
    def prepare_version(cls, function_version: object) -> None:
        """Needs nothing."""

    @classmethod
    def cleanup_version(cls, function_version: object) -> None:
        """Left nothing behind."""

    @classmethod
    def validate_environment(cls) -> bool:
        """Works everywhere."""
        return True


class NoExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc]  # an untyped base, see the imports
    """Makes `LAMBDA_RUNTIME_EXECUTOR=none` mean `NoExecutor`."""

    name = "none"

    def load(self, *_args: object, **_settings: object) -> type[NoExecutor]:
        """Return the class; LocalStack calls its class methods."""
        return NoExecutor


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # see the imports
def end_with_parent() -> None:
    """End this process when the one that started it is gone: its end of our standard input is then closed.

    A test that runs over its time limit ends pytest without a chance to clean up.
    """

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    Thread(target=watch, name="end-with-parent", daemon=True).start()


@hooks.on_infra_start()  # type: ignore[untyped-decorator]  # see the imports
def split_in_conditions() -> None:
    """Let the conditions of a template use Fn::Split, as they may on AWS.

    LocalStack's older engine ends CreateStack with an internal error there ("Invalid condition structure"), although it
    knows the function everywhere else.
    """
    resolved = template_utils.resolve_condition

    @wraps(resolved)
    def resolve_condition(account: str, region: str, condition: object, *context: object) -> object:
        match condition:
            case {"Fn::Split": [delimiter, source]}:
                return str(template_utils.resolve_condition(account, region, source, *context)).split(delimiter)
        answer: object = resolved(account, region, condition, *context)
        return answer

    # The functions of that module, which call each other, find it there.
    template_utils.resolve_condition = resolve_condition
