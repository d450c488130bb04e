import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from hub import ecs_agent
from hub.ecs_agent import EcsTaskProtection
from spoke.errors import Retry, Throttled, Unavailable
from tests.hub.ecs_agent_double import TASK, Agent, agent

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
async def endpoint() -> AsyncIterator[Agent]:
    async with agent() as one:
        yield one


@pytest.fixture
async def protection(endpoint: Agent) -> AsyncIterator[EcsTaskProtection]:
    async with aiohttp.ClientSession() as session:
        yield EcsTaskProtection(session, endpoint.uri)


@pytest.mark.parametrize(
    ("span", "minutes"),
    [
        (timedelta(minutes=30), 30),
        (timedelta(seconds=61), 2),
        (timedelta(seconds=1), 1),
        (timedelta(0), 1),
        (timedelta(hours=48), 2880),
        (timedelta(days=30), 2880),
    ],
)
async def test_a_span_is_rounded_up_to_minutes_that_ecs_takes(
    endpoint: Agent, protection: EcsTaskProtection, span: timedelta, minutes: int
) -> None:
    await protection.protect(span)
    assert endpoint.requests == [{"ProtectionEnabled": True, "ExpiresInMinutes": minutes}]


async def test_release_names_no_time(endpoint: Agent, protection: EcsTaskProtection) -> None:
    await protection.release()
    assert endpoint.requests == [{"ProtectionEnabled": False}]


def error(code: str, message: str) -> str:
    return json.dumps({"requestID": "12345-abc", "error": {"Arn": TASK, "Code": code, "Message": message}})


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, error("ThrottlingException", "Rate exceeded"), Throttled, "ThrottlingException: Rate exceeded"),
        (429, error("SomethingNew", "Slow down"), Throttled, "SomethingNew"),
        (500, error("ServerException", "Oh"), Unavailable, "ServerException: Oh"),
        (504, error("RequestCanceled", "Timed out calling Amazon ECS Task Protection API"), Unavailable, "Timed out"),
        (200, error("RequestError", "dial tcp: i/o\n timeout"), Unavailable, "dial tcp: i/o timeout"),
        (403, error("AccessDeniedException", "no identity-based policy allows"), Retry, "AccessDeniedException: no"),
        (400, error("InvalidParameterException", "?"), Retry, "InvalidParameterException"),
        (200, json.dumps({"failure": {"Arn": TASK, "Detail": None, "Reason": "TASK_NOT_VALID"}}), Retry, "NOT_VALID$"),
        (
            200,
            json.dumps({"failure": {"Arn": TASK, "Detail": "more than desired", "Reason": "DEPLOYMENT_BLOCKED"}}),
            Retry,
            "DEPLOYMENT_BLOCKED: more than desired",
        ),
        (404, "404 page not found", Unavailable, "no JSON"),
        (200, "{}", Unavailable, r"not known \(HTTP 200\)"),
        (200, "[]", Unavailable, r"not known \(HTTP 200\)"),
        (503, '{"error": "down"}', Unavailable, r"not known \(HTTP 503\)"),
        (200, '{"protection": {"ProtectionEnabled": false}}', Unavailable, "not known"),
        (302, "", Unavailable, r"no JSON|not known"),
    ],
)
async def test_what_the_agent_says_becomes_one_of_our_errors(
    endpoint: Agent, protection: EcsTaskProtection, status: int, body: str, kind: type[Retry], words: str
) -> None:
    endpoint.answer = (status, body)
    with pytest.raises(Retry, match=words) as raised:
        await protection.protect(HALF_AN_HOUR)
    assert type(raised.value) is kind
    assert raised.value.text.startswith("setting task protection: ")
    assert "\n" not in raised.value.text


async def test_protection_that_stays_on_after_a_release_is_not_taken_for_released(
    endpoint: Agent, protection: EcsTaskProtection
) -> None:
    endpoint.answer = (200, '{"protection": {"ProtectionEnabled": true}}')
    with pytest.raises(Unavailable):
        await protection.release()


async def test_json_is_read_whatever_it_is_called(endpoint: Agent, protection: EcsTaskProtection) -> None:
    endpoint.answer, endpoint.content_type = (400, error("ThrottlingException", "Rate exceeded")), "text/plain"
    with pytest.raises(Throttled):
        await protection.protect(HALF_AN_HOUR)


async def test_an_agent_that_hangs_is_given_up(
    endpoint: Agent, protection: EcsTaskProtection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ecs_agent.TIME_OUT.total == 5
    monkeypatch.setattr(ecs_agent, "TIME_OUT", aiohttp.ClientTimeout(total=0.05))
    endpoint.hangs = True
    with pytest.raises(Unavailable, match="no answer within"):
        await protection.protect(HALF_AN_HOUR)
    assert len(endpoint.requests) == 1


async def test_where_nobody_listens_is_unavailable() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="setting task protection: ClientConnectorError"):
            await EcsTaskProtection(session, "http://127.0.0.1:9/api/4f2c-task").release()


async def test_an_address_that_is_none_is_unavailable() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="InvalidU"):
            await EcsTaskProtection(session, "nonsense").release()


async def test_the_agent_is_not_looked_for_behind_a_proxy(
    endpoint: Agent, protection: EcsTaskProtection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await protection.protect(HALF_AN_HOUR)
    assert endpoint.minutes == 30
