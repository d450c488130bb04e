"""Whose call it is: many sessions share one client, and AWS must see each call as its own session's, at every try."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.endpoint import AioEndpoint
from botocore.exceptions import ClientError
from pydantic import SecretStr

from spoke.borrowed import NOBODY
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from tests.conftest import REGION
from tests.spoke.lambda_double import LambdaDouble, Try, at_once, held

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

ACCOUNTS = [f"2109876543{number:02}" for number in range(12)]
SESSIONS = {
    account: SessionCredentials(
        access_key_id=f"ASIAXT4VQ2Z7{account[-8:]}",
        secret_access_key=SecretStr(f"canary-secret-of-{account}"),
        session_token=SecretStr(f"token-of-{account}"),
        expires_at=datetime(2026, 11, 20, 11, tzinfo=UTC) + timedelta(hours=1),
    )
    for account in ACCOUNTS
}
KEYS = {account: session.access_key_id for account, session in SESSIONS.items()}
A, B = ACCOUNTS[:2]


@pytest.fixture(autouse=True)
def _no_pause_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_endpoint: AioEndpoint, _seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(AioEndpoint, "_sleep", pause)


@asynccontextmanager
async def aws(
    monkeypatch: pytest.MonkeyPatch, status: Callable[[str, int], Awaitable[int]] = at_once
) -> AsyncIterator[tuple[LambdaDouble, Clients]]:
    double = LambdaDouble(SESSIONS, status)
    async with double.served() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        async with Clients() as clients:
            yield double, clients


def arn(account: str, name: str = "orders-api") -> str:
    return f"arn:aws:lambda:{REGION}:{account}:function:{name}"


async def ask(clients: Clients, account: str, name: str = "orders-api") -> str:
    async with clients.borrow("lambda", region=REGION, credentials=SESSIONS[account]) as client:
        return await asked(client, account, name)


async def asked(client: "LambdaClient", account: str, name: str = "orders-api") -> str:
    return (await client.get_function(FunctionName=arn(account, name)))["Configuration"]["FunctionArn"]


async def shared(clients: Clients) -> Any:  # noqa: ANN401  # its type would promise a session
    """The client itself, which nobody is given."""
    await ask(clients, A)
    (opened,) = clients._open.values()
    return opened.client


@pytest.mark.parametrize("seed", range(5))
async def test_many_sessions_at_once_never_mix(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # an order, no secret
    # Two thirds of the functions are refused once or twice, so that their calls are signed anew in the thick of others.
    # Their ninety retries stay within botocore's quota for a client (500, each costs 5), whatever the order is.
    refusals = {f"function-{number}": number % 3 for number in range(90)}

    async def status(function: str, number: int) -> int:
        for _ in range(chance.randrange(40)):
            await asyncio.sleep(0)
        return chance.choice([429, 500, 503]) if number <= refusals[function.rpartition(":")[2]] else 200

    async with aws(monkeypatch, status) as (double, clients):

        async def one(name: str) -> None:
            account = chance.choice(ACCOUNTS)
            for _ in range(chance.randrange(40)):
                await asyncio.sleep(0)
            assert await ask(clients, account, name) == arn(account, name)

        names = list(refusals)
        chance.shuffle(names)
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(one(name))
        assert double.refused == []
        assert all(seen.access_key_id == KEYS[seen.account] for seen in double.tries)
        assert len(double.tries) == 90 + 30 + 60
        assert len({seen.account for seen in double.tries}) == len(ACCOUNTS)
        assert len(clients._open) == 1
        assert all(not opened.users for opened in clients._open.values())


async def test_two_sessions_in_the_hands_of_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aws(monkeypatch) as (double, clients), AsyncExitStack() as stack:
        a, b = [
            await stack.enter_async_context(clients.borrow("lambda", region=REGION, credentials=SESSIONS[account]))
            for account in (A, B)
        ]
        await asked(a, A)
        await asked(b, B)
        await asked(a, A)
        await asyncio.gather(asked(b, B), asked(a, A))
        assert double.refused == []
        assert Counter(double.tries) == {Try(A, KEYS[A]): 3, Try(B, KEYS[B]): 2}


async def test_another_session_s_function_is_not_asked_for_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double tells them apart: the tests above would fail if the sessions mixed."""
    async with aws(monkeypatch) as (double, clients):
        async with clients.borrow("lambda", region=REGION, credentials=SESSIONS[A]) as client:
            with pytest.raises(ClientError, match="InvalidSignatureException"):
                await asked(client, B)
        assert double.refused == [arn(B)]


