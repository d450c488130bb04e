from typing import Any

import pytest

from infra import hub_task
from infra.hub_task import HubTask
from spoke.errors import Misconfigured, ScanhubError, Unavailable
from tests.infra.script import Script, refusal
from tests.infra.template import template

ARN = "arn:aws:ecs:eu-central-1:123456789012:task/scanhub/0f2d9c3e4b5a4c6d8e7f9a0b1c2d3e4f"
TASK = HubTask(arn=ARN, log="sweep/worker/0f2d9c3e4b5a4c6d8e7f9a0b1c2d3e4f")
NETWORK: Any = {
    "awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}
}


def ecs(*tasks: Any) -> Script:
    script = Script("ecs")
    script.on("DescribeServices", {"services": [{"status": "ACTIVE", "networkConfiguration": NETWORK}]})
    script.on("RunTask", {"tasks": [{"taskArn": ARN}]})
    return script.on("DescribeTasks", *({"tasks": [task] if task else []} for task in tasks)) if tasks else script


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_task, "_PAUSE", 0)


def test_the_names_are_those_of_the_template() -> None:
    resources = template("hub.yaml")["Resources"]
    assert resources["Cluster"]["Properties"]["ClusterName"] == hub_task.CLUSTER
    assert resources["Service"]["Properties"]["ServiceName"] == hub_task.SERVICE
    assert resources["Logs"]["Properties"]["LogGroupName"] == hub_task.LOG_GROUP
    sweep = resources["SweepTask"]["Properties"]
    [container] = sweep["ContainerDefinitions"]
    assert (sweep["Family"], container["Name"]) == (hub_task.FAMILY, hub_task.CONTAINER)
    assert container["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == "sweep"


def test_a_task_runs_the_command_in_the_network_of_the_service() -> None:
    script = ecs()
    task = hub_task.start(
        script.client, ["sweep", "--accounts", "210000000001"], by="assumed-role/Admin/jo@example.com" + "x" * 300
    )
    assert task == TASK
    [call] = script.calls["RunTask"]
    assert call["taskDefinition"] == "scanhub-sweep"
    assert call["networkConfiguration"] == NETWORK
    assert call["overrides"] == {
        "containerOverrides": [{"name": "worker", "command": ["sweep", "--accounts", "210000000001"]}]
    }
    assert call["startedBy"].startswith("assumed-role/Admin/jo_example_comxxx")
    assert len(call["startedBy"]) == 128


@pytest.mark.parametrize("services", [[], [{"status": "INACTIVE"}]])
def test_without_a_service_nothing_is_started(services: list[Any]) -> None:
    script = ecs().on("DescribeServices", {"services": services})
    with pytest.raises(Misconfigured, match="there is no service scanhub-worker"):
        hub_task.start(script.client, ["sweep"], by="me")
    assert not script.calls["RunTask"]


def test_fargate_without_room_is_told_with_its_reason() -> None:
    script = ecs().on("RunTask", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]})
    with pytest.raises(Unavailable, match="Capacity is unavailable"):
        hub_task.start(script.client, ["sweep"], by="me")


def test_what_aws_refuses_is_the_callers_fault() -> None:
    script = ecs().on("RunTask", refusal("AccessDeniedException", "not authorized to perform: iam:PassRole"))
    with pytest.raises(Misconfigured, match="iam:PassRole"):
        hub_task.start(script.client, ["sweep"], by="me")


def test_a_command_too_long_for_a_task_is_refused_before_anything_is_asked() -> None:
    script = ecs()
    with pytest.raises(Misconfigured, match="too long for a task"):
        hub_task.start(script.client, ["sweep", "--accounts", ",".join(["210000000001"] * 400)], by="me")
    assert not script.calls


def test_the_exit_code_of_the_command_is_told_when_it_has_ended() -> None:
    ended = {"lastStatus": "STOPPED", "containers": [{"exitCode": 3}]}
    script = ecs(None, {"lastStatus": "PENDING"}, {"lastStatus": "RUNNING"}, ended)
    looks: list[str] = []
    assert hub_task.ended(script.client, TASK, patience=60, looked=looks.append) == 3
    assert looks == ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"]


def test_a_task_that_never_ran_is_told_with_ecs_s_reason() -> None:
    reason = "CannotPullContainerError: no basic auth credentials"
    script = ecs({"lastStatus": "STOPPED", "stoppedReason": reason, "containers": [{}]})
    with pytest.raises(Misconfigured, match="CannotPullContainerError"):
        hub_task.ended(script.client, TASK, patience=60, looked=lambda _: None)


def test_patience_has_an_end_and_the_task_goes_on() -> None:
    script = ecs({"lastStatus": "RUNNING"})
    with pytest.raises(ScanhubError, match="has not ended within 0 s; it goes on"):
        hub_task.ended(script.client, TASK, patience=0, looked=lambda _: None)


def test_a_task_that_ecs_has_forgotten_meanwhile_is_not_waited_for() -> None:
    script = ecs({"lastStatus": "RUNNING"}, None)
    with pytest.raises(ScanhubError, match=r"ECS does not know its exit code any more.*sweep/worker/0f2d"):
        hub_task.ended(script.client, TASK, patience=5, looked=lambda _: None)
