"""A command of scanhub's as a task in the hub: from there the member accounts can be entered, from elsewhere not."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra.calls import AwsClient, calling
from spoke.errors import Misconfigured, ScanhubError, Unavailable

CLUSTER = "scanhub"
SERVICE = "scanhub-worker"
FAMILY = "scanhub-sweep"
CONTAINER = "worker"
"""The names that infra/hub.yaml gives."""

LOG_GROUP = "/scanhub/worker"

_MAX_OVERRIDES = 8192
"""Characters of all overrides of a task (ECS API reference, RunTask, `overrides`)."""

_NOT_ADMITTED = re.compile("[^A-Za-z0-9/_-]")
"""In `startedBy` (ECS API reference, RunTask)."""

_PAUSE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTask:
    """A task that was started.

    Attributes:
        arn: The task's.
        log: The stream in `LOG_GROUP` that it writes to.
    """

    arn: str
    log: str


def start(ecs: AwsClient, command: Sequence[str], *, by: str) -> HubTask:
    """Start a task of the sweep's definition with another command, in the network of the service.

    Args:
        ecs: A boto3 client in the hub's account and region.
        command: What follows the word `scanhub`.
        by: Who asks, for ECS's `startedBy`; brought into the form that ECS takes.

    Raises:
        Misconfigured: There is no such service or definition, the command is too long, or AWS refuses the call.
        Unavailable: Fargate has no room at the moment, or AWS cannot be asked now.
    """
    if sum(map(len, command)) > _MAX_OVERRIDES // 2:
        raise Misconfigured("the command is too long for a task: name fewer accounts, or put them into a file")
    with calling(f"looking at the service {SERVICE}"):
        found = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    if not found or found[0]["status"] == "INACTIVE":
        raise Misconfigured(f"there is no service {SERVICE} in this account and region: deploy the hub with an image")
    with calling("starting the task"):
        answer = ecs.run_task(
            cluster=CLUSTER,
            taskDefinition=FAMILY,
            launchType="FARGATE",
            networkConfiguration=found[0]["networkConfiguration"],
            overrides={"containerOverrides": [{"name": CONTAINER, "command": list(command)}]},
            startedBy=_NOT_ADMITTED.sub("_", by)[:128],
            propagateTags="TASK_DEFINITION",
            count=1,
        )
    if answer.get("failures") or not answer.get("tasks"):
        reasons = ", ".join(str(one.get("reason", "no reason given")) for one in answer.get("failures", ()))
        raise Unavailable(f"the task was not started: {reasons or 'no reason given'}; try again later")
    arn = str(answer["tasks"][0]["taskArn"])
    return HubTask(arn=arn, log=f"sweep/{CONTAINER}/{arn.rpartition('/')[2]}")


def ended(ecs: AwsClient, task: HubTask, *, patience: float, looked: Callable[[str], None]) -> int:
    """Wait until the task has ended.

    Args:
        ecs: As in `start`.
        task: Which was started.
        patience: Seconds.
        looked: Is told the task's status with each look.

    Returns:
        The exit code of its command.

    Raises:
        Misconfigured: ECS could not run it (no image, no network, no secret); with ECS's reason.
        ScanhubError: It has not ended in time, or ended while nobody looked.
    """
    was_there = False

    def described() -> dict[str, Any]:
        nonlocal was_there
        with calling(f"looking at the task {task.arn}"):
            found = ecs.describe_tasks(cluster=CLUSTER, tasks=[task.arn])["tasks"]
        # ECS may not know a task that was just started, and forgets a stopped one after an hour. Laptops sleep longer.
        if was_there and not found:
            raise ScanhubError(
                f"the task {task.arn} has ended, and ECS does not know its exit code any more; its last words are in "
                f"{LOG_GROUP} {task.log}"
            )
        was_there = bool(found)
        status = str(found[0]["lastStatus"]) if found else "PROVISIONING"
        looked(status)
        return found[0] if status == "STOPPED" else {}

    waiting = Retrying(
        retry=retry_if_result(lambda task: not task), wait=wait_fixed(_PAUSE), stop=stop_after_delay(patience)
    )
    try:
        last = waiting(described)
    except RetryError:
        raise ScanhubError(f"the task {task.arn} has not ended within {patience:.0f} s; it goes on") from None
    codes = [one["exitCode"] for one in last.get("containers", ()) if one.get("exitCode") is not None]
    if not codes:
        raise Misconfigured(f"the task {task.arn} could not run: {last.get('stoppedReason') or 'no reason was given'}")
    return int(codes[0])
