"""The service, as ECS describes services; moto runs no tasks."""

from datetime import timedelta
from typing import Any

import pytest

from hub.diagnosis import Verdict
from tests.infra.doctor.looking import ACCOUNT, NOW, REGION, CannedClients, canned, look, stack, told

TASK_DEFINITION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/scanhub-worker:7"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/scanhub/0f9de17a6465404e8b1b2356dc13c2f8"
ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scanhub"
DIGEST = "sha256:" + "ab" * 32


def service(**changes: Any) -> dict[str, Any]:
    return {
        "serviceName": "scanhub-worker",
        "status": "ACTIVE",
        "desiredCount": 3,
        "runningCount": 3,
        "pendingCount": 0,
        "taskDefinition": TASK_DEFINITION,
        "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED", "failedTasks": 0}],
        "events": [],
        **changes,
    }


def asked(name: str, **changes: Any) -> list[tuple[str, str]]:
    clients = CannedClients()
    clients.answer(
        "ecs",
        "describe_services",
        {"services": [service(**changes)]},
        asked={"cluster": "scanhub", "services": ["scanhub-worker"]},
    )
    if name == "service":
        beside(clients, least="1")
    return told(canned(clients), name)


def beside(clients: CannedClients, least: str) -> None:
    """The stack that scales."""
    parameters = [{"ParameterKey": "MinTasks", "ParameterValue": least}]
    there = {"Stacks": [stack("scanhub-hub-monitoring", Parameters=parameters)]}
    clients.answer("cloudformation", "describe_stacks", there, asked={"StackName": "scanhub-hub-monitoring"})


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({}, "ok", "3 of 3 tasks run"),
        ({"runningCount": 2}, "failed", "2 of 3 tasks run, 0 start"),
        ({"runningCount": 2, "pendingCount": 1}, "warning", "2 of 3 tasks run, 1 start"),
        ({"runningCount": 0, "pendingCount": 3}, "failed", "0 of 3 tasks run, 3 start"),
        ({"runningCount": 0, "desiredCount": 0}, "failed", "no task is wanted, though MinTasks is 1"),
        ({"status": "DRAINING"}, "failed", "the service is DRAINING: it is being deleted"),
    ],
)
def test_as_many_tasks_as_should(changes: dict[str, Any], verdict: str, words: str) -> None:
    assert asked("service", **changes) == [(verdict, words)]


def test_a_service_that_was_deleted_and_one_that_never_was() -> None:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service(status="INACTIVE")]})
    assert told(canned(clients), "service") == [
        ("failed", "there is no service scanhub-worker in the cluster scanhub"),
    ]
    without = canned(CannedClients(), ServiceName="")
    assert told(without, "service") == [("failed", "the hub was deployed without a service")]
    for name in ("service-deployment", "service-events", "service-image", "scaling"):
        assert told(without, name) == []


