import asyncio
from bisect import bisect_left
from collections.abc import Sequence

import pytest

from hub.sweep.pace import Pace
from tests.virtual_time import run


async def sent(per_minute: int, batches: Sequence[int], *, at_once: int = 1) -> list[float]:
    """When each request went, with several places that take the next batch."""
    pace, moments, left = Pace(per_minute), [], iter(batches)

    async def place() -> None:
        for batch in left:
            await pace.wait(batch)
            moments.extend([asyncio.get_running_loop().time()] * batch)

    await asyncio.gather(*(place() for _ in range(at_once)))
    return moments


@pytest.mark.parametrize("per_minute", [1, 6, 60, 777])
@pytest.mark.parametrize("at_once", [1, 8])
def test_no_minute_has_more_than_are_allowed_and_a_call(per_minute: int, at_once: int) -> None:
    moments = run(sent(per_minute, [10] * max(5, per_minute // 4), at_once=at_once))
    burst = max(10, per_minute / 6)
    for first, start in enumerate(moments):
        in_minute = bisect_left(moments, start + 59.99) - first
        assert in_minute <= per_minute + burst + 10
    # Neither is it slower than set.
    assert moments[-1] <= (len(moments) - burst) * 60 / per_minute + 60 / per_minute


def test_without_a_limit_nobody_waits() -> None:
    assert run(sent(0, [10] * 100)) == [0.0] * 1000


def test_a_small_request_does_not_overtake_large_ones() -> None:
    async def main() -> None:
        pace, order = Pace(60), []

        async def place(name: str, batch: int) -> None:
            await pace.wait(batch)
            order.append(name)

        await place("first", 10)
        await asyncio.gather(place("large", 10), place("larger", 10), place("small", 1))
        assert order == ["first", "large", "larger", "small"]

    run(main())


def test_who_is_cancelled_makes_room_for_the_next() -> None:
    async def main() -> None:
        pace = Pace(60)
        await pace.wait(10)
        impatient = asyncio.create_task(pace.wait(10))
        patient = asyncio.create_task(pace.wait(10))
        await asyncio.sleep(1)
        impatient.cancel()
        await patient
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)

    run(main())
