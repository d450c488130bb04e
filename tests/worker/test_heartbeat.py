import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from hub.message import Message
from spoke.errors import Unavailable
from tests.virtual_time import run
from worker.heartbeat import Heartbeat
from worker.memory.clock import START, LoopClock, ManualClock
from worker.ports import Queue

VISIBILITY = timedelta(seconds=120)


class Extensions:
    """The part of a queue that a heartbeat uses."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.refused: set[str] = set()
        self.error: Exception | None = None
        self.answers: asyncio.Event | None = None

    async def extend(self, messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
        assert visibility == VISIBILITY
        self.asked.append([message.id for message in messages])
        if self.answers is not None:
            await self.answers.wait()
        if self.error is not None:
            raise self.error
        return [message for message in messages if message.id in self.refused]


class Held:
    """A heartbeat, its queue, and the messages it lost."""

    def __init__(self) -> None:
        self.queue, self.clock = Extensions(), ManualClock()
        self.heartbeat = Heartbeat(cast("Queue", self.queue), self.clock, VISIBILITY)
        self.lost: list[str] = []

    def hold(self, name: str, handle: str = "") -> Message:
        message = Message(name, "{}", handle or f"{name} r1", 1, START, self.clock.now())
        self.heartbeat.hold(message, lambda: self.lost.append(name))
        return message

    async def beat_later(self) -> None:
        self.clock.advance(VISIBILITY / 3)
        await self.heartbeat.beat()


def test_a_message_delivered_again_to_the_same_worker_loses_its_earlier_delivery() -> None:
    async def main() -> None:
        held = Held()
        first = held.hold("a", handle="a r1")
        held.hold("a", handle="a r2")
        assert held.lost == ["a"]
        held.heartbeat.let_go(first)
        assert len(held.heartbeat) == 1, "the newer one is kept"
        await held.beat_later()
        assert held.queue.asked == [["a"]]

    run(main())


def test_a_beat_that_is_late_does_not_outlive_the_visibility() -> None:
    async def main() -> None:
        held = Held()
        clock = LoopClock()
        held.heartbeat = Heartbeat(cast("Queue", held.queue), clock, VISIBILITY)
        held.heartbeat.hold(Message("a", "{}", "a r1", 1, START, clock.now()), lambda: held.lost.append("a"))

        held.queue.answers = asyncio.Event()
        await asyncio.sleep(110)
        await held.heartbeat.beat()
        assert held.lost == ["a"]
        assert asyncio.get_running_loop().time() <= VISIBILITY.total_seconds()

    run(main())


def test_what_is_given_back_is_not_kept_by_a_beat_in_flight() -> None:
    async def main() -> None:
        held = Held()
        message = held.hold("a")
        held.queue.answers = answers = asyncio.Event()
        beat = asyncio.ensure_future(held.heartbeat.beat())
        await asyncio.sleep(0)
        parting = asyncio.ensure_future(held.heartbeat.part_with(message))
        await asyncio.sleep(5)
        assert not parting.done(), "to give it back now would be undone by the beat"
        answers.set()
        await asyncio.gather(beat, parting)
        assert len(held.heartbeat) == 0

    run(main())


def test_every_held_message_is_extended_in_one_call() -> None:
    async def main() -> None:
        held = Held()
        held.hold("a")
        held.hold("b")
        await held.beat_later()
        assert held.queue.asked == [["a", "b"]]
        assert held.lost == []

    run(main())


def test_nothing_held_costs_no_call() -> None:
    async def main() -> None:
        held = Held()
        held.heartbeat.let_go(held.hold("a"))
        await held.beat_later()
        assert held.queue.asked == []

    run(main())


def test_a_message_whose_visibility_is_refused_is_lost_once_and_alone() -> None:
    async def main() -> None:
        held = Held()
        held.hold("a")
        held.hold("b")
        held.queue.refused = {"a"}
        await held.beat_later()
        await held.beat_later()
        assert held.lost == ["a"]
        assert held.queue.asked == [["a", "b"], ["b"]]

    run(main())


def test_two_beats_may_fail_before_a_message_is_lost() -> None:
    async def main() -> None:
        held = Held()
        held.hold("a")
        held.queue.error = Unavailable("no answer")
        await held.beat_later()
        assert held.lost == [], "visible for another 80 s: the next beat may still save it"
        await held.beat_later()
        assert held.lost == ["a"], "it would be visible at the next beat"

    run(main())


def test_a_beat_that_works_again_saves_the_message() -> None:
    async def main() -> None:
        held = Held()
        held.hold("a")
        held.queue.error = Unavailable("no answer")
        await held.beat_later()
        held.queue.error = None
        await held.beat_later()
        held.queue.error = Unavailable("no answer")
        await held.beat_later()
        assert held.lost == []

    run(main())


def test_letting_an_older_delivery_go_keeps_the_newer_one_held() -> None:
    async def main() -> None:
        held = Held()
        older = held.hold("a", "r1")
        held.hold("a", "r2")
        held.heartbeat.let_go(older)
        assert len(held.heartbeat) == 1

    run(main())


def test_how_long_a_message_is_kept_is_told_of_the_delivery_that_is_held() -> None:
    async def main() -> None:
        held = Held()
        older = held.hold("a", "r1")
        newer = held.hold("a", "r2")
        assert held.heartbeat.kept_until(older) is None
        assert held.heartbeat.kept_until(newer) == START + VISIBILITY
        await held.beat_later()
        assert held.heartbeat.kept_until(newer) == START + VISIBILITY / 3 + VISIBILITY
        held.heartbeat.let_go(newer)
        assert held.heartbeat.kept_until(newer) is None

    run(main())
