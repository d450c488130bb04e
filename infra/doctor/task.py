"""The half inside, run as a task of the worker's own definition, network and role, and read from its log."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hub.diagnosis import Check, Kind
from infra.doctor import lines, service
from infra.doctor.asking import asking
from infra.doctor.deployed import CONTAINER, SUFFIXES, DeployedHub
from spoke.errors import Gone, NoAccess, ScanhubError, Unavailable

INSIDE = Kind(
    name="inside",
    group="worker",
    asks="could the worker's half of these checks be made, in a task of its own?",
    wrong="What the worker sees is not known. If the task did not start, the worker's own do not either.",
    fix="see `service-events`, and the stream of this task in the log group /scanhub/worker",
)

MOST_OVERRIDES = 8192
"""Characters of a task's overrides, JSON and all (ECS's API reference, RunTask)."""
STARTED_BY = "scanhub-doctor"
PAUSE = 5.0
LOG_TRIES = 6
"""Looks for the end of the log once the task has stopped: its driver hands the last lines on a little later."""

_AWS = (*(f".{suffix}" for suffix in SUFFIXES.values()), ".api.aws", ".api.amazonwebservices.com.cn")


@dataclass(frozen=True, slots=True)
class _Stream:
    group: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How a task is awaited.

    Attributes:
        patience: Seconds until it is stopped.
        pause: Seconds between two looks.
        sleep: How to pause.
        clock: Seconds that only grow.
    """

    patience: float
    pause: float = PAUSE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def why_not(hub: DeployedHub) -> str:
    """Why no task can be run; empty if one can."""
    if not hub.has("ServiceName"):
        return "the hub was deployed without a service, whose task definition this needs"
    host = urlsplit(str(hub.client("ecs").meta.endpoint_url)).hostname or ""
    if not host.endswith(_AWS):
        return f"{host} is no AWS, and a local cloud runs no tasks; set the settings (SCANHUB_*) and ask from here"
    return ""


def commands(
    accounts: Sequence[str], regions: Sequence[str], *, common: Sequence[str] = (), first: Sequence[str] = ()
) -> list[list[str]]:
    """The command of each task: as many accounts in one as fit into its overrides.

    Args:
        accounts: All of them; none: the task looks at those that the ledger knows.
        regions: The same for all.
        common: Options of each task.
        first: Options of the first one alone; the others look at accounts and nothing else.
    """
    base = ["doctor", "--inside", "--lines", *common, *(["--regions", ",".join(regions)] if regions else [])]
    found: list[list[str]] = []
    rest = list(accounts)
    while True:
        head = [*base, *first] if not found else [*base, "--accounts-only"]
        most = len(rest)
        while most and len(json.dumps(_overrides([*head, "--accounts", ",".join(rest[:most])]))) > MOST_OVERRIDES:
            most = most * 9 // 10
        found.append([*head, *(["--accounts", ",".join(rest[:most])] if most else [])])
        rest = rest[most:]
        if not rest or not most:
            return found


def run(
    hub: DeployedHub, found_commands: Sequence[Sequence[str]], *, progress: Callable[[str], None], waiting: Waiting
) -> tuple[Check, ...]:
    """Run the tasks, and give back what they saw. Whatever ends this early, also an interrupt, stops them.

    Args:
        hub: Whose service is imitated.
        found_commands: See `commands`.
        progress: Is told each step.
        waiting: How long.
    """
    tasks: list[str] = []
    checks: list[Check] = []
    running: set[str] = set()
    try:
        try:
            definition = service.task_definition(hub, service.described(hub)["taskDefinition"])
            _stream(definition, "")
            for number, command in enumerate(found_commands, 1):
                progress(f"starting task {number} of {len(found_commands)}")
                try:
                    tasks.append(_start(hub, command))
                except ScanhubError as error:
                    if not tasks:
                        raise
                    # What the others see is worth having.
                    checks.append(INSIDE.unknown(f"task {number}", error.text))
                    break
                running.add(tasks[-1])
            for arn in tasks:
                checks += _seen(hub, arn, definition, running, progress=progress, waiting=waiting)
        finally:
            for arn in sorted(running):
                _stop(hub, arn)
    except NoAccess as error:
        fix = (
            "ask by --no-task, or with credentials that may ecs:RunTask, ecs:StopTask, logs:GetLogEvents, "
            "and iam:PassRole on the worker's two roles"
        )
        checks.append(INSIDE.unknown("task", error.text, fix=fix))
    except Gone as error:
        checks.append(INSIDE.failed("task", error.text))
    except ScanhubError as error:
        checks.append(INSIDE.unknown("task", error.text))
    return tuple(checks)


def _overrides(command: Sequence[str]) -> dict[str, Any]:
    return {"containerOverrides": [{"name": CONTAINER, "command": list(command)}]}


