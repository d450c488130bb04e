"""The half inside as an ECS task: started like the service's own, awaited, read from its log, never left running."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.diagnosis import Kind, Verdict
from infra.doctor import lines, task
from infra.doctor.task import Waiting
from tests.infra.doctor.looking import ACCOUNT, REGION, CannedClients, canned
from tests.infra.doctor.test_service import TASK, TASK_DEFINITION, service

ROLE = Kind(name="account-role", group="accounts", asks="?", wrong="-", fix="do")
CHECKS = (ROLE.ok("210000000001", "in"), ROLE.failed("210000000002", "not in"))
LOG = [lines.line(CHECKS[0], 0), '{"event": "something else"}', lines.line(CHECKS[1], 1), lines.last_line(2)]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
COMMAND = ["doctor", "--inside", "--lines"]
DEFINITION = {
    "containerDefinitions": [
        {
            "name": "worker",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/scanhub/worker",
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "worker",
                },
            },
        }
    ]
}


class Pauses:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self.seconds = 0.0
        self._on_sleep = on_sleep

    def sleep(self, seconds: float) -> None:
        self._on_sleep()
        self.seconds += seconds

    def waiting(self, patience: float = 900) -> Waiting:
        return Waiting(patience=patience, pause=5, sleep=self.sleep, clock=lambda: self.seconds)


def scene(*, of_service: dict[str, Any] | None = None) -> CannedClients:
    clients = CannedClients()
    found = service(networkConfiguration=NETWORK, **(of_service or {"launchType": "FARGATE"}))
    clients.answer("ecs", "describe_services", {"services": [found]})
    clients.answer(
        "ecs", "describe_task_definition", {"taskDefinition": DEFINITION}, asked={"taskDefinition": TASK_DEFINITION}
    )
    clients.answer("ecs", "describe_services", {"services": [found]})
    return clients


def started(clients: CannedClients, command: Sequence[str] = COMMAND, **placed: Any) -> None:
    from botocore.stub import ANY  # noqa: PLC0415  # beside its only use

    clients.answer(
        "ecs",
        "run_task",
        {"tasks": [{"taskArn": TASK, "lastStatus": "PROVISIONING"}]},
        asked={
            "cluster": "scanhub",
            "taskDefinition": TASK_DEFINITION,
            "networkConfiguration": NETWORK,
            "overrides": {"containerOverrides": [{"name": "worker", "command": list(command)}]},
            "startedBy": "scanhub-doctor",
            "count": 1,
            "clientToken": ANY,
            **(placed or {"launchType": "FARGATE"}),
        },
    )


def seen(clients: CannedClients, *states: str, **stopped: Any) -> None:
    for state in states:
        clients.answer(
            "ecs",
            "describe_tasks",
            {"tasks": [{"taskArn": TASK, "lastStatus": state, **(stopped if state == "STOPPED" else {})}]},
            asked={"cluster": "scanhub", "tasks": [TASK]},
        )


STREAM = {
    "logGroupName": "/scanhub/worker",
    "logStreamName": "worker/worker/0f9de17a6465404e8b1b2356dc13c2f8",
    "startFromHead": True,
}


def logged(clients: CannedClients, *pages: Sequence[str]) -> None:
    """Each page with a token of its own; the last token comes twice."""
    token: dict[str, str] = {}
    for number, page in enumerate((*pages, ()), 1):
        answered = f"f/{number if page else number - 1}"
        events = [{"timestamp": 1, "message": line} for line in page]
        clients.answer("logs", "get_log_events", {"events": events, "nextForwardToken": answered}, asked=STREAM | token)
        token = {"nextToken": answered}


def stopped(clients: CannedClients) -> None:
    clients.answer(
        "ecs",
        "stop_task",
        {"task": {"taskArn": TASK}},
        asked={"cluster": "scanhub", "task": TASK, "reason": "scanhub doctor ends"},
    )


def test_what_the_task_saw_is_read_from_its_log() -> None:
    clients = scene()
    started(clients)
    seen(clients, "PROVISIONING", "PENDING", "RUNNING", "RUNNING", "STOPPED")
    logged(clients, LOG[:2], LOG[2:])
    steps: list[str] = []
    checks = task.run(canned(clients), [COMMAND], progress=steps.append, waiting=Pauses().waiting())
    assert checks[:2] == CHECKS
    assert (checks[2].name, checks[2].verdict, len(checks)) == ("inside", Verdict.OK, 3)
    assert steps == [
        "starting task 1 of 1",
        *(f"the task is {state}" for state in ("PROVISIONING", "PENDING", "RUNNING", "STOPPED")),
    ]
    clients.all_asked()


def test_it_runs_on_the_services_capacity_providers() -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    clients = scene(of_service={"capacityProviderStrategy": spot})
    started(clients, capacityProviderStrategy=spot)
    seen(clients, "STOPPED")
    logged(clients, LOG)
    checks = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert checks[-1].verdict is Verdict.OK


def test_the_end_of_a_log_that_comes_late_is_awaited() -> None:
    clients = scene()
    started(clients)
    seen(clients, "STOPPED")
    clients.refuse("logs", "get_log_events", "ResourceNotFoundException", "The specified log stream does not exist.")
    logged(clients, LOG[:2])
    logged(clients, LOG)
    pauses = Pauses()
    checks = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=pauses.waiting())
    assert checks[:2] == CHECKS
    assert pauses.seconds == 10


def test_lines_that_were_lost_leave_it_open() -> None:
    clients = scene()
    started(clients)
    seen(clients, "STOPPED")
    for _ in range(task.LOG_TRIES):
        logged(clients, [LOG[0], LOG[3]])
    checks = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert checks[0] == CHECKS[0]
    assert (checks[1].verdict, checks[1].reason) == (Verdict.UNKNOWN, "1 checks arrived, 2 were made")


def test_a_task_that_could_not_start_has_failed_as_the_workers_own_would() -> None:
    clients = scene()
    started(clients)
    seen(
        clients,
        "STOPPED",
        stoppedReason="CannotPullContainerError: pull access denied",
        containers=[{"name": "worker", "exitCode": 137, "reason": "OutOfMemoryError"}],
    )
    for _ in range(task.LOG_TRIES):
        clients.refuse("logs", "get_log_events", "ResourceNotFoundException", "no stream")
    [check] = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert check.verdict is Verdict.FAILED
    assert check.reason == (
        "the task told nothing: CannotPullContainerError: pull access denied; OutOfMemoryError; exit 137"
    )


def test_one_that_takes_too_long_is_stopped() -> None:
    clients = scene()
    started(clients)
    seen(clients, *["RUNNING"] * 13)
    stopped(clients)
    logged(clients, LOG[:2])
    told, check = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting(60))
    assert told == CHECKS[0]
    assert check.verdict is Verdict.UNKNOWN
    assert check.reason == "the task was not done after 1 minutes and was stopped; 1 checks were made by then"
    clients.all_asked()


def test_a_definition_that_logs_elsewhere_starts_nothing() -> None:
    clients = CannedClients()
    found = service(networkConfiguration=NETWORK, launchType="FARGATE")
    clients.answer("ecs", "describe_services", {"services": [found]})
    elsewhere = {"containerDefinitions": [{"name": "worker", "logConfiguration": {"logDriver": "awsfirelens"}}]}
    clients.answer("ecs", "describe_task_definition", {"taskDefinition": elsewhere})
    [check] = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert (check.verdict, "does not log to CloudWatch" in check.reason) == (Verdict.FAILED, True)


def test_an_interrupt_stops_the_task() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    clients = scene()
    started(clients)
    seen(clients, "RUNNING")
    stopped(clients)
    with pytest.raises(KeyboardInterrupt):
        task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses(interrupt).waiting())
    clients.all_asked()


def test_an_interrupt_is_not_lost_when_the_task_cannot_be_stopped() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    clients = scene()
    started(clients)
    seen(clients, "RUNNING")
    clients.refuse("ecs", "stop_task", "AccessDeniedException")
    with pytest.raises(KeyboardInterrupt):
        task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses(interrupt).waiting())


def test_credentials_that_may_only_read_are_told_what_is_missing() -> None:
    clients = scene()
    clients.refuse("ecs", "run_task", "AccessDeniedException", "not authorized to perform: iam:PassRole")
    [check] = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert check.verdict is Verdict.UNKNOWN
    assert "iam:PassRole" in check.reason
    assert "--no-task" in check.fix


def test_what_the_first_task_saw_is_told_though_the_second_does_not_start() -> None:
    clients = scene()
    started(clients)
    found = service(networkConfiguration=NETWORK, launchType="FARGATE")
    clients.answer("ecs", "describe_services", {"services": [found]})
    clients.answer("ecs", "run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})
    seen(clients, "STOPPED")
    logged(clients, LOG)
    checks = task.run(canned(clients), [COMMAND, COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert {(check.name, check.verdict) for check in checks if check.name == "inside"} == {
        ("inside", Verdict.UNKNOWN),
        ("inside", Verdict.OK),
    }
    assert set(CHECKS) < set(checks)


def test_a_task_that_ecs_does_not_place_and_one_that_vanishes() -> None:
    clients = scene()
    clients.answer("ecs", "run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})
    [check] = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert (check.verdict, "Capacity is unavailable" in check.reason) == (Verdict.UNKNOWN, True)
    clients = scene()
    started(clients)
    clients.answer("ecs", "describe_tasks", {"tasks": []})
    stopped(clients)
    [check] = task.run(canned(clients), [COMMAND], progress=lambda _: None, waiting=Pauses().waiting())
    assert (check.verdict, "is gone" in check.reason) == (Verdict.FAILED, True)


def test_a_thousand_accounts_fit_into_the_overrides_of_several_tasks() -> None:
    accounts = [f"{210_000_000_000 + number}" for number in range(1500)]
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{'x' * 64}"
    commands = task.commands(
        accounts,
        ["eu-central-1", "us-east-1"],
        common=["--quiet-days", "30"],
        first=["--qscanner", function],
    )
    assert len(commands) == 3
    told = []
    for command in commands:
        sent = json.dumps({"containerOverrides": [{"name": "worker", "command": command}]})
        assert len(sent) <= 8192
        assert command[:3] == ["doctor", "--inside", "--lines"]
        # What silence means is the same for all.
        assert command[command.index("--quiet-days") + 1] == "30"
        assert command[command.index("--regions") + 1] == "eu-central-1,us-east-1"
        told += command[command.index("--accounts") + 1].split(",")
    assert told == accounts
    assert [("--qscanner" in one, "--accounts-only" in one) for one in commands] == [
        (True, False),
        (False, True),
        (False, True),
    ]


def test_without_accounts_the_task_asks_the_ledger() -> None:
    assert task.commands([], [], common=["--quiet-days", "14"]) == [
        ["doctor", "--inside", "--lines", "--quiet-days", "14"],
    ]


def test_where_no_task_can_be_run() -> None:
    clients = CannedClients()
    assert task.why_not(canned(clients)) == ""
    assert "without a service" in task.why_not(canned(clients, ServiceName=""))


def test_a_local_cloud_runs_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert "127.0.0.1 is no AWS" in task.why_not(canned(CannedClients()))
