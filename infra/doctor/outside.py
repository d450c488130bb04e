"""Everything that is asked from outside."""

from collections.abc import Callable

from hub.diagnosis import Check
from infra.clients import Clients
from infra.doctor import bus, hub_stacks, key, notifications, queues, scaling, service, spokes, storage, trail
from infra.doctor.deployed import HUB_STACK, DeployedHub
from infra.doctor.examination import examine

EXAMINATIONS = (
    *hub_stacks.EXAMINATIONS,
    *key.EXAMINATIONS,
    *bus.EXAMINATIONS,
    *queues.EXAMINATIONS,
    *storage.EXAMINATIONS,
    *notifications.EXAMINATIONS,
    *service.EXAMINATIONS,
    *scaling.EXAMINATIONS,
    *trail.EXAMINATIONS,
    *spokes.EXAMINATIONS,
)
HUB = hub_stacks.HUB
KINDS = tuple(examination.kind for examination in EXAMINATIONS)


def look(hub: DeployedHub | None, *, clients: Clients, progress: Callable[[str], None]) -> tuple[Check, ...]:
    """Every check from outside; of a hub that is not there, this one alone.

    Args:
        hub: What `infra.doctor.deployed.find` found.
        clients: Of the engineer.
        progress: Is told each step.
    """
    if hub is None:
        region = clients.client("cloudformation").meta.region_name
        return (hub_stacks.HUB.failed(HUB_STACK, f"there is no complete stack of this name in {region}"),)
    return examine(EXAMINATIONS, hub, progress=progress)
