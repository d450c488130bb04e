"""The ECS service: whether as many tasks run as should, of an image that is there, and what it complains of."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination
from spoke.errors import Gone, ScanhubError

GROUP = "service"

COUNT = Kind(
    name="service",
    group=GROUP,
    asks="does the service run as many tasks as it should?",
    wrong="Nothing is scanned, or less than could be.",
    fix="look at `service-events` and at the log group /scanhub/worker; then at the other checks of this list",
)
DEPLOYMENT = Kind(
    name="service-deployment",
    group=GROUP,
    asks="did the last deployment succeed?",
    wrong="The circuit breaker rolled it back: the old version runs on.",
    fix="read why its tasks stopped (`service-events`), mend it, and run `scanhub rollout hub` again",
)
EVENTS = Kind(
    name="service-events",
    group=GROUP,
    asks="did the service start its tasks without trouble in the last day?",
    wrong="ECS could not start a task, or replaced one that was not healthy.",
    fix="mend what the event names: an image that cannot be pulled, a subnet without a way out, an empty secret, ...",
)
IMAGE = Kind(
    name="service-image",
    group=GROUP,
    asks="is the image of the task definition in the registry?",
    wrong="Running tasks go on, but none can be started any more.",
    fix="run `scanhub rollout image`, then `scanhub rollout hub` with its URI",
)

RECENT = timedelta(days=1)
TROUBLE = re.compile(
    r"unable to|was unhealthy|is unhealthy|failed|circuit breaker|not enough|insufficient", re.IGNORECASE
)
"""ECS's wording ("Viewing Amazon ECS service event messages"): what it starts, reaches and
stops because it was told to (`has stopped 1 running tasks`) is told without these."""
STEADY = "has reached a steady state"

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]+))?"
)


def described(hub: DeployedHub) -> Mapping[str, Any]:
    """The service as ECS describes it.

    Raises:
        Gone: It was deleted, or the hub was deployed without one.
    """
    cluster, name = hub.output("ClusterName"), hub.output("ServiceName")
    with asking(f"describing the service {name} of the cluster {cluster}"):
        found = hub.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
    service: Mapping[str, Any] | None = next((one for one in found if one["status"] != "INACTIVE"), None)
    if service is None:
        raise Gone(f"there is no service {name} in the cluster {cluster}")
    return service


def task_definition(hub: DeployedHub, arn: str) -> Mapping[str, Any]:
    """A task definition."""
    with asking(f"describing the task definition {arn}"):
        found: Mapping[str, Any] = hub.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return found


def count(hub: DeployedHub) -> Iterator[Check]:
    """Running against desired; none at all is right where it may scale down to none."""
    if not hub.has("ServiceName"):
        yield COUNT.failed(
            hub.stack.name,
            "the hub was deployed without a service",
            fix="run `scanhub rollout image`, then `scanhub rollout hub`: with an image it creates the service",
        )
        return
    service = described(hub)
    name, running, desired = service["serviceName"], service["runningCount"], service["desiredCount"]
    pending = service.get("pendingCount", 0)
    beside = hub.monitoring
    least = int(beside.parameters.get("MinTasks") or 0) if beside is not None else 0
    if service["status"] != "ACTIVE":
        yield COUNT.failed(name, f"the service is {service['status']}: it is being deleted")
    elif not desired and least:
        yield COUNT.failed(
            name,
            f"no task is wanted, though MinTasks is {least}",
            fix="somebody set it to zero: aws ecs update-service --desired-count; see `scaling` too",
        )
    elif desired < least:
        yield COUNT.warning(
            name, f"{running} of {desired} tasks run, though MinTasks is {least}", fix="see `scaling`, or wait for it"
        )
    elif running == desired:
        yield COUNT.ok(name, f"{running} of {desired} tasks run")
    elif running + pending >= desired and running:
        yield COUNT.warning(name, f"{running} of {desired} tasks run, {pending} start")
    else:
        yield COUNT.failed(name, f"{running} of {desired} tasks run, {pending} start")


def deployment(hub: DeployedHub) -> Iterator[Check]:
    """`rolloutState` of each deployment; absent on a service without the circuit breaker."""
    if not hub.has("ServiceName"):
        return
    service = described(hub)
    name, deployments = service["serviceName"], service.get("deployments", [])
    failed = [one for one in deployments if one.get("rolloutState") == "FAILED"]
    trying = [one for one in deployments if one.get("rolloutState") == "IN_PROGRESS" and one.get("failedTasks")]
    if failed:
        yield DEPLOYMENT.failed(name, failed[0].get("rolloutStateReason") or "a deployment failed")
    elif trying:
        yield DEPLOYMENT.warning(name, f"a deployment is under way, and {trying[0]['failedTasks']} of its tasks failed")
    elif len(deployments) > 1 or any(one.get("rolloutState") == "IN_PROGRESS" for one in deployments):
        yield DEPLOYMENT.warning(
            name, f"a deployment is under way: {len(deployments)} at once", fix="wait and ask again"
        )
    else:
        yield DEPLOYMENT.ok(name, "the service runs one version, as it should")


def events(hub: DeployedHub) -> Iterator[Check]:
    """What ECS wrote since it was last content, newest first, and why its last tasks stopped."""
    if not hub.has("ServiceName"):
        return
    service = described(hub)
    trouble: list[str] = []
    is_over = False
    for event in service.get("events", []):
        if hub.now() - event["createdAt"] > RECENT:
            break
        is_over = is_over or (STEADY in event["message"] and not trouble)
        if TROUBLE.search(event["message"]):
            trouble.append(f"{event['createdAt']:%Y-%m-%d %H:%M} {event['message']}")
    name = service["serviceName"]
    if not trouble:
        yield EVENTS.ok(name, "nothing but starts and ends in the last day")
        return
    evidence = [*trouble[:5], *_stopped(hub, service)]
    if is_over:
        yield EVENTS.warning(name, f"there was trouble, and it is over: {trouble[0]}", evidence=evidence)
    else:
        yield EVENTS.failed(name, trouble[0], evidence=evidence)


def _stopped(hub: DeployedHub, service: Mapping[str, Any]) -> Iterator[str]:
    """Why tasks stopped; ECS shows them for an hour at least."""
    ecs, cluster = hub.client("ecs"), hub.output("ClusterName")
    name = service["serviceName"]
    try:
        with asking("listing the tasks that stopped"):
            arns = ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="STOPPED")["taskArns"]
            tasks = ecs.describe_tasks(cluster=cluster, tasks=arns[:5])["tasks"] if arns else []
    except ScanhubError as error:
        # The trouble itself is known.
        yield f"why tasks stopped is not known: {error.text}"
        return
    for task in tasks:
        reasons = [task.get("stoppedReason", "no reason given")]
        for container in task.get("containers", []):
            code = f"exit {container['exitCode']}" if "exitCode" in container else ""
            reasons += [one for one in (container.get("reason", ""), code) if one]
        yield f"task {task['taskArn'].rsplit('/', 1)[-1]}: {'; '.join(reasons)}"


def image(hub: DeployedHub) -> Iterator[Check]:
    """In ECR, where the template's execution role pulls from."""
    if not hub.has("ServiceName"):
        return
    for container in task_definition(hub, described(hub)["taskDefinition"])["containerDefinitions"]:
        uri = container["image"]
        match = _ECR.fullmatch(uri)
        if match is None:
            yield IMAGE.unknown(uri, "it is in no ECR repository; whether ECS can pull it shows in `service-events`")
            continue
        wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
        with asking(f"looking for the image {uri}"):
            ecr = hub.clients.client("ecr", region=match["region"])
            ecr.describe_images(registryId=match["account"], repositoryName=match["repository"], imageIds=[wanted])
        yield IMAGE.ok(uri, "it is there")


EXAMINATIONS = (
    Examination(COUNT, count),
    Examination(DEPLOYMENT, deployment),
    Examination(EVENTS, events),
    Examination(IMAGE, image),
)