async def test_a_task_started_within_has_the_session_of_the_client_it_is_handed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with aws(monkeypatch) as (double, clients):
        async with clients.borrow("lambda", region=REGION, credentials=SESSIONS[A]) as a:
            within = [asyncio.create_task(asked(a, A)), asyncio.create_task(ask(clients, B))]
            await asyncio.gather(*within, asyncio.to_thread(lambda: None))
        assert double.refused == []
        assert Counter(double.tries) == {Try(A, KEYS[A]): 1, Try(B, KEYS[B]): 1}


async def test_a_late_answer_is_followed_by_a_try_of_the_same_session(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = asyncio.Event()
    late = held(answered, 503, 429)

    async def status(function: str, number: int) -> int:
        return await late(function, number) if function == arn(A) else 200

    async with aws(monkeypatch, status) as (double, clients):
        waiting = asyncio.create_task(ask(clients, A))
        while not double.tries:
            await asyncio.sleep(0)
        for account in ACCOUNTS[1:]:
            await ask(clients, account)
        answered.set()
        assert await waiting == arn(A)
        assert [seen.access_key_id for seen in double.tries if seen.account == A] == [KEYS[A]] * 3
        assert double.refused == []


async def test_a_call_that_is_cancelled_leaves_nothing_of_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def status(function: str, _number: int) -> int:
        if function == arn(A):
            await never.wait()
        return 200

    async with aws(monkeypatch, status) as (double, clients):
        waiting = asyncio.create_task(ask(clients, A))
        while not double.tries:
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        assert await ask(clients, B) == arn(B)
        assert all(not opened.users for opened in clients._open.values())


async def test_without_a_session_no_call_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aws(monkeypatch) as (double, clients):
        client = await shared(clients)
        del double.tries[:]
        with pytest.raises(RuntimeError, match="GetFunction without a role session"):
            await client.get_function(FunctionName=arn(A))
        with pytest.raises(RuntimeError, match="GetFunction without a role session"):
            await client.generate_presigned_url("get_function", Params={"FunctionName": arn(A)})
        assert double.tries == []


async def test_what_was_given_back_makes_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with aws(monkeypatch) as (double, clients):
        async with clients.borrow("lambda", region=REGION, credentials=SESSIONS[A]) as client:
            pass
        with pytest.raises(RuntimeError, match="given back"):
            await asked(client, A)
        assert double.tries == []


async def test_the_process_s_own_credentials_are_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where botocore came to sign with the client's own credentials: they are nobody's."""
    async with aws(monkeypatch) as (_, clients):
        client = await shared(clients)
        frozen = await client._request_signer._credentials.get_frozen_credentials()
        assert (frozen.access_key, frozen.secret_key, frozen.token) == (*NOBODY.values(), None)
        own: Any = await clients.get("lambda", region=REGION)
        assert own is not client
        assert (await own._request_signer._credentials.get_frozen_credentials()).access_key == "testing"


async def test_only_operations_can_be_borrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        aws(monkeypatch) as (_, clients),
        clients.borrow("lambda", region=REGION, credentials=SESSIONS[A]) as client,
    ):
        assert client.meta.region_name == REGION
        for name in ("get_paginator", "get_waiter", "generate_presigned_url", "close", "_make_api_call", "no_such"):
            with pytest.raises(AttributeError, match=name):
                getattr(client, name)


async def test_the_secret_key_is_in_no_log_and_no_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with aws(monkeypatch) as (_, clients):
        async with clients.borrow("lambda", region=REGION, credentials=SESSIONS[A]) as client:
            await asked(client, A)
            assert "canary" not in repr(client) + str(client)
        with pytest.raises(RuntimeError) as caught:
            await asked(client, A)
    assert "Making request for" in caplog.text
    assert "canary" not in caplog.text + str(caught.value)
