"""Protection of a stack from deletion: moto 5.2.5 keeps the flag of CreateStack, but cannot change it."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from infra.local.mends.replacement import added


@contextmanager
def mended() -> Iterator[None]:
    """UpdateTerminationProtection as AWS has it."""
    with added(CloudFormationResponse, "update_termination_protection", _update):
        yield


def _update(response: CloudFormationResponse) -> ActionResult:
    get = response._get_param  # noqa: SLF001  # moto's own
    stack = response.cloudformation_backend.get_stack(get("StackName"))
    stack.enable_termination_protection = str(get("EnableTerminationProtection")).lower() == "true"
    return ActionResult({"StackId": stack.stack_id})
