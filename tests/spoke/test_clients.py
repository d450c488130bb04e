import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.client import AioBaseClient
from botocore.awsrequest import AWSPreparedRequest
from pydantic import SecretStr

from spoke.clients import CONFIG, Clients
from spoke.credentials import SessionCredentials
from spoke.errors import Misconfigured
from tests.conftest import HUB_ACCOUNT, REGION

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every client that was closed, in order."""
    seen: list[Any] = []
    leave = AioBaseClient.__aexit__

    async def note(self: AioBaseClient, *why: Any) -> None:
        seen.append(self)
        await leave(self, *why)

    monkeypatch.setattr(AioBaseClient, "__aexit__", note)
    return seen


def session(number: int) -> SessionCredentials:
    return SessionCredentials(
        access_key_id=f"ASIAXT4VQ2Z7PEX{number:05d}",
        secret_access_key=SecretStr(f"secret-{number}"),
        session_token=SecretStr(f"token-{number}"),
        expires_at=datetime(2026, 11, 20, 11, tzinfo=UTC),
    )


async def borrowed(clients: Clients, credentials: SessionCredentials, region: str = REGION) -> "LambdaClient":
    async with clients.borrow("lambda", region=region, credentials=credentials) as client:
        return client


async def test_one_client_for_a_service_and_a_region() -> None:
    async with Clients() as clients:
        sqs = await clients.get("sqs")
        assert await clients.get("sqs") is sqs
        assert await clients.get("sqs", region="us-east-1") is not sqs
        assert (await clients.get("sqs", region="us-east-1")).meta.region_name == "us-east-1"
        assert sqs.meta.region_name == REGION
        assert (await clients.get("dynamodb")).meta.service_model.service_name == "dynamodb"


async def test_one_is_made_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Clients() as clients:
        made = 0
        make: Any = clients._session.create_client

        def count(service: object, **options: Any) -> object:
            nonlocal made
            made += 1
            return make(service, **options)

        monkeypatch.setattr(clients._session, "create_client", count)
        assert len({id(client) for client in await asyncio.gather(*(clients.get("s3") for _ in range(20)))}) == 1
        assert made == 1


async def test_a_caller_that_is_cancelled_spoils_nothing_for_the_others() -> None:
    async with Clients() as clients:
        first, second = (asyncio.create_task(clients.get("s3")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).meta.service_model.service_name == "s3"
        assert first.cancelled()


async def test_all_are_closed_at_the_end(closed: list[Any]) -> None:
    async with Clients() as clients:
        mine = [await clients.get("sqs"), await clients.get("sts")]
        theirs = await borrowed(clients, session(1))
        assert closed == []
    assert {id(client.meta) for client in closed} == {id(client.meta) for client in (*mine, theirs)}
    with pytest.raises(RuntimeError, match="closed"):
        await clients.get("sqs")


async def test_the_end_waits_for_no_client_that_is_still_being_made(closed: list[Any]) -> None:
    async with Clients() as clients:
        asking = asyncio.create_task(clients.get("sqs"))
        await asyncio.sleep(0)
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        await asking
    assert clients._open == {}
    assert closed == []


async def test_all_sessions_of_a_region_share_one_client() -> None:
    async with Clients() as clients:
        client = await borrowed(clients, session(7), "eu-west-1")
        assert client.meta.region_name == "eu-west-1"
        for number in range(60):
            assert (await borrowed(clients, session(number), "eu-west-1")).meta is client.meta
        assert (await borrowed(clients, session(7), "eu-west-2")).meta.region_name == "eu-west-2"
        own = await clients.get("lambda", region="eu-west-1")
        assert own.meta is not client.meta
        assert len(clients._open) == 3


async def test_many_regions_do_not_leak(closed: list[Any]) -> None:
    async with Clients(limit=5) as clients:
        await clients.get("sqs")
        for number in range(60):
            await borrowed(clients, session(1), f"eu-central-{number}")
            assert len(clients._open) <= 6
        assert len(closed) == 55


async def test_the_longest_unused_goes_first(closed: list[Any]) -> None:
    async with Clients(limit=2) as clients:
        first = await borrowed(clients, session(1), "eu-west-1")
        second = await borrowed(clients, session(1), "eu-west-2")
        assert (await borrowed(clients, session(2), "eu-west-1")).meta is first.meta
        await borrowed(clients, session(1), "eu-west-3")
        assert [client.meta for client in closed] == [second.meta]


async def test_one_in_use_is_never_closed(closed: list[Any]) -> None:
    async with Clients(limit=1) as clients:
        async with clients.borrow("lambda", region="eu-west-1", credentials=session(1)) as first:
            second = await borrowed(clients, session(1), "eu-west-2")
            third = await borrowed(clients, session(1), "eu-west-3")
            assert [client.meta for client in closed] == [second.meta]
            async with clients.borrow("lambda", region="eu-west-1", credentials=session(2)) as again:
                assert again.meta is first.meta
        await borrowed(clients, session(1), "eu-south-1")
        assert [client.meta for client in closed] == [second.meta, third.meta, first.meta]


async def test_the_hub_s_own_clients_make_no_room(closed: list[Any]) -> None:
    async with Clients(limit=1) as clients:
        own = [await clients.get("sts", region=region) for region in ("eu-west-1", "eu-west-2", "eu-west-3")]
        await borrowed(clients, session(1), "eu-west-1")
        await borrowed(clients, session(1), "eu-west-2")
        assert len(closed) == 1
        assert not any(client is one for client in closed for one in own)


async def test_many_at_once_with_little_room(moto: str) -> None:
    async with Clients(limit=2) as clients:

        async def ask(number: int) -> str:
            async with clients.borrow("sts", region=f"eu-west-{number % 7}", credentials=session(number)) as client:
                return (await client.get_caller_identity())["Account"]

        assert moto
        assert await asyncio.gather(*(ask(number) for number in range(40))) == [HUB_ACCOUNT] * 40
        assert all(not opened.users for opened in clients._open.values())


async def test_the_user_agent(moto: str) -> None:
    seen: list[str] = []

    def note(request: AWSPreparedRequest, **_: object) -> None:
        agent = request.headers["User-Agent"]
        seen.append(agent.decode() if isinstance(agent, bytes) else agent)

    async with Clients(user_agent="scanhub/0.1.0") as clients:
        sts = await clients.get("sts")
        sts.meta.events.register("before-send.sts", note)
        await sts.get_caller_identity()
    assert moto
    assert "scanhub/0.1.0" in seen[0]


async def test_without_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    async with Clients() as clients:
        with pytest.raises(Misconfigured, match="AWS_REGION"):
            await clients.get("sqs")
        assert (await clients.get("sqs", region=REGION)).meta.region_name == REGION


async def test_a_broken_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    async with Clients() as clients:
        with pytest.raises(Misconfigured, match="no-such-profile"):
            await clients.get("sqs")


def test_a_read_may_last_longer_than_sqs_s_long_poll() -> None:
    config: Any = CONFIG
    assert config.read_timeout > 20
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
