"""Everything is seen once, held while it is decided on, and let go in any case."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from aiobotocore.session import AioSession

from hub.dead_letters.holding import Holding, hold
from hub.dead_letters.message import ParkedMessage
from hub.message import Message, Source
from spoke.errors import Misconfigured, ScanhubError, Unavailable
from tests import virtual_time
from tests.dead_letters_rig import DlqRig, change, dlq_rig, parked, parking


class Letters:
    """A dead-letter queue in memory that gives ten at a time; what was released comes again."""

    def __init__(self, messages: Sequence[ParkedMessage], source: Source = Source.CHANGES) -> None:
        self.source = source
        self.visibility = timedelta(minutes=5)
        self.waiting = list(messages)
        self.released: list[str] = []
        self.deleted: list[str] = []
        self.extended: list[list[str]] = []
        self.lost: set[str] = set()
        self.undeletable: set[str] = set()
        self.errors: dict[str, ScanhubError] = {}
        self.others = 0

    def _may(self, what: str) -> None:
        if what in self.errors:
            raise self.errors[what]

    async def in_flight(self) -> int:
        return self.others

    async def receive(self, *, wait: int) -> Sequence[ParkedMessage]:  # noqa: ARG002  # as the adapter's
        self._may("receive")
        given, self.waiting = self.waiting[:10], self.waiting[10:]
        await asyncio.sleep(0)
        return given

    async def extend(self, messages: Sequence[Message]) -> Sequence[Message]:
        self._may("extend")
        self.extended.append([one.id for one in messages])
        return [one for one in messages if one.id in self.lost]

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        self._may("delete")
        self.deleted += [one.id for one in messages if one.id not in self.undeletable]
        return [one for one in messages if one.id in self.undeletable]

    async def release(self, messages: Sequence[Message]) -> None:
        self.released += [one.id for one in messages]


def held(*letters: Letters, most: int = 100) -> AbstractAsyncContextManager[Holding]:
    return hold(letters, most=most)  # type: ignore[arg-type]  # the adapter's methods, without its class


def many(count: int, source: Source = Source.CHANGES) -> list[ParkedMessage]:
    return [parked(number, source=source) for number in range(1, count + 1)]


def test_all_of_all_queues_is_read_the_oldest_first_and_let_go() -> None:
    changes, sweep = Letters(many(25)), Letters([parked(30, source=Source.SWEEP)], Source.SWEEP)
    changes.waiting.reverse()
    changes.others = 3

    async def run() -> None:
        async with held(changes, sweep) as holding:
            assert [one.id for one in holding.messages] == [one.id for one in (*many(25), parked(30))]
            assert (holding.elsewhere, holding.is_whole) == (3, True)
            assert changes.released == []

    virtual_time.run(run())
    assert sorted(changes.released) == sorted(one.id for one in many(25))
    assert sweep.released == [parked(30).id]


def test_a_duplicate_is_seen_once_and_its_newest_handle_counts() -> None:
    one = parked(1)
    again = replace(one, message=replace(one.message, receipt_handle="newer"))
    letters = Letters([*many(10), again])

    async def run() -> None:
        async with held(letters) as holding:
            assert len(holding.messages) == 10
            assert "newer" in {each.message.receipt_handle for each in holding.messages}

    virtual_time.run(run())


def test_a_queue_that_gives_the_same_for_ever_comes_to_an_end() -> None:
    class Stuck(Letters):
        async def receive(self, *, wait: int) -> Sequence[ParkedMessage]:  # noqa: ARG002  # as the adapter's
            return self.waiting

    async def run() -> int:
        async with held(Stuck(many(3))) as holding:
            return len(holding.messages)

    assert virtual_time.run(run()) == 3


def test_more_than_can_be_held_is_left_and_told() -> None:
    async def run() -> tuple[int, bool]:
        async with held(Letters(many(200)), most=50) as holding:
            return len(holding.messages), holding.is_whole

    count, is_whole = virtual_time.run(run())
    assert 50 <= count <= 90
    assert not is_whole


def test_the_hold_is_prolonged_three_times_within_the_visibility() -> None:
    letters = Letters(many(2))

    async def run() -> None:
        async with held(letters):
            await asyncio.sleep(5 * 60 + 1)

    virtual_time.run(run())
    assert [len(ids) for ids in letters.extended] == [2, 2, 2]


def test_what_cannot_be_prolonged_is_not_ours_any_more() -> None:
    letters = Letters(many(2))
    letters.lost = {parked(1).id}

    async def run() -> None:
        async with held(letters) as holding:
            await asyncio.sleep(101)
            assert [holding.has(parked(number)) for number in (1, 2)] == [False, True]
            assert [one.id for one in await holding.delete([parked(1), parked(2)])] == [parked(1).id]

    virtual_time.run(run())
    assert (letters.deleted, letters.released) == ([parked(2).id], [])


def test_a_heartbeat_that_fails_goes_on() -> None:
    letters = Letters(many(1))
    letters.errors["extend"] = Unavailable("extending: no connection")

    async def run() -> None:
        async with held(letters) as holding:
            await asyncio.sleep(101)
            assert holding.has(parked(1))
            letters.errors.clear()
            await asyncio.sleep(100)

    virtual_time.run(run())
    assert len(letters.extended) == 1


def test_what_was_deleted_is_not_let_go_and_what_could_not_be_is() -> None:
    letters = Letters(many(3))
    letters.undeletable = {parked(2).id}

    async def run() -> None:
        async with held(letters) as holding:
            assert [one.id for one in await holding.delete(many(3))] == [parked(2).id]
            assert not holding.has(parked(1))

    virtual_time.run(run())
    assert (letters.deleted, letters.released) == ([parked(1).id, parked(3).id], [parked(2).id])


@pytest.mark.parametrize("error", [ValueError("ours"), asyncio.CancelledError(), KeyboardInterrupt()])
def test_everything_is_let_go_however_it_ends(error: BaseException) -> None:
    letters = Letters(many(3))

    async def run() -> None:
        with pytest.raises(type(error)):
            async with held(letters):
                raise error

    virtual_time.run(run())
    assert len(letters.released) == 3


def test_what_was_read_before_an_error_is_let_go_and_the_error_told_plainly() -> None:
    class Broken(Letters):
        async def receive(self, *, wait: int) -> Sequence[ParkedMessage]:
            if len(self.waiting) < 10:
                raise Misconfigured("receiving from dlq: AccessDenied")
            return await super().receive(wait=wait)

    letters = Broken(many(15))

    async def run() -> None:
        async with held(letters):
            raise AssertionError("nothing to be had")

    with pytest.raises(Misconfigured, match="AccessDenied"):
        virtual_time.run(run())
    assert len(letters.released) == 10


@pytest.fixture
async def rig(aws: AioSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DlqRig]:
    # moto's short poll sees everything.
    monkeypatch.setattr("hub.dead_letters.holding.WAIT_SECONDS", 0)
    async with dlq_rig(aws) as rig:
        yield rig


async def test_on_sqs_all_is_seen_once_and_visible_again_at_once(rig: DlqRig) -> None:
    ids = {await rig.park(change(f"function-{number}"), parking()) for number in range(23)}
    for _ in range(2):
        async with hold([rig.dead_letters]) as holding:
            assert {one.id for one in holding.messages} == ids
            assert len(holding.messages) == 23
            assert await rig.visible() == 0
        assert await rig.visible() == 23
    async with hold([rig.dead_letters]) as holding:
        assert not await holding.delete(holding.messages[:20])
    assert await rig.visible() == 3


async def test_on_sqs_what_another_one_looks_at_is_counted(rig: DlqRig) -> None:
    await rig.park(change(), parking())
    async with hold([rig.dead_letters]) as first:
        async with hold([rig.dead_letters]) as second:
            assert (len(second.messages), second.elsewhere) == (0, 1)
        assert first.has(first.messages[0])


def test_a_holding_is_empty_before_it_is_read() -> None:
    assert Holding([]).messages == []
