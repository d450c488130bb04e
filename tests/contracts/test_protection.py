"""What every task protection does, whichever stands behind it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import aiohttp
import pytest

from hub.ecs_agent import EcsTaskProtection
from spoke.errors import Throttled
from tests.hub.ecs_agent_double import agent
from worker.memory.protection import MemoryProtection
from worker.ports import Protection

InForce = Callable[[], timedelta | None]
"""For how long the last call that took effect protects; None if it does not."""


@pytest.fixture(params=["memory", "ecs"])
async def protected(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Protection, InForce]]:
    if request.param == "memory":
        memory = MemoryProtection()
        yield memory, lambda: memory.calls[-1] if memory.calls else None
        return
    async with agent() as endpoint, aiohttp.ClientSession() as session:

        def in_force() -> timedelta | None:
            return None if endpoint.minutes is None else timedelta(minutes=endpoint.minutes)

        yield EcsTaskProtection(session, endpoint.uri), in_force


async def test_it_is_off_at_first(protected: tuple[Protection, InForce]) -> None:
    _, in_force = protected
    assert in_force() is None


async def test_it_is_on_for_the_span_asked_for_and_off_after_release(protected: tuple[Protection, InForce]) -> None:
    protection, in_force = protected
    await protection.protect(timedelta(minutes=30))
    assert in_force() == timedelta(minutes=30)
    await protection.release()
    assert in_force() is None


async def test_asked_again_the_last_span_counts(protected: tuple[Protection, InForce]) -> None:
    protection, in_force = protected
    await protection.protect(timedelta(minutes=30))
    await protection.protect(timedelta(minutes=1))
    assert in_force() == timedelta(minutes=1)


async def test_releasing_what_is_not_held_is_no_error(protected: tuple[Protection, InForce]) -> None:
    protection, in_force = protected
    await protection.release()
    await protection.release()
    assert in_force() is None


async def test_the_memory_protection_can_show_a_lost_answer() -> None:
    async def lose_the_answer(operation: str, *, after: bool) -> None:
        if after:
            raise Throttled(f"{operation} was throttled")

    protection = MemoryProtection(lose_the_answer)
    with pytest.raises(Throttled, match="protect was throttled"):
        await protection.protect(timedelta(minutes=1))
    assert protection.calls == [timedelta(minutes=1)]
    with pytest.raises(Throttled, match="release was throttled"):
        await protection.release()
    assert protection.calls == [timedelta(minutes=1), None]
