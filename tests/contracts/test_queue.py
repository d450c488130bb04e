"""What a queue promises, asked of SQS (moto) and of the one in memory alike."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.dead_letters.attributes import MAX_MESSAGE_BYTES
from hub.message import Depth, Message, Parking, Source
from hub.tries import Failure
from tests.queue_rig import VISIBILITY, MemoryQueueRig, QueueRig, event, one_message, sqs_rig
from worker.memory.queue import DELETED_KEPT

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
ACCOUNT = "210987654321"
FUNCTION = "arn:aws:lambda:eu-central-1:210987654321:function:checkout-api"
PARKED_AT = datetime(2026, 11, 21, 9, 30, 15, 250_000, UTC)


@pytest.fixture(params=["memory", "sqs"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[QueueRig]:
    if request.param == "memory":
        yield MemoryQueueRig()
        return
    async with sqs_rig(request.getfixturevalue("aws")) as one:
        yield one


async def sent(rig: QueueRig, count: int = 1) -> None:
    for number in range(count):
        await rig.queue.send(event(f"function-{number}"), group=ACCOUNT)


class TestReceive:
    async def test_a_message_comes_as_it_was_sent(self, rig: QueueRig) -> None:
        before = rig.clock.now() - SECOND
        await sent(rig)
        message = await one_message(rig)
        assert message.body == event("function-0")
        assert message.receive_count == 1
        assert message.source is rig.queue.source is Source.SWEEP
        assert message.received_at == rig.clock.now()
        assert before < message.sent_at < before + timedelta(seconds=30)
        assert message.id
        assert message.receipt_handle

    async def test_an_empty_queue_answers_with_nothing(self, rig: QueueRig) -> None:
        assert list(await rig.queue.receive(10, wait=0)) == []

    async def test_never_more_than_the_limit_and_never_more_than_ten(self, rig: QueueRig) -> None:
        await sent(rig, 14)
        assert len(await rig.queue.receive(3, wait=0)) == 3
        assert len(await rig.queue.receive(64, wait=0)) == 10
        assert len(await rig.queue.receive(10, wait=0)) == 1

    async def test_a_received_message_is_invisible_until_its_time_is_over(self, rig: QueueRig) -> None:
        await sent(rig)
        first = await one_message(rig)
        rig.pass_(VISIBILITY - SECOND)
        assert not await rig.queue.receive(10, wait=0)
        rig.pass_(2 * SECOND)
        second = await one_message(rig)
        assert (second.id, second.body, second.sent_at) == (first.id, first.body, first.sent_at)
        assert second.receive_count == 2
        assert second.receipt_handle != first.receipt_handle

    async def test_two_receives_at_once_never_share_a_message(self, rig: QueueRig) -> None:
        await sent(rig, 6)
        one, other = await asyncio.gather(rig.queue.receive(3, wait=0), rig.queue.receive(3, wait=0))
        assert len({message.id for message in [*one, *other]}) == 6

    async def test_a_long_poll_ends_when_something_is_sent(self, rig: QueueRig) -> None:
        poll = asyncio.create_task(rig.queue.receive(10, wait=20))
        await sent(rig)
        assert [message.body for message in await poll] == [event("function-0")]

    async def test_a_long_poll_can_be_cancelled_and_takes_nothing_along(self, rig: QueueRig) -> None:
        poll = asyncio.create_task(rig.queue.receive(10, wait=20))
        await rig.queue.depth()  # the poll has begun
        poll.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll


class TestExtend:
    async def test_an_extended_message_stays_invisible(self, rig: QueueRig) -> None:
        await sent(rig)
        message = await one_message(rig)
        rig.pass_(VISIBILITY - SECOND)
        assert not await rig.queue.extend([message], VISIBILITY)
        rig.pass_(VISIBILITY - SECOND)
        assert not await rig.queue.receive(10, wait=0)
        rig.pass_(2 * SECOND)
        assert (await one_message(rig)).receive_count == 2

    async def test_more_than_a_batch_at_once(self, rig: QueueRig) -> None:
        await sent(rig, 23)
        held = [message for _ in range(3) for message in await rig.queue.receive(10, wait=0)]
        rig.pass_(VISIBILITY - SECOND)
        assert not await rig.queue.extend(held, VISIBILITY)
        rig.pass_(2 * SECOND)
        assert (await rig.queue.depth()).in_flight == 23

    async def test_nothing_to_extend_is_no_call(self, rig: QueueRig) -> None:
        assert list(await rig.queue.extend([], VISIBILITY)) == []

    async def test_a_message_deleted_while_in_flight_fails_alone(self, rig: QueueRig) -> None:
        await sent(rig, 3)
        first, second, third = await rig.queue.receive(10, wait=0)
        await rig.queue.delete([second])
        assert list(await rig.queue.extend([first, second, third], VISIBILITY)) == [second]

    async def test_beyond_twelve_hours_fails_for_that_message_only(self, rig: QueueRig) -> None:
        await sent(rig, 2)
        spent, live = await rig.queue.receive(10, wait=0)
        spent = replace(spent, received_at=rig.clock.now() - 12 * HOUR)
        assert list(await rig.queue.extend([spent, live], VISIBILITY)) == [spent]

    async def test_what_is_left_of_twelve_hours_is_given_and_no_more(self, rig: QueueRig) -> None:
        await sent(rig)
        message = replace(await one_message(rig), received_at=rig.clock.now() - 11 * HOUR)
        assert not await rig.queue.extend([message], 2 * HOUR)
        rig.pass_(HOUR - timedelta(minutes=2))
        assert not await rig.queue.receive(10, wait=0)
        rig.pass_(timedelta(minutes=2))
        assert (await one_message(rig)).receive_count == 2


class TestGiveBack:
    async def test_without_a_delay_it_comes_at_once(self, rig: QueueRig) -> None:
        await sent(rig)
        await rig.queue.give_back(await one_message(rig), timedelta(0))
        rig.pass_(timedelta(milliseconds=1))
        assert (await one_message(rig)).receive_count == 2

    async def test_with_a_delay_it_comes_after_it(self, rig: QueueRig) -> None:
        await sent(rig)
        await rig.queue.give_back(await one_message(rig), timedelta(minutes=15))
        rig.pass_(timedelta(minutes=15) - SECOND)
        assert not await rig.queue.receive(10, wait=0)
        rig.pass_(2 * SECOND)
        assert (await one_message(rig)).receive_count == 2

    async def test_a_delay_ends_within_the_twelve_hours(self, rig: QueueRig) -> None:
        await sent(rig)
        await rig.queue.give_back(await one_message(rig), 20 * HOUR)
        rig.pass_(12 * HOUR - timedelta(minutes=2))
        assert not await rig.queue.receive(10, wait=0)
        rig.pass_(timedelta(minutes=2))
        assert (await one_message(rig)).receive_count == 2

    @pytest.mark.parametrize("received", [13 * HOUR, -HOUR], ids=["past-its-time", "a-clock-that-was-set-back"])
    async def test_an_odd_time_is_no_error(self, rig: QueueRig, received: timedelta) -> None:
        await sent(rig)
        message = replace(await one_message(rig), received_at=rig.clock.now() - received)
        await rig.queue.give_back(message, -SECOND)
        rig.pass_(timedelta(milliseconds=1))
        assert (await one_message(rig)).receive_count == 2

    async def test_a_message_that_is_not_ours_any_more_is_no_error(self, rig: QueueRig) -> None:
        await sent(rig)
        message = await one_message(rig)
        await rig.queue.delete([message])
        await rig.queue.give_back(message, timedelta(0))
        assert await rig.queue.depth() == Depth(visible=0, in_flight=0, delayed=0)


class TestDelete:
    async def test_a_deleted_message_does_not_come_again(self, rig: QueueRig) -> None:
        await sent(rig, 12)
        held = [*await rig.queue.receive(10, wait=0), *await rig.queue.receive(10, wait=0)]
        assert not await rig.queue.delete(held)
        rig.pass_(2 * VISIBILITY)
        assert not await rig.queue.receive(10, wait=0)

    async def test_deleting_twice_is_no_failure(self, rig: QueueRig) -> None:
        await sent(rig)
        message = await one_message(rig)
        assert not await rig.queue.delete([message])
        assert not await rig.queue.delete([message])

    async def test_an_invalid_handle_fails_alone(self, rig: QueueRig) -> None:
        await sent(rig, 2)
        good, other = await rig.queue.receive(10, wait=0)
        bad = replace(other, receipt_handle="AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a")
        assert list(await rig.queue.delete([bad, good])) == [bad]
        rig.pass_(2 * VISIBILITY)
        assert (await one_message(rig)).id == other.id

    async def test_a_stale_receipt_handle_is_called_a_success(self, rig: QueueRig) -> None:
        await sent(rig)
        stale = await one_message(rig)
        rig.pass_(2 * VISIBILITY)
        await one_message(rig)
        assert not await rig.queue.delete([stale])

    async def test_nothing_to_delete_is_no_call(self, rig: QueueRig) -> None:
        assert list(await rig.queue.delete([])) == []


class TestPark:
    async def test_the_dead_letter_queue_holds_body_and_attributes(self, rig: QueueRig) -> None:
        await sent(rig)
        message = await one_message(rig)
        tries = (
            Failure(2, "throttled", "GetFunction of checkout-api: Rate exceeded", PARKED_AT - HOUR),
            Failure(5, "scanner_crashed", "the scanner died of signal 9", PARKED_AT - SECOND),
        )
        detail = "scanner died of signal 9\npanic: out of memory"
        parking = Parking("scanner_crashed", detail, FUNCTION, 5, PARKED_AT, tries)
        await rig.queue.park(message, parking)
        ((body, attributes),) = await rig.dead_letters()
        assert body == message.body
        assert {name: value for name, value in attributes.items() if name != "history"} == {
            "reason": "scanner_crashed",
            "detail": detail,
            "functionArn": FUNCTION,
            "attempts": "5",
            "parkedAt": "2026-11-21T09:30:15.250Z",
        }
        assert json.loads(attributes["history"]) == [
            {
                "attempt": 2,
                "reason": "throttled",
                "text": "GetFunction of checkout-api: Rate exceeded",
                "at": "2026-11-21T08:30:15.250Z",
            },
            {
                "attempt": 5,
                "reason": "scanner_crashed",
                "text": "the scanner died of signal 9",
                "at": "2026-11-21T09:30:14.250Z",
            },
        ]
        rig.pass_(2 * VISIBILITY)
        assert not await rig.queue.receive(10, wait=0)

    async def test_parking_again_after_a_crash_leaves_a_duplicate_and_no_error(self, rig: QueueRig) -> None:
        await sent(rig)
        message = await one_message(rig)
        for _ in range(2):
            await rig.queue.park(message, Parking("malformed", "not JSON", FUNCTION, 1, PARKED_AT))
        assert len(await rig.dead_letters()) == 2


class TestSendAll:
    async def test_all_of_them_arrive_each_as_it_was_sent(self, rig: QueueRig) -> None:
        bodies = [event(f"function-{number}") for number in range(23)]
        assert not await rig.queue.send_all([(body, ACCOUNT) for body in bodies])
        received = [message.body for _ in range(3) for message in await rig.queue.receive(10, wait=0)]
        assert sorted(received) == sorted(bodies)

    async def test_nothing_to_send_is_no_call(self, rig: QueueRig) -> None:
        assert list(await rig.queue.send_all([])) == []
        assert await rig.queue.depth() == Depth(visible=0, in_flight=0, delayed=0)

    async def test_ten_large_ones_do_not_fit_one_call_and_arrive_all_the_same(self, rig: QueueRig) -> None:
        bodies = [event("x" * 300_000 + str(number)) for number in range(10)]
        assert not await rig.queue.send_all([(body, ACCOUNT) for body in bodies])
        assert (await rig.queue.depth()).visible == 10

    async def test_one_that_is_too_long_is_handed_back_and_the_others_are_sent(self, rig: QueueRig) -> None:
        too_long = ("ü" * (MAX_MESSAGE_BYTES // 2 + 1), ACCOUNT)
        fitting = ("x" * 900_000, ACCOUNT)
        assert list(await rig.queue.send_all([(event(), ACCOUNT), too_long, fitting])) == [too_long]
        assert {message.body for message in await rig.queue.receive(10, wait=0)} == {event(), fitting[0]}


async def test_depth_tells_what_is_visible_and_what_is_held(rig: QueueRig) -> None:
    await sent(rig, 5)
    assert await rig.queue.depth() == Depth(visible=5, in_flight=0, delayed=0)
    await rig.queue.receive(2, wait=0)
    assert await rig.queue.depth() == Depth(visible=3, in_flight=2, delayed=0)


class TestDeliveryOfTheDeleted:
    """SQS may deliver a deleted message again, and moto never does: the memory adapter shows it when told."""

    async def deleted(self, rig: MemoryQueueRig) -> Message:
        await rig.queue.send(event(), group=ACCOUNT)
        message = await one_message(rig)
        await rig.queue.delete([message])
        return message

    async def test_a_deleted_message_comes_again_as_a_further_delivery(self) -> None:
        rig = MemoryQueueRig()
        message = await self.deleted(rig)
        assert rig.memory.deleted == (message.id,)
        rig.memory.deliver_deleted(message.id)
        again = await one_message(rig)
        assert (again.id, again.body, again.sent_at) == (message.id, message.body, message.sent_at)
        assert again.receive_count == 2
        assert again.receipt_handle != message.receipt_handle

    async def test_the_handle_that_deleted_it_neither_deletes_nor_extends_the_copy(self) -> None:
        rig = MemoryQueueRig()
        stale = await self.deleted(rig)
        rig.memory.deliver_deleted(stale.id)
        assert list(await rig.queue.delete([stale])) == []
        again = await one_message(rig)
        assert list(await rig.queue.delete([stale])) == []
        assert list(await rig.queue.extend([stale], VISIBILITY)) == [stale]
        await rig.queue.give_back(stale, timedelta(0))
        assert (await rig.queue.depth()).in_flight == 1
        assert list(await rig.queue.extend([again], VISIBILITY)) == []

    async def test_the_copy_comes_until_it_is_deleted_and_then_for_good(self) -> None:
        rig = MemoryQueueRig()
        message = await self.deleted(rig)
        rig.memory.deliver_deleted(message.id)
        await rig.queue.give_back(await one_message(rig), timedelta(0))
        last = await one_message(rig)
        assert last.receive_count == 3
        await rig.queue.delete([last])
        assert rig.memory.deleted == ()
        assert await rig.queue.depth() == Depth(visible=0, in_flight=0, delayed=0)
        with pytest.raises(KeyError):
            rig.memory.deliver_deleted(message.id)

    async def test_a_parked_message_was_deleted_too(self) -> None:
        rig = MemoryQueueRig()
        await rig.queue.send(event(), group=ACCOUNT)
        message = await one_message(rig)
        await rig.queue.park(message, Parking("unreadable", "KMSAccessDenied", FUNCTION, 1, PARKED_AT))
        rig.memory.deliver_deleted(message.id)
        assert (await one_message(rig)).id == message.id

    async def test_a_receive_that_waits_is_woken(self) -> None:
        rig = MemoryQueueRig()
        message = await self.deleted(rig)
        poll = asyncio.create_task(rig.queue.receive(10, wait=20))
        await rig.queue.depth()  # the poll has begun
        rig.memory.deliver_deleted(message.id)
        assert [one.id for one in await poll] == [message.id]

    async def test_only_so_many_are_remembered(self) -> None:
        rig = MemoryQueueRig()
        messages = [await self.deleted(rig) for _ in range(DELETED_KEPT + 2)]
        assert rig.memory.deleted == tuple(one.id for one in messages[2:])