@pytest.mark.parametrize(
    ("deployments", "verdict", "words"),
    [
        ([{"status": "PRIMARY"}], "ok", "one version"),
        ([{"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "failedTasks": 0}], "warning", "under way"),
        (
            [
                {"status": "PRIMARY", "rolloutState": "IN_PROGRESS"},
                {"status": "ACTIVE", "rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker"},
            ],
            "failed",
            "ECS deployment circuit breaker",
        ),
        ([{"rolloutState": "IN_PROGRESS", "failedTasks": 2}], "warning", "2 of its tasks failed"),
        ([{"rolloutState": "IN_PROGRESS"}, {"rolloutState": "COMPLETED"}], "warning", "2 at once"),
    ],
)
def test_the_last_deployment(deployments: list[dict[str, Any]], verdict: str, words: str) -> None:
    [(found, reason)] = asked("service-deployment", deployments=deployments)
    assert found == verdict
    assert words in reason


def event(minutes_ago: int, message: str) -> dict[str, Any]:
    return {"id": str(minutes_ago), "createdAt": NOW - timedelta(minutes=minutes_ago), "message": message}


STEADY = "(service scanhub-worker) has reached a steady state."
STARTED = "(service scanhub-worker) has started 1 tasks: (task 0f9d)."
UNHEALTHY = "(service scanhub-worker) (task 0f9d) failed container health checks."
PULL = "(service scanhub-worker) was unable to place a task. Reason: CannotPullContainerError: pull access denied."


SCALED_IN = "(service scanhub-worker) has stopped 1 running tasks: (task 0f9d)."


def test_nothing_but_starts_and_ends() -> None:
    quiet = [event(1, SCALED_IN), event(2, STEADY), event(5, STARTED), event(25 * 60, UNHEALTHY)]
    assert asked("service-events", events=quiet) == [("ok", "nothing but starts and ends in the last day")]


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([event(1, PULL), event(60, STEADY)], Verdict.FAILED),
        ([event(1, STEADY), event(5, UNHEALTHY)], Verdict.WARNING),
        ([event(1, UNHEALTHY), event(5, STEADY), event(6, PULL)], Verdict.FAILED),
    ],
)
def test_trouble_is_told_with_why_tasks_stopped(events: list[dict[str, Any]], verdict: Verdict) -> None:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service(events=events)]})
    clients.answer(
        "ecs",
        "list_tasks",
        {"taskArns": [TASK]},
        asked={"cluster": "scanhub", "serviceName": "scanhub-worker", "desiredStatus": "STOPPED"},
    )
    stopped = {
        "taskArn": TASK,
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "worker", "exitCode": 2}],
    }
    clients.answer("ecs", "describe_tasks", {"tasks": [stopped]})
    [check] = look(canned(clients), "service-events")
    assert check.verdict is verdict
    assert check.evidence[-1] == ("task 0f9de17a6465404e8b1b2356dc13c2f8: Essential container in task exited; exit 2")
    clients.all_asked()


def _image(uri: str) -> CannedClients:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service()]})
    definition = {"containerDefinitions": [{"name": "worker", "image": uri}]}
    clients.answer(
        "ecs", "describe_task_definition", {"taskDefinition": definition}, asked={"taskDefinition": TASK_DEFINITION}
    )
    return clients


@pytest.mark.parametrize(
    ("suffix", "wanted"),
    [
        (f"@{DIGEST}", {"imageDigest": DIGEST}),
        (":1.2.0", {"imageTag": "1.2.0"}),
        ("", {"imageTag": "latest"}),
    ],
)
def test_the_image_is_looked_for_in_its_repository(suffix: str, wanted: dict[str, str]) -> None:
    clients = _image(ECR + suffix)
    clients.answer(
        "ecr",
        "describe_images",
        {"imageDetails": [{"imageDigest": DIGEST}]},
        asked={"registryId": ACCOUNT, "repositoryName": "scanhub", "imageIds": [wanted]},
    )
    assert told(canned(clients), "service-image") == [("ok", "it is there")]


def test_an_image_that_is_gone_and_one_that_is_elsewhere() -> None:
    clients = _image(ECR + ":1.2.0")
    clients.refuse("ecr", "describe_images", "ImageNotFoundException", "The image does not exist")
    [(verdict, reason)] = told(canned(clients), "service-image")
    assert (verdict, f"{ECR}:1.2.0" in reason) == ("failed", True)
    [(verdict, _)] = told(canned(_image("docker.io/acme/scanhub:1")), "service-image")
    assert verdict == "unknown"


def test_trouble_is_trouble_also_for_those_who_may_not_see_why_tasks_stopped() -> None:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service(events=[event(1, PULL)])]})
    clients.refuse("ecs", "list_tasks", "AccessDeniedException", "not you")
    [check] = look(canned(clients), "service-events")
    assert check.verdict is Verdict.FAILED
    assert "not you" in check.evidence[-1]


def test_fewer_tasks_than_the_least() -> None:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service(desiredCount=1, runningCount=1)]})
    beside(clients, least="3")
    assert told(canned(clients), "service") == [("warning", "1 of 1 tasks run, though MinTasks is 3")]


def test_how_many_tasks_are_the_least_is_not_known_where_nothing_scales() -> None:
    clients = CannedClients()
    clients.answer("ecs", "describe_services", {"services": [service(desiredCount=1, runningCount=1)]})
    clients.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack with id x does not exist")
    assert told(canned(clients), "service") == [("ok", "1 of 1 tasks run")]
