"""The stack that reads the hub's metrics: scaling, alarms, dashboard."""

from collections.abc import Mapping

from infra import stacks
from infra.rollout import parameters
from infra.rollout.deployment import Deployment
from infra.rollout.site import MONITORING_STACK, Site
from infra.stacks import Stack
from spoke.errors import Misconfigured

TEMPLATE = "hub-monitoring.yaml"

SCALING = ("BacklogPerTask", "MaxChangeAge", "MaxTasks", "MinTasks")
"""Parameters that were hub.yaml's while the hub's own stack scaled the service."""

RESERVED = {
    "EnableMonitoring": "use --no-monitoring",
    "ServiceName": "is looked up",
    "SweepScheduleName": "is looked up",
}

_SERVICE = "scanhub-worker"
_SCHEDULE = "scanhub-sweep"


def from_the_hub(outputs: Mapping[str, str]) -> dict[str, str]:
    """What the hub's outputs say to this stack."""
    values = {name: outputs.get(name, "") for name in ("ServiceName", "SweepScheduleName")}
    if "BusArn" in outputs:
        values["EventBusName"] = outputs["BusArn"].rpartition("/")[2]
    return values


class Monitoring:
    """Brings the stack to what the hub and the operator say.

    An Application Auto Scaling target and an alarm are each there once in an account and region. A hub of an older
    template has them in its own stack, and lets go of them as it is updated: therefore the hub comes first, and this
    stack after it. Between the two the service keeps the tasks that it has.

    Args:
        site: Where.
        deployment: How.
        given: Parameters from the operator.
        is_wanted: Whether alarms and dashboard are wanted too, beside scaling.
    """

    def __init__(self, site: Site, deployment: Deployment, given: Mapping[str, str], *, is_wanted: bool) -> None:
        self._client = site.hub("cloudformation")
        self._deployment = deployment
        self._given = dict(given)
        self._is_wanted = is_wanted

    def take_over(self, hub: Stack | None) -> None:
        """Remember how an older hub scales, before its update forgets it.

        The stack gets what differs now, and the scaling itself by `deploy`: wherever the rollout is interrupted, no
        value is lost.

        Args:
            hub: As it stands before its update.

        Raises:
            Declined, StackFailed, Misconfigured, Throttled, Unavailable: See `Deployment.stack`.
        """
        before = hub.parameters if hub is not None else {}
        if not any(name in before for name in SCALING):
            return
        declared = parameters.declared(self._client, stacks.template_text(TEMPLATE))
        there = stacks.describe(self._client, MONITORING_STACK)
        kept = there.parameters if there is not None else {}
        own = {
            name: before[name]
            for name in SCALING
            if name in before and name not in self._given and before[name] != kept.get(name, declared[name].default)
        }
        if not own:
            return
        self._given |= own
        self._deployment.operator.tell(
            f"the stack {MONITORING_STACK} scales the service from now on, and takes over from the hub: "
            + ", ".join(f"{name}={value}" for name, value in sorted(own.items()))
        )
        # Without a service it only remembers. One of nothing but scaling would be empty, which CloudFormation refuses.
        if self._is_wanted and not self._deployment.dry_run:
            self._deploy({"ServiceName": "", "SweepScheduleName": ""})

    def deploy(self, outputs: Mapping[str, str]) -> None:
        """The stack, as it belongs to a hub with these outputs.

        Raises:
            Declined, StackFailed, Misconfigured, Throttled, Unavailable: See `Deployment.stack`.
        """
        values = from_the_hub(outputs)
        if self._is_wanted or values["ServiceName"]:
            self._deploy(values)

    def _deploy(self, values: Mapping[str, str]) -> None:
        wanted = {"EnableMonitoring": str(self._is_wanted).lower()}
        self._deployment.stack(self._client, MONITORING_STACK, TEMPLATE, {**values, **wanted, **self._given})


def expected(outputs: Mapping[str, str], *, schedule: str | None) -> Mapping[str, str]:
    """The outputs that a hub will have once its worker is deployed, for what is only shown.

    Args:
        outputs: Those that it has.
        schedule: Of the sweep; empty for none.
    """
    named = {**outputs, "ServiceName": _SERVICE}
    return {**named, "SweepScheduleName": _SCHEDULE} if schedule else named


def routed(
    given: Mapping[str, str], here: Mapping[str, str], known: Mapping[str, object], beside: Mapping[str, object]
) -> tuple[dict[str, str], dict[str, str]]:
    """The operator's parameters by the template that has them: those of the hub, and those of this stack.

    Args:
        given: By `--parameter`: the hub's; one that hub.yaml does not have and hub-monitoring.yaml has is for that,
            so that a command line of before scaling moved goes on to work.
        here: By `--monitoring-parameter`.
        known: What hub.yaml declares.
        beside: What hub-monitoring.yaml declares.

    Raises:
        Misconfigured: One is given both ways.
    """
    moved = {key: value for key, value in given.items() if key not in known and key in beside}
    if both := sorted(moved.keys() & here.keys()):
        raise Misconfigured(f"{both[0]} is given by --parameter and by --monitoring-parameter: give it once")
    return {key: value for key, value in given.items() if key not in moved}, {**moved, **here}
