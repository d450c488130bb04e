"""A command that runs as a task in the hub: what whoever has started it is told. ECS answers by a script."""

from collections.abc import Callable
from typing import Any

import pytest

from infra import hub_task
from scanhub import in_hub
from tests.infra.script import Script

ARN = "arn:aws:ecs:eu-central-1:123456789012:task/scanhub/0f2d9c3e4b5a4c6d8e7f9a0b1c2d3e4f"
NETWORK: Any = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Script:
    script = Script("ecs")
    script.on("DescribeServices", {"services": [{"status": "ACTIVE", "networkConfiguration": NETWORK}]})
    script.on("RunTask", {"tasks": [{"taskArn": ARN}]})

    class ScriptedSessions:
        def __init__(self, *, region: str | None) -> None:
            self.region = region

        def client(self, service: str) -> Any:  # noqa: ANN401  # boto3's clients have no common type
            assert service == "ecs"
            return script.client

    async def caller() -> str:
        return "user/jo"

    monkeypatch.setattr(in_hub, "Sessions", ScriptedSessions)
    monkeypatch.setattr(in_hub, "_caller", caller)
    monkeypatch.setattr(hub_task, "_PAUSE", 0)
    return script


def test_it_ends_with_the_exit_code_of_the_command(ecs: Script, capsys: pytest.CaptureFixture[str]) -> None:
    ecs.on(
        "DescribeTasks",
        {"tasks": [{"lastStatus": "RUNNING"}]},
        {"tasks": [{"lastStatus": "RUNNING"}]},
        {"tasks": [{"lastStatus": "STOPPED", "containers": [{"exitCode": 3}]}]},
    )
    assert in_hub.run_in_hub(["sweep"], wait=True) == 3
    told = capsys.readouterr().out
    assert f"task  {ARN}\nlog   /scanhub/worker sweep/worker/0f2d9c3e4b5a4c6d8e7f9a0b1c2d3e4f\n" in told
    assert told.split()[-2:] == ["running", "stopped"]


def test_without_waiting_it_ends_when_the_task_is_taken(ecs: Script) -> None:
    assert in_hub.run_in_hub(["sweep"], wait=False) == 0
    assert not ecs.calls["DescribeTasks"]


def test_ctrl_c_says_that_the_task_goes_on(
    ecs: Script, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, looked: Callable[[str], None], **__: object) -> int:
        looked("RUNNING")
        raise KeyboardInterrupt

    monkeypatch.setattr(hub_task, "ended", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_hub.run_in_hub(["sweep"], wait=True)
    assert f"aws ecs stop-task --cluster scanhub --task {ARN}" in capsys.readouterr().err
    assert len(ecs.calls["RunTask"]) == 1
