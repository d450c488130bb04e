"""Where the queue in memory is stricter than moto, as SQS is; its waiting under virtual time; its hooks."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.message import Parking, Source
from spoke.errors import Unavailable
from tests import virtual_time
from tests.queue_rig import VISIBILITY, event
from worker.memory.clock import START, LoopClock, ManualClock
from worker.memory.queue import MemoryQueue

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    return MemoryQueue(source=Source.CHANGES, clock=clock, visibility=VISIBILITY)


class TestReceiptHandles:
    async def test_a_handle_is_stale_from_the_next_delivery_on(self, queue: MemoryQueue, clock: ManualClock) -> None:
        await queue.send(event())
        (old,) = await queue.receive(1, wait=0)
        clock.advance(VISIBILITY)
        (new,) = await queue.receive(1, wait=0)
        assert await queue.extend([old, new], VISIBILITY) == [old]
        await queue.give_back(old, timedelta(0))
        assert not await queue.delete([old])
        assert not await queue.receive(1, wait=0)
        assert [one.receipt_handle for one in queue.messages] == [new.receipt_handle]
        assert not await queue.delete([new])
        assert not queue.messages

    async def test_a_message_whose_time_is_over_is_not_in_flight(self, queue: MemoryQueue, clock: ManualClock) -> None:
        await queue.send(event())
        (message,) = await queue.receive(1, wait=0)
        clock.advance(VISIBILITY)
        assert await queue.extend([message], VISIBILITY) == [message]
        await queue.give_back(message, 5 * VISIBILITY)
        assert await queue.receive(1, wait=0)

    async def test_sqs_may_deliver_what_somebody_holds(self, queue: MemoryQueue) -> None:
        await queue.send(event())
        (first,) = await queue.receive(1, wait=0)
        queue.deliver_again(first.id)
        (second,) = await queue.receive(1, wait=0)
        assert (second.id, second.receive_count) == (first.id, 2)

    async def test_parking_with_a_stale_handle_leaves_the_message(self, queue: MemoryQueue) -> None:
        await queue.send(event())
        (stale,) = await queue.receive(1, wait=0)
        queue.deliver_again(stale.id)
        await queue.receive(1, wait=0)
        parking = Parking("malformed", "", "", 1, START)
        await queue.park(stale, parking)
        assert queue.parked == [(event(), parking)]
        assert len(queue.messages) == 1

    async def test_ids_differ_between_the_queues_and_repeat_between_runs(self, clock: ManualClock) -> None:
        ids = []
        for source in (Source.CHANGES, Source.SWEEP, Source.CHANGES):
            one = MemoryQueue(source=source, clock=clock, visibility=VISIBILITY)
            await one.send(event(), group="210987654321")
            ids.append(one.messages[0].id)
            assert one.messages[0].group == "210987654321"
        assert ids[0] == ids[2] != ids[1]


class TestWaiting:
    def test_an_empty_poll_lasts_as_long_as_asked(self) -> None:
        async def main() -> float:
            queue = MemoryQueue(source=Source.CHANGES, clock=LoopClock(), visibility=VISIBILITY)
            assert not await queue.receive(10, wait=20)
            return asyncio.get_running_loop().time()

        assert virtual_time.run(main()) == pytest.approx(20)

    def test_a_poll_ends_at_the_moment_something_is_sent(self) -> None:
        async def main() -> tuple[float, int]:
            queue = MemoryQueue(source=Source.CHANGES, clock=LoopClock(), visibility=VISIBILITY)
            polls = [asyncio.create_task(queue.receive(10, wait=20)) for _ in range(2)]
            await asyncio.sleep(7)
            await queue.send(event())
            await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
            at = asyncio.get_running_loop().time()
            return at, sum([len(await poll) for poll in polls])

        at, received = virtual_time.run(main())
        assert at == pytest.approx(7)
        assert received == 1

    @pytest.mark.parametrize(("how", "at"), [("visibility", 15), ("given back", 10), ("delivered again", 7)])
    def test_a_poll_ends_at_the_moment_something_becomes_visible(self, how: str, at: float) -> None:
        async def main() -> float:
            queue = MemoryQueue(source=Source.CHANGES, clock=LoopClock(), visibility=15 * SECOND)
            await queue.send(event())
            (held,) = await queue.receive(10, wait=0)
            poll = asyncio.create_task(queue.receive(10, wait=20))
            if how == "given back":
                await asyncio.sleep(2)
                await queue.give_back(held, 8 * SECOND)
            elif how == "delivered again":
                await asyncio.sleep(7)
                queue.deliver_again(held.id)
            assert len(await poll) == 1
            return asyncio.get_running_loop().time()

        assert virtual_time.run(main()) == pytest.approx(at, abs=0.001)

    def test_a_clock_that_stands_still_does_not_make_a_poll_spin(self, clock: ManualClock) -> None:
        async def main() -> float:
            queue = MemoryQueue(source=Source.CHANGES, clock=clock, visibility=SECOND)
            await queue.send(event())
            await queue.receive(10, wait=0)
            assert not await queue.receive(10, wait=20)
            return asyncio.get_running_loop().time()

        assert virtual_time.run(main()) == pytest.approx(20)

    def test_a_cancelled_poll_leaves_what_is_sent_after_it(self) -> None:
        async def main() -> None:
            queue = MemoryQueue(source=Source.CHANGES, clock=LoopClock(), visibility=VISIBILITY)
            poll = asyncio.create_task(queue.receive(10, wait=20))
            await asyncio.sleep(1)
            poll.cancel()
            await queue.send(event())
            with pytest.raises(asyncio.CancelledError):
                await poll
            (message,) = await queue.receive(10, wait=0)
            assert message.receive_count == 1

        virtual_time.run(main())


class TestHooks:
    async def test_what_fails_before_has_no_effect_and_after_it_has(self, queue: MemoryQueue) -> None:
        calls: list[tuple[str, bool]] = []
        failing_after: bool | None = None

        async def on_call(operation: str, *, after: bool) -> None:
            calls.append((operation, after))
            if after is failing_after:
                raise Unavailable("the network broke")

        queue.on_call = on_call
        await queue.send(event())
        assert calls == [("send", False), ("send", True)]
        (message,) = await queue.receive(1, wait=0)
        failing_after = False
        with pytest.raises(Unavailable):
            await queue.delete([message])
        assert len(queue.messages) == 1
        failing_after = True
        with pytest.raises(Unavailable):
            await queue.delete([message])
        assert not queue.messages

    async def test_every_operation_can_be_made_to_fail(self, queue: MemoryQueue) -> None:
        await queue.send(event())
        (message,) = await queue.receive(1, wait=0)

        async def broken(operation: str, *, after: bool) -> None:  # noqa: ARG001  # the hook's signature
            raise Unavailable(operation)

        queue.on_call = broken
        attempts = {
            "receive": queue.receive(1, wait=20),
            "extend": queue.extend([message], VISIBILITY),
            "give_back": queue.give_back(message, SECOND),
            "delete": queue.delete([message]),
            "park": queue.park(message, Parking("malformed", "", "", 1, START)),
            "send": queue.send(event()),
            "depth": queue.depth(),
        }
        for name, attempt in attempts.items():
            with pytest.raises(Unavailable, match=f"^{name}$"):
                await attempt
        assert queue.parked == []
        assert queue.messages[0] == replace(queue.messages[0], receive_count=1)
