import asyncio

import pytest

from hub.message import Source
from spoke.errors import AccountBusy
from tests.virtual_time import run
from worker.places import Places


async def held(places: Places, account: str, seconds: float = 60, source: Source = Source.CHANGES) -> float:
    """Take a place for so long; when it was taken."""
    async with places.taken(account, source):
        taken_at = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
    return taken_at


def test_an_account_has_its_share_and_others_do_not_wait_for_it() -> None:
    async def main() -> None:
        places = Places(per_account=2, waiting_room=8)
        noisy = [asyncio.ensure_future(held(places, "a")) for _ in range(5)]
        await asyncio.sleep(1)
        assert places.waiting == 3
        assert await held(places, "b") == 1
        assert await asyncio.gather(*noisy) == [0, 0, 60, 60, 120], "in the order in which they came"
        assert places.waiting == 0

    run(main())


def test_beyond_the_waiting_room_a_message_is_turned_away() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=4)
        tasks = [asyncio.ensure_future(held(places, "a")) for _ in range(4)]
        await asyncio.sleep(1)
        assert places.waiting == 3
        with pytest.raises(AccountBusy, match="its 1 scans"):
            await held(places, "a")
        await asyncio.gather(*tasks)

    run(main())


def test_the_sweep_has_a_part_of_the_waiting_room_that_changes_cannot_take() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=4)
        tasks = [asyncio.ensure_future(held(places, "a")) for _ in range(4)]
        await asyncio.sleep(1)
        swept = asyncio.ensure_future(held(places, "a", source=Source.SWEEP))
        await asyncio.sleep(1)
        assert places.waiting == 4
        assert await swept == 240
        await asyncio.gather(*tasks)

    run(main())


def test_who_gives_up_waiting_leaves_no_trace() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=4)
        first = asyncio.ensure_future(held(places, "a"))
        await asyncio.sleep(1)
        gone, next_one = asyncio.ensure_future(held(places, "a")), asyncio.ensure_future(held(places, "a"))
        await asyncio.sleep(1)
        gone.cancel()
        await asyncio.wait({gone})
        assert places.waiting == 1
        assert await next_one == 60
        await first
        assert not places._accounts

    run(main())


def test_whoever_waits_for_room_hears_that_a_message_waits_now_and_takes_no_slot() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=4)
        tasks = [asyncio.ensure_future(held(places, "a"))]
        await asyncio.sleep(1)
        assert not places.changed.is_set()
        tasks.append(asyncio.ensure_future(held(places, "a")))
        async with asyncio.timeout(1):
            await places.changed.wait()
        await asyncio.gather(*tasks)

    run(main())


def test_in_a_drain_any_number_may_wait() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=1)
        places.patient = True
        assert await asyncio.gather(*(held(places, "a") for _ in range(10))) == [60 * n for n in range(10)]

    run(main())


def test_an_accounts_last_place_is_out_of_the_sweeps_reach() -> None:
    async def main() -> None:
        places = Places(per_account=3, waiting_room=4)
        swept = [asyncio.ensure_future(held(places, "a", source=Source.SWEEP)) for _ in range(3)]
        await asyncio.sleep(1)
        assert places.waiting == 1
        with pytest.raises(AccountBusy):
            await held(places, "a", source=Source.SWEEP)
        assert await held(places, "a") == 1, "a change finds it free"
        assert await asyncio.gather(*swept) == [0, 0, 60]
        assert not places._accounts

    run(main())


def test_the_only_place_of_an_account_is_the_sweeps_too() -> None:
    async def main() -> None:
        places = Places(per_account=1, waiting_room=4)
        assert await held(places, "a", source=Source.SWEEP) == 0

    run(main())


def test_what_was_swept_waits_behind_changes_that_have_every_place_and_leaves_no_trace() -> None:
    async def main() -> None:
        places = Places(per_account=2, waiting_room=8)
        changes = [asyncio.ensure_future(held(places, "a")) for _ in range(2)]
        await asyncio.sleep(1)
        gone = asyncio.ensure_future(held(places, "a", source=Source.SWEEP))
        await asyncio.sleep(1)
        assert places.waiting == 1
        gone.cancel()
        await asyncio.wait({gone})
        assert places.waiting == 0
        swept = asyncio.ensure_future(held(places, "a", source=Source.SWEEP))
        assert await swept == 60
        await asyncio.gather(*changes)
        assert not places._accounts

    run(main())
