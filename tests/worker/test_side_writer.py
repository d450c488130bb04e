import asyncio
from collections.abc import Awaitable

import pytest
import structlog

from tests.virtual_time import run
from worker.last_words import LAST_WORDS, last_words
from worker.side_writer import SideWriter


class Desk:
    """What waits to be written, and what is written; each write takes a second."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = list(waiting)
        self.written: list[str] = []
        self.under_way = self.most = 0
        self.bound: list[object] = []
        self.writer = SideWriter(self._next)

    def _next(self) -> Awaitable[None] | None:
        return self._write(self.waiting.pop(0)) if self.waiting else None

    async def _write(self, what: str) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.bound.append(structlog.contextvars.get_contextvars())
        await asyncio.sleep(1)
        self.under_way -= 1
        self.written.append(what)


def test_what_waits_is_written_one_by_one_and_in_its_order() -> None:
    async def main() -> None:
        desk = Desk("a", "b", "c")
        for _ in range(3):
            desk.writer.begin()
        await asyncio.sleep(10)
        assert (desk.written, desk.most) == (["a", "b", "c"], 1)

    run(main())


def test_it_begins_anew_for_what_comes_later() -> None:
    async def main() -> None:
        desk = Desk("a")
        desk.writer.begin()
        await asyncio.sleep(10)
        desk.waiting.append("b")
        desk.writer.begin()
        await desk.writer.settled()
        assert desk.written == ["a", "b"]

    run(main())


def test_what_comes_during_a_write_is_written_after_it() -> None:
    async def main() -> None:
        desk = Desk("a")
        desk.writer.begin()
        await asyncio.sleep(0.5)
        desk.waiting.append("b")
        desk.writer.begin()
        await desk.writer.settled()
        assert (desk.written, desk.most) == (["a", "b"], 1)

    run(main())


def test_who_settles_does_not_wait_for_long() -> None:
    async def main() -> None:
        desk = Desk("a", "b", "c", "d")
        desk.writer.begin()
        await desk.writer.settled()
        assert asyncio.get_running_loop().time() == pytest.approx(LAST_WORDS)
        await asyncio.sleep(10)
        assert len(desk.written) < 3

    run(main())


def test_without_anything_there_is_nothing_to_wait_for() -> None:
    async def main() -> None:
        await Desk().writer.settled()
        await last_words([])
        assert asyncio.get_running_loop().time() == 0

    run(main())


def test_what_the_first_who_came_has_bound_is_on_no_line_of_the_log() -> None:
    async def main() -> None:
        structlog.contextvars.bind_contextvars(message_id="of-the-first-journey")
        desk = Desk("a")
        desk.writer.begin()
        await desk.writer.settled()
        assert desk.bound == [{}]
        structlog.contextvars.clear_contextvars()

    run(main())


def test_whoever_has_more_patience_may_say_so() -> None:
    async def main() -> None:
        task = asyncio.get_running_loop().create_task(asyncio.sleep(4))
        await last_words([task], seconds=5)
        assert asyncio.get_running_loop().time() == 4
        late = asyncio.get_running_loop().create_task(asyncio.sleep(40))
        await last_words({late}, seconds=5)
        await asyncio.sleep(0)
        assert late.cancelled()

    run(main())
