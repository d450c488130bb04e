import asyncio

import pytest

from worker.scanner.waiting import completed


async def test_the_result_comes_back() -> None:
    work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(work.set_result, 5)
    assert await completed(work) == 5


async def test_an_error_comes_back() -> None:
    work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work.set_exception(KeyError("x"))
    with pytest.raises(KeyError):
        await completed(work)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_waits_for_the_work(fails: bool) -> None:
    work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(completed(work))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    assert not work.cancelled()
    if fails:
        work.set_exception(KeyError("dropped"))
    else:
        work.set_result(5)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_was_cancelled_itself() -> None:
    work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(completed(work))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