def _start(hub: DeployedHub, command: Sequence[str]) -> str:
    of_service = service.described(hub)
    placed = (
        {"capacityProviderStrategy": of_service["capacityProviderStrategy"]}
        if of_service.get("capacityProviderStrategy")
        else {"launchType": of_service.get("launchType", "FARGATE")}
    )
    with asking("starting a task of the worker's definition"):
        answer = hub.client("ecs").run_task(
            cluster=hub.output("ClusterName"),
            taskDefinition=of_service["taskDefinition"],
            networkConfiguration=of_service.get("networkConfiguration", {}),
            overrides=_overrides(command),
            startedBy=STARTED_BY,
            count=1,
            clientToken=str(uuid.uuid4()),
            **placed,
        )
    if not answer["tasks"]:
        reasons = "; ".join(one.get("reason", "no reason given") for one in answer.get("failures", []))
        raise Unavailable(f"ECS started no task: {reasons or 'no reason given'}")
    return str(answer["tasks"][0]["taskArn"])


def _seen(
    hub: DeployedHub,
    arn: str,
    definition: Mapping[str, Any],
    running: set[str],
    *,
    progress: Callable[[str], None],
    waiting: Waiting,
) -> Iterator[Check]:
    task = _stopped(hub, arn, progress=progress, waiting=waiting)
    name = arn.rsplit("/", 1)[-1]
    if task is None:
        _stop(hub, arn)
    running.discard(arn)
    told = _told(hub, _stream(definition, name), waiting, tries=LOG_TRIES if task is not None else 1)
    yield from told.checks
    if task is None:
        so_far = f"; {len(told.checks)} checks were made by then" if told.checks else ""
        yield INSIDE.unknown(
            name,
            f"the task was not done after {waiting.patience / 60:g} minutes and was stopped{so_far}",
            fix="give it longer: --timeout",
        )
        return
    if told.is_complete:
        yield INSIDE.ok(name, f"{len(told.checks)} checks were made by a task of the worker's definition")
    elif told.checks:
        missing = f"{told.announced} were" if told.announced is not None else "more may have been"
        yield INSIDE.unknown(name, f"{len(told.checks)} checks arrived, {missing} made", evidence=told.others[-5:])
    else:
        yield INSIDE.failed(name, f"the task told nothing: {_why(task)}", evidence=told.others[-5:])


def _stopped(
    hub: DeployedHub, arn: str, *, progress: Callable[[str], None], waiting: Waiting
) -> Mapping[str, Any] | None:
    """The task once it has stopped; None if it takes too long."""
    ends_at, last = waiting.clock() + waiting.patience, ""
    while True:
        with asking(f"describing the task {arn}"):
            found = hub.client("ecs").describe_tasks(cluster=hub.output("ClusterName"), tasks=[arn])["tasks"]
        if not found:
            raise Gone(f"the task {arn} is gone")
        task: Mapping[str, Any] = found[0]
        if task["lastStatus"] != last:
            last = task["lastStatus"]
            progress(f"the task is {last}")
        if last == "STOPPED":
            return task
        if waiting.clock() >= ends_at:
            return None
        waiting.sleep(waiting.pause)


def _stop(hub: DeployedHub, arn: str) -> None:
    # What ended this early, an interrupt above all, is not to be lost; the task ends by itself in any case.
    with suppress(ScanhubError), asking(f"stopping the task {arn}"):
        hub.client("ecs").stop_task(cluster=hub.output("ClusterName"), task=arn, reason="scanhub doctor ends")


def _stream(definition: Mapping[str, Any], task: str) -> _Stream:
    """`prefix/container/task` (ECS developer guide, "Send Amazon ECS logs to CloudWatch")."""
    containers = {one["name"]: one for one in definition["containerDefinitions"]}
    options = containers.get(CONTAINER, {}).get("logConfiguration", {}).get("options", {})
    try:
        return _Stream(options["awslogs-group"], f"{options['awslogs-stream-prefix']}/{CONTAINER}/{task}")
    except KeyError as error:
        raise Gone(
            f"the container {CONTAINER} of the task definition does not log to CloudWatch ({error} is missing)"
        ) from error


def _told(hub: DeployedHub, stream: _Stream, waiting: Waiting, *, tries: int) -> lines.Told:
    told = lines.Told((), None, ())
    for left in reversed(range(tries)):
        try:
            told = lines.read(_messages(hub, stream))
        except Gone:
            # A container that never ran has no stream.
            told = lines.Told((), None, ())
        if told.is_complete or not left:
            break
        waiting.sleep(waiting.pause)
    return told


def _messages(hub: DeployedHub, stream: _Stream) -> Iterator[str]:
    """Every message of the stream; it ends where a token comes again (CloudWatch Logs' API reference, GetLogEvents)."""
    logs, token = hub.client("logs"), ""
    while True:
        with asking(f"reading the log stream {stream.name}"):
            more = {"nextToken": token} if token else {}
            page = logs.get_log_events(logGroupName=stream.group, logStreamName=stream.name, startFromHead=True, **more)
        for event in page["events"]:
            yield event["message"]
        if page["nextForwardToken"] == token:
            return
        token = page["nextForwardToken"]


def _why(task: Mapping[str, Any]) -> str:
    reasons = [task.get("stoppedReason", "")]
    for container in task.get("containers", []):
        reasons += [container.get("reason", ""), f"exit {container['exitCode']}" if "exitCode" in container else ""]
    return "; ".join(one for one in reasons if one) or "ECS gives no reason"
