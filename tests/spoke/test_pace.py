import asyncio

import pytest

from spoke.pace import Pace
from tests import virtual_time


def place(number: int) -> tuple[str, str]:
    return f"{number:012}", "eu-central-1"


@pytest.mark.parametrize(("rate", "calls", "least", "most"), [(5, 5, 0, 0.01), (5, 25, 3.9, 4.1), (0.5, 4, 5.9, 6.1)])
def test_so_many_calls_a_second_and_as_many_at_once(rate: float, calls: int, least: float, most: float) -> None:
    async def main() -> float:
        pace = Pace(rate)
        await asyncio.gather(*(pace.turn(*place(1)) for _ in range(calls)))
        return asyncio.get_running_loop().time()

    assert least <= virtual_time.run(main()) <= most


def test_places_do_not_wait_for_each_other() -> None:
    async def main() -> float:
        pace = Pace(2)
        turns = [pace.turn(account, region) for account in ("1" * 12, "2" * 12) for region in ("a", "b") for _ in "12"]
        await asyncio.gather(*turns)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(main()) < 0.01


def test_idle_places_are_forgotten_and_those_in_use_are_not() -> None:
    async def main() -> None:
        pace = Pace(1, limit=3)
        for number in range(5):
            await pace.turn(*place(number))
        assert len(pace) == 5  # in all of them a call counts still
        await asyncio.sleep(2)
        await pace.turn(*place(9))
        assert len(pace) == 3
        # The one that was just asked has kept its place, and its call counts.
        before = asyncio.get_running_loop().time()
        await pace.turn(*place(9))
        assert asyncio.get_running_loop().time() - before > 0.9

    virtual_time.run(main())


def test_ten_thousand_places_do_not_pile_up() -> None:
    async def main() -> int:
        pace = Pace(10, limit=50)
        for number in range(1, 10_001):
            await pace.turn(*place(0))  # one that never rests keeps none of the others
            await pace.turn(*place(number))
            await asyncio.sleep(0.2)
        return len(pace)

    assert virtual_time.run(main()) <= 50
