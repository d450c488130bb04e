import asyncio
from collections.abc import Mapping, Sequence

import pytest

from tests.virtual_time import run
from worker.batcher import Batcher


class Calls:
    """Counts what was asked for, answers with the square."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.error: BaseException | None = None

    async def __call__(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.seen.append(list(keys))
        await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return {key: key * key for key in keys if key >= 0}


def test_keys_of_one_moment_share_one_call() -> None:
    async def main() -> None:
        calls = Calls()
        batcher = Batcher[int, int](calls, size=10, linger=0.01)
        assert await asyncio.gather(*(batcher.ask(key) for key in (1, 2, 3, 2))) == [1, 4, 9, 4]
        assert calls.seen == [[1, 2, 3]]

    run(main())


def test_a_full_batch_leaves_at_once_and_the_rest_after_the_linger() -> None:
    async def main() -> None:
        calls = Calls()
        batcher = Batcher[int, int](calls, size=2, linger=5)
        assert await asyncio.gather(*(batcher.ask(key) for key in (1, 2, 3))) == [1, 4, 9]
        assert calls.seen == [[1, 2], [3]]
        assert asyncio.get_running_loop().time() == pytest.approx(6)

    run(main())


def test_a_key_without_an_answer_gets_none() -> None:
    async def main() -> None:
        assert await Batcher[int, int](Calls(), size=2, linger=0).ask(-1) is None

    run(main())


def test_an_error_reaches_every_key_of_its_batch_and_no_later_one() -> None:
    async def main() -> None:
        calls = Calls()
        calls.error = ValueError("broken")
        batcher = Batcher[int, int](calls, size=10, linger=0)
        answers = await asyncio.gather(batcher.ask(1), batcher.ask(2), return_exceptions=True)
        assert [str(answer) for answer in answers] == ["broken", "broken"]
        calls.error = None
        assert await batcher.ask(3) == 9

    run(main())


def test_an_asker_that_gives_up_takes_nothing_from_the_others() -> None:
    async def main() -> None:
        batcher = Batcher[int, int](Calls(), size=10, linger=0)
        first, second = (asyncio.ensure_future(batcher.ask(7)) for _ in range(2))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 49
        assert first.cancelled()

    run(main())
