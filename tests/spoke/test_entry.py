import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pydantic import SecretStr

from spoke import entry as entry_module
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from spoke.entry import REMEMBERED, Entry
from spoke.errors import NoAccess, SessionRefused
from spoke.roles import Roles
from tests import virtual_time

ACCOUNT, OTHER = "210987654321", "345678901234"
HOME, CLOSED, CLOSED_TOO = "eu-central-1", "me-south-1", "ap-east-1"


class FakeRoles:
    """Numbers the sessions of all accounts; keeps one for each until it is forgotten."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self._kept: dict[str, SessionCredentials] = {}

    async def worker_session(self, account: str, partition: str) -> SessionCredentials:
        await asyncio.sleep(0)
        if account not in self._kept:
            self.made.append((partition, account))
            self._kept[account] = SessionCredentials(
                access_key_id=f"ASIA{len(self.made)}",
                secret_access_key=SecretStr("s"),
                session_token=SecretStr("t"),
                expires_at=datetime(2026, 11, 20, 11, tzinfo=UTC),
            )
        return self._kept[account]

    def forget(self, credentials: SessionCredentials) -> None:
        self._kept = {key: one for key, one in self._kept.items() if one is not credentials}


class FakeClients:
    """Lends (service, region, access key id) in the place of a client."""

    def __init__(self) -> None:
        self.lent = 0

    @asynccontextmanager
    async def borrow(self, service: str, *, region: str, credentials: SessionCredentials) -> AsyncIterator[Any]:
        self.lent += 1
        try:
            yield service, region, credentials.access_key_id
        finally:
            self.lent -= 1


class Spoke:
    """Accounts with regions that refuse every session, and sessions that every region refuses."""

    def __init__(self) -> None:
        self.roles = FakeRoles()
        self.clients = FakeClients()
        self.entry = Entry(cast("Clients", self.clients), cast("Roles", self.roles))
        self.closed = {CLOSED, CLOSED_TOO}
        self.revoked: set[str] = set()
        self.calls: list[tuple[str, str, str]] = []

    async def ask(self, region: str = HOME, account: str = ACCOUNT, **more: Any) -> str:
        return await self.entry.call("lambda", account, region, self._call, **more)

    async def _call(self, client: Any) -> str:  # noqa: ANN401  # three words in the place of a client
        self.calls.append(client)
        await asyncio.sleep(0)
        _, region, key = client
        if region in self.closed or key in self.revoked:
            raise SessionRefused(f"{region}: UnrecognizedClientException")
        return str(key)


async def test_a_call_under_the_account_s_session() -> None:
    spoke = Spoke()
    assert await spoke.ask() == "ASIA1"
    assert await spoke.ask() == "ASIA1"
    assert await spoke.ask(account=OTHER) == "ASIA2"
    assert spoke.calls[0] == ("lambda", HOME, "ASIA1")
    assert spoke.roles.made == [("aws", ACCOUNT), ("aws", OTHER)]
    assert spoke.clients.lent == 0


async def test_the_partition_is_the_region_s_unless_it_is_told() -> None:
    spoke = Spoke()
    await spoke.ask("cn-north-1")
    await spoke.ask(account=OTHER, partition="aws-iso")
    assert spoke.roles.made == [("aws-cn", ACCOUNT), ("aws-iso", OTHER)]


async def test_a_refused_session_is_made_anew_once() -> None:
    spoke = Spoke()
    await spoke.ask()
    spoke.revoked.add("ASIA1")
    assert await spoke.ask() == "ASIA2"
    spoke.revoked.add("ASIA2")
    assert await spoke.ask() == "ASIA3"
    assert len(spoke.roles.made) == 3


async def test_another_refusal_is_no_reason_for_a_new_session() -> None:
    spoke = Spoke()

    async def denied(_: object) -> str:
        raise NoAccess("AccessDeniedException")

    with pytest.raises(NoAccess) as caught:
        await spoke.entry.call("lambda", ACCOUNT, HOME, denied)
    assert type(caught.value) is NoAccess
    assert len(spoke.roles.made) == 1


async def test_a_region_that_is_not_enabled_costs_one_session_and_no_more() -> None:
    spoke = Spoke()
    await spoke.ask()
    for region in (CLOSED, CLOSED_TOO) * 10:
        with pytest.raises(SessionRefused, match=region):
            await spoke.ask(region)
        assert await spoke.ask() == spoke.calls[-1][2]
    assert len(spoke.roles.made) == 3


async def test_regions_that_are_not_enabled_at_once_cost_one_session() -> None:
    spoke = Spoke()
    await spoke.ask()
    answers = await asyncio.gather(*(spoke.ask(one) for one in (CLOSED, CLOSED_TOO, HOME)), return_exceptions=True)
    assert [type(one) for one in answers] == [SessionRefused, SessionRefused, str]
    assert len(spoke.roles.made) == 2


async def test_elsewhere_a_session_that_ends_early_is_replaced_all_the_same() -> None:
    spoke = Spoke()
    with pytest.raises(SessionRefused):
        await spoke.ask(CLOSED)
    spoke.revoked.update({"ASIA1", "ASIA2"})
    assert await spoke.ask() == "ASIA3"


async def test_a_region_that_was_enabled_meanwhile_is_like_any_other() -> None:
    spoke = Spoke()
    with pytest.raises(SessionRefused):
        await spoke.ask(CLOSED)
    spoke.closed.clear()
    assert await spoke.ask(CLOSED) == "ASIA2"
    spoke.revoked.add("ASIA2")
    assert await spoke.ask(CLOSED) == "ASIA3"


def test_after_a_while_a_region_gets_another_chance() -> None:
    async def main() -> int:
        spoke = Spoke()
        for _ in range(3):
            with pytest.raises(SessionRefused):
                await spoke.ask(CLOSED)
            await asyncio.sleep(REMEMBERED + 1)
        return len(spoke.roles.made)

    assert virtual_time.run(main()) == 4


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_module, "MAX_REFUSING", 3)
    spoke = Spoke()
    for number in range(10):
        with pytest.raises(SessionRefused):
            await spoke.ask(CLOSED, account=f"{number:012}")
    assert len(spoke.entry._refusing) == 3
