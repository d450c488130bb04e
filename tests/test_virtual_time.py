import asyncio
import time

import pytest

from tests.virtual_time import run


def test_an_hour_passes_at_once_and_in_order() -> None:
    async def main() -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def waiter(name: str, delay: float) -> None:
            await asyncio.sleep(delay)
            seen.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(waiter("late", 3600), waiter("early", 5))
        return seen

    before = time.monotonic()
    assert run(main()) == [("early", 5.0), ("late", 3600.0)]
    assert time.monotonic() - before < 30


def test_a_wait_without_end_is_an_error_and_no_hang() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        run(main())
