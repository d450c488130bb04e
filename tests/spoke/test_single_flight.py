import asyncio
import gc

import pytest

from spoke.single_flight import SingleFlight


class Call:
    """Counts its starts and ends when told."""

    def __init__(self) -> None:
        self.started = 0
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.started += 1
        return await self.outcome


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_share_one_call_and_its_result() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    call = Call()
    waiters = [asyncio.create_task(flights.join("a", call)) for _ in range(50)]
    await settle()
    call.outcome.set_result("landed")
    assert await asyncio.gather(*waiters) == ["landed"] * 50
    assert call.started == 1


async def test_all_share_its_error_and_the_next_one_calls_anew() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    call = Call()
    waiters = [asyncio.create_task(flights.join("a", call)) for _ in range(3)]
    await settle()
    call.outcome.set_exception(KeyError("gone"))
    assert [type(error) for error in await asyncio.gather(*waiters, return_exceptions=True)] == [KeyError] * 3
    second = Call()
    second.outcome.set_result("landed")
    assert await flights.join("a", second) == "landed"


async def test_other_keys_do_not_wait() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    slow, quick = Call(), Call()
    waiter = asyncio.create_task(flights.join("a", slow))
    quick.outcome.set_result("landed")
    assert await flights.join("b", quick) == "landed"
    assert not waiter.done()
    slow.outcome.set_result("late")
    assert await waiter == "late"


async def test_a_cancelled_waiter_does_not_end_the_call() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    call = Call()
    first, second = (asyncio.create_task(flights.join("a", call)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    call.outcome.set_result("landed")
    assert await second == "landed"
    assert call.started == 1


async def test_an_error_that_nobody_waits_for_is_no_complaint() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    flights: SingleFlight[str, str] = SingleFlight()
    call = Call()
    waiter = asyncio.create_task(flights.join("a", call))
    await settle()
    waiter.cancel()
    await settle()
    call.outcome.set_exception(KeyError("gone"))
    await settle()
    del call, waiter
    gc.collect()
    await settle()
    assert complaints == []
    assert flights._tasks == {}


async def test_cancel_ends_every_call() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    waiter = asyncio.create_task(flights.join("a", Call()))
    await settle()
    await flights.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
