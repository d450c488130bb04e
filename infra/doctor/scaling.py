"""How the service grows and shrinks, and the sweep's schedule."""

from collections.abc import Iterator

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination

GROUP = "scaling"
PREFIX = "scanhub"
STEPS = "scanhub-wait"
POLICIES = ("scanhub-backlog", STEPS)
ALARM = "scanhub-scaling"

TARGET = Kind(
    name="scaling",
    group=GROUP,
    asks="is the service registered for scaling, with its policies and their alarm, and not suspended?",
    wrong="It keeps the number of tasks that it has, however many changes wait; from zero it never starts.",
    fix="run `scanhub rollout hub`: it registers the service and its policies again",
)
SWEEP = Kind(
    name="sweep-schedule",
    group=GROUP,
    asks="is there a schedule of the sweep, and is it enabled?",
    wrong="What events have missed is not found until somebody sweeps by hand.",
    fix="run `scanhub rollout hub --parameter 'BulkScanSchedule=rate(1 day)'`",
)

SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def target(hub: DeployedHub) -> Iterator[Check]:
    """The scalable target and its policies."""
    if not hub.has("ServiceName"):
        return
    resource = f"service/{hub.output('ClusterName')}/{hub.output('ServiceName')}"
    scaling = hub.client("application-autoscaling")
    with asking(f"reading the scaling of {resource}"):
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"]
        policies = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    if not targets:
        yield TARGET.failed(resource, "it is not registered for scaling")
        return
    one = targets[0]
    suspended = [name for name in SUSPENSIONS if one.get("SuspendedState", {}).get(name)]
    span = f"{one['MinCapacity']} to {one['MaxCapacity']} tasks"
    arns = {policy["PolicyName"]: policy["PolicyARN"] for policy in policies}
    missing = [name for name in POLICIES if name not in arns]
    if missing:
        yield TARGET.failed(resource, f"{span}, but there is no scaling policy {' nor '.join(missing)}")
    elif suspended:
        yield TARGET.failed(
            resource, f"{', '.join(suspended)}", fix="aws application-autoscaling register-scalable-target"
        )
    elif fault := _alarm_fault(hub, arns[STEPS]):
        yield TARGET.failed(resource, fault)
    else:
        yield TARGET.ok(resource, f"{span} by {', '.join(sorted(arns))}")


def _alarm_fault(hub: DeployedHub, policy: str) -> str:
    """A step policy does nothing by itself: an alarm of its own calls it, from zero tasks on."""
    with asking(f"reading the alarm {ALARM}"):
        found = hub.client("cloudwatch").describe_alarms(AlarmNames=[ALARM]).get("MetricAlarms", [])
    if not found:
        return f"there is no alarm {ALARM}, which calls {STEPS}"
    [alarm] = found
    if not alarm.get("ActionsEnabled", True) or policy not in alarm.get("AlarmActions", []):
        return f"the alarm {ALARM} does not call {STEPS}"
    return ""


def sweep(hub: DeployedHub) -> Iterator[Check]:
    """EventBridge Scheduler."""
    with asking("listing the schedules of EventBridge Scheduler"):
        pages = hub.client("scheduler").get_paginator("list_schedules").paginate(NamePrefix=PREFIX)
        found = [one for page in pages for one in page["Schedules"]]
    wanted = hub.stack.parameters.get("BulkScanSchedule", "")
    for one in found:
        if one.get("State") == "ENABLED":
            yield SWEEP.ok(one["Name"], f"enabled: {wanted}" if wanted else "enabled")
        else:
            yield SWEEP.warning(one["Name"], f"its state is {one.get('State')}")
    if found:
        return
    if not wanted:
        yield SWEEP.warning(PREFIX, "no schedule, as the hub was deployed (BulkScanSchedule is empty)")
    elif hub.has("ServiceName"):
        yield SWEEP.failed(PREFIX, f"the hub was deployed with the schedule {wanted}, and there is none")
    else:
        yield SWEEP.ok(PREFIX, "no schedule before there is a worker")


EXAMINATIONS = (Examination(TARGET, target), Examination(SWEEP, sweep))
