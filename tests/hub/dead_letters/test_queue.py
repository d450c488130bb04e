"""The adapter on moto's SQS."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from hub.dead_letters.message import NO_REASON
from hub.dead_letters.queue import DeadLetters
from hub.message import Source
from spoke.errors import Misconfigured
from tests.dead_letters_rig import ACCOUNT, DlqRig, change, dlq_rig, parked, parking
from worker.memory.clock import START, ManualClock


@pytest.fixture
async def rig(aws: AioSession) -> AsyncIterator[DlqRig]:
    async with dlq_rig(aws, Source.SWEEP) as rig:
        yield rig


async def test_what_was_parked_comes_with_everything_in_it(rig: DlqRig) -> None:
    identity = await rig.park(change(), parking(at=START, detail="exit 2\npanic: runtime error"))
    (one,) = await rig.dead_letters.receive(wait=0)
    assert (one.id, one.source, one.reason, one.account) == (identity, Source.SWEEP, "scanner_crashed", ACCOUNT)
    assert (one.detail, one.parked_at, one.attempts) == ("exit 2\npanic: runtime error", START, 2)
    assert [tried.reason for tried in one.history] == ["scanner_crashed"]
    assert one.message.body == change()
    assert one.message.receive_count == 1


async def test_what_has_no_attributes_comes_too(rig: DlqRig) -> None:
    await rig.park(change(), None)
    (one,) = await rig.dead_letters.receive(wait=0)
    assert (one.reason, one.account) == (NO_REASON, ACCOUNT)


async def test_what_was_received_is_hidden_until_it_is_released(rig: DlqRig) -> None:
    for number in range(12):
        await rig.park(change(f"function-{number}"), parking())
    first, second = await asyncio.gather(rig.dead_letters.receive(wait=0), rig.dead_letters.receive(wait=0))
    received = [one.message for one in (*first, *second)]
    assert len({one.id for one in received}) == 12
    assert await rig.dead_letters.in_flight() == 12
    assert await rig.dead_letters.receive(wait=0) == []
    assert not await rig.dead_letters.extend(received)
    await rig.dead_letters.release(received)
    assert await rig.visible() == 12


async def test_what_was_deleted_is_gone(rig: DlqRig) -> None:
    await rig.park(change(), parking())
    (one,) = await rig.dead_letters.receive(wait=0)
    assert not await rig.dead_letters.delete([one.message])
    assert (await rig.visible(), await rig.dead_letters.in_flight()) == (0, 0)


async def test_a_queue_that_is_not_there_is_named(rig: DlqRig) -> None:
    absent = DeadLetters(rig.client, url=f"{rig.dlq_url}-typo", source=Source.SWEEP, clock=rig.clock)
    with pytest.raises(Misconfigured, match="scanhub-sweep-dlq-typo"):
        await absent.receive(wait=0)
    with pytest.raises(Misconfigured, match="scanhub-sweep-dlq-typo"):
        await absent.in_flight()


def failing(error: Exception) -> DeadLetters:
    class Refusing:
        async def change_message_visibility_batch(self, **_: Any) -> Any:  # noqa: ANN401  # as the client's own method
            raise error

    client: Any = Refusing()
    return DeadLetters(client, url="https://sqs/1/dlq", source=Source.CHANGES, clock=ManualClock())


async def test_a_release_that_fails_is_logged_since_they_come_back_by_themselves() -> None:
    refused = ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, "ChangeMessageVisibility")
    with capture_logs() as logs:
        await failing(refused).release([parked().message])
    assert [line["event"] for line in logs] == ["parked messages not released"]


async def test_a_mistake_of_our_own_in_a_release_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await failing(ZeroDivisionError()).release([parked().message])
