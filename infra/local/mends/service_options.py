"""What an ECS service was created with.

moto 5.2.5 forgets a new service's capacity providers, its deployment's bounds and some switches, and says that it runs
on EC2. (An update of them it keeps.)
"""

from contextlib import AbstractContextManager

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ecs.responses import EC2ContainerServiceResponse

from infra.local.mends.replacement import replaced

_FORGOTTEN = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
)


def mended() -> AbstractContextManager[None]:
    """DescribeServices tells them."""
    original = EC2ContainerServiceResponse.create_service

    def create_service(response: EC2ContainerServiceResponse) -> ActionResult:
        given = {name: response._get_param(name) for name in _FORGOTTEN}  # noqa: SLF001  # moto's own
        answer = original(response)
        service = answer.result["service"]  # type: ignore[index]  # moto's type knows no more than an object
        for name, value in given.items():
            if value is not None:
                setattr(service, camelcase_to_underscores(name), value)
        if given["capacityProviderStrategy"] is not None:
            service.launch_type = None
        return answer

    return replaced(EC2ContainerServiceResponse, "create_service", create_service)
