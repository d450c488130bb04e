"""The worker's own parts, and the agent of ECS."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from hub.diagnosis import Verdict
from hub.inquiry import answered
from hub.settings import Settings
from infra.doctor.inside import parts
from spoke.errors import Misconfigured
from tests.doubles.qscanner_rig import QUEUE, SECRET_ARN

SETTINGS = Settings(
    changes_queue_url=f"{QUEUE}/changes",
    changes_dlq_url=f"{QUEUE}/changes-dlq",
    ledger_table="scanhub-ledger",
    results_bucket="scanhub-results",
    qualys_secret_arn=SECRET_ARN,
    external_id=SecretStr("e-x-t"),
)


class Part:
    def __init__(self, fault: Exception | None = None) -> None:
        self._fault = fault

    async def check(self) -> None:
        if self._fault is not None:
            raise self._fault


async def test_each_part_is_asked_by_itself() -> None:
    inquiries = parts.inquiries(
        SETTINGS,
        queues={"changes": Part(), "sweep": Part(Misconfigured("QueueDoesNotExist"))},
        ledger=Part(Misconfigured("AccessDeniedException")),
        results=Part(),
    )
    found = {(check.name, check.subject): check for check in [await answered(one) for one in inquiries]}
    assert {place: check.verdict for place, check in found.items()} == {
        ("reach-queues", "changes"): Verdict.OK,
        ("reach-queues", "sweep"): Verdict.FAILED,
        ("reach-ledger", "scanhub-ledger"): Verdict.FAILED,
        ("reach-bucket", "scanhub-results"): Verdict.OK,
    }


class Agent:
    """Answers as ECS's agent does on its endpoint, and notes how it was asked."""

    def __init__(self) -> None:
        self.answer: Any = {}
        self.status = 200
        self.asked: list[tuple[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def agent() -> AsyncIterator[tuple[Agent, str]]:
    one = Agent()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", one.handle)
    async with TestServer(application) as server:
        yield one, str(server.make_url("/api/0f9d/"))


TASK = "arn:aws:ecs:eu-central-1:123456789012:task/scanhub/0f9d"


@pytest.mark.parametrize(
    ("status", "answer", "verdict"),
    [
        (200, {"protection": {"ProtectionEnabled": True, "TaskArn": TASK}}, Verdict.OK),
        (200, {"failure": {"Arn": TASK, "Detail": None, "Reason": "TASK_NOT_VALID"}}, Verdict.OK),
        (400, {"error": {"Arn": TASK, "Code": "AccessDeniedException", "Message": "no"}}, Verdict.OK),
        (500, {"error": {"Arn": TASK, "Code": "RequestError", "Message": "unable to reach ECS"}}, Verdict.FAILED),
        (200, {}, Verdict.FAILED),
        (200, ["odd"], Verdict.FAILED),
    ],
)
async def test_any_answer_of_ecs_shows_that_the_way_is_open(
    status: int, answer: object, verdict: Verdict, agent: tuple[Agent, str]
) -> None:
    one, uri = agent
    one.status, one.answer = status, answer
    check = await answered(parts.protection(uri))
    assert check.verdict is verdict
    # Nothing is changed: a scan of this very task keeps its protection.
    assert one.asked == [("GET", "/api/0f9d/task-protection/v1/state")]


async def test_an_agent_that_is_not_there() -> None:
    check = await answered(parts.protection("http://127.0.0.1:9"))
    assert check.verdict is Verdict.FAILED
