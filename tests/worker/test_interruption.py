import asyncio

import pytest

from spoke.errors import Unavailable
from tests.virtual_time import run
from worker.interruption import Interruption


async def answer(after: float = 0.0) -> str:
    await asyncio.sleep(after)
    return "ten messages"


def test_what_is_not_interrupted_gives_its_result() -> None:
    async def main() -> None:
        assert await Interruption(asyncio.Event()).of(answer(20)) == "ten messages"
        assert asyncio.get_running_loop().time() == 20

    run(main())


def test_what_is_interrupted_ends_at_once_and_the_next_wait_is_not_affected() -> None:
    async def main() -> None:
        interruption = Interruption(asyncio.Event())
        asyncio.get_running_loop().call_later(3, interruption.now)
        assert await interruption.of(answer(20)) is None
        assert asyncio.get_running_loop().time() == 3
        assert await interruption.of(answer(20)) == "ten messages"

    run(main())


def test_an_interruption_while_nothing_is_waited_for_is_forgotten() -> None:
    async def main() -> None:
        interruption = Interruption(asyncio.Event())
        interruption.now()
        assert await interruption.of(answer()) == "ten messages"
        interruption.now()
        assert await interruption.of(answer()) == "ten messages"

    run(main())


def test_once_it_is_final_nothing_even_begins() -> None:
    async def main() -> None:
        stopping, begun = asyncio.Event(), list[str]()
        interruption = Interruption(stopping)
        assert await interruption.of(answer()) == "ten messages"
        stopping.set()

        async def receive() -> str:
            begun.append("a receive")
            return await answer()

        assert await interruption.of(receive()) is None
        assert begun == []

    run(main())


@pytest.mark.parametrize("is_set", [True, False])
def test_it_is_final_when_the_worker_stops(is_set: bool) -> None:
    stopping = asyncio.Event()
    if is_set:
        stopping.set()
    assert Interruption(stopping).is_final is is_set


def test_a_failure_is_told_and_leaves_nothing_to_interrupt() -> None:
    async def failing() -> str:
        raise Unavailable("no answer")

    async def main() -> None:
        interruption = Interruption(asyncio.Event())
        with pytest.raises(Unavailable, match="no answer"):
            await interruption.of(failing())
        interruption.now()
        assert await interruption.of(answer()) == "ten messages"

    run(main())


def test_whoever_is_cancelled_while_waiting_takes_the_wait_along() -> None:
    """A receive that went on alone would take messages that nobody handles."""

    async def main() -> None:
        ended = asyncio.Event()

        async def poll() -> None:
            try:
                await asyncio.sleep(20)
            finally:
                ended.set()

        loop = asyncio.create_task(Interruption(asyncio.Event()).of(poll()))
        await asyncio.sleep(1)
        loop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loop
        assert ended.is_set()

    run(main())
