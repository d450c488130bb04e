"""Virtual time, and machines that are frozen or cut off in mid-step."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from aiolimiter import AsyncLimiter

from tests.simulation.loop import Host, Livelock, SimulationLoop


def new_loop() -> SimulationLoop:
    return SimulationLoop()  # type: ignore[abstract]  # it has what asyncio asks of a loop without sockets


async def ticks(seen: list[float], count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(1)
        seen.append(round(asyncio.get_running_loop().time(), 3))


def on(loop: SimulationLoop, host: Host, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return loop.create_task(work, context=host.context)


def test_time_jumps_and_order_is_kept() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(3600, seen.append, "later")
        loop.call_later(1, seen.append, "sooner")
        cancelled = loop.call_later(2, seen.append, "never")
        cancelled.cancel()
        await asyncio.sleep(3601)
        return seen

    loop = new_loop()
    assert loop.run(main()) == ["sooner", "later"]
    assert loop.time() == pytest.approx(3601)


def test_time_outs_and_groups_work_as_in_any_loop() -> None:
    async def main() -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.sleep(1, "one"))
        return one.result()

    assert new_loop().run(main()) == "one"


def test_a_frozen_host_does_nothing_and_catches_up_when_it_goes_on() -> None:
    host, loop = Host("w"), new_loop()
    seen: list[float] = []

    async def main() -> None:
        on(loop, host, ticks(seen, 3))
        await asyncio.sleep(1.5)
        loop.freeze(host)
        await asyncio.sleep(100)
        assert seen == [1]
        loop.thaw(host)
        await asyncio.sleep(5)

    loop.run(main())
    assert seen == [1, 101.5, 102.5]


def test_of_a_killed_host_not_even_a_finally_runs() -> None:
    host, loop = Host("w"), new_loop()
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            seen.append("finally")

    async def main() -> None:
        on(loop, host, work())
        await asyncio.sleep(1)
        loop.kill(host)
        await asyncio.sleep(100)
        assert seen == []

    loop.run(main())
    assert seen == []
    loop.dismantle([host])
    assert seen == ["finally"]


def test_a_child_task_belongs_to_its_parents_host() -> None:
    host, loop = Host("w"), new_loop()
    seen: list[float] = []

    async def parent() -> None:
        await asyncio.gather(ticks(seen, 2), ticks(seen, 2))

    async def main() -> None:
        on(loop, host, parent())
        await asyncio.sleep(1.5)
        loop.kill(host)
        await asyncio.sleep(10)

    loop.run(main())
    assert seen == [1, 1]
    loop.dismantle([host])


def test_a_kill_can_come_between_any_two_callbacks() -> None:
    host, loop = Host("w"), new_loop()
    steps: list[int] = []

    async def work() -> None:
        for number in range(100):
            steps.append(number)
            await asyncio.sleep(0)

    async def main() -> None:
        loop.after_turns(20, lambda: loop.kill(host))
        on(loop, host, work())
        await asyncio.sleep(1)

    loop.run(main())
    assert 10 < len(steps) < 30
    loop.dismantle([host])


def test_a_limiter_is_not_stuck_on_a_rounding_error() -> None:
    async def main() -> float:
        limiter = AsyncLimiter(10, 1)
        for _ in range(200):
            async with limiter:
                await asyncio.sleep(0.0137)
        return asyncio.get_running_loop().time()

    assert new_loop().run(main()) == pytest.approx(19, abs=1)


def test_turning_in_circles_is_told() -> None:
    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Livelock, match="callbacks at second"):
        new_loop().run(main())


def test_waiting_for_nothing_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Livelock, match="every task waits"):
        new_loop().run(main())


def test_an_error_in_a_callback_is_remembered() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    loop = new_loop()
    loop.run(main())
    assert loop.strays == ["a callback raised ValueError(\"invalid literal for int() with base 10: 'no number'\")"]
