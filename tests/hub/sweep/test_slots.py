import asyncio
import contextlib

import pytest

from hub.sweep.slots import SILENCE, Slots
from tests.virtual_time import run


def now() -> float:
    return asyncio.get_running_loop().time()


def test_one_account_has_a_quarter_of_them() -> None:
    async def main() -> None:
        slots = Slots(8)
        big, small = slots.of_account(), slots.of_account()
        begun: list[tuple[str, float]] = []

        async def place(name: str) -> None:
            async with (big if name == "big" else small).taken():
                begun.append((name, now()))
                await asyncio.sleep(1)

        await asyncio.gather(*(place("big") for _ in range(6)), place("small"))
        assert begun == [("big", 0), ("big", 0), ("small", 0), ("big", 1), ("big", 1), ("big", 2), ("big", 2)]

    run(main())


def test_all_accounts_together_have_no_more_than_there_are() -> None:
    async def main() -> None:
        slots = Slots(3)
        ends: list[float] = []

        async def place() -> None:
            async with slots.of_account().taken():
                await asyncio.sleep(1)
                ends.append(now())

        await asyncio.gather(*(place() for _ in range(7)))
        assert ends == [1, 1, 1, 2, 2, 2, 3]

    run(main())


def test_even_one_slot_is_for_every_account() -> None:
    async def main() -> None:
        async with Slots(1).of_account().taken():
            pass

    run(main())


class TestSilence:
    async def wait(self, slots: Slots, seconds: float) -> float:
        async with slots.of_account().taken() as slot:
            async with slot.lent_in_silence():
                await asyncio.sleep(seconds)
            return now()

    def test_who_waits_long_lends_its_slot(self) -> None:
        async def main() -> None:
            slots = Slots(1)
            silent = asyncio.create_task(self.wait(slots, 60))
            await asyncio.sleep(1)
            async with slots.of_account().taken():
                assert now() == SILENCE
            assert await silent == 60

        run(main())

    def test_who_waits_a_moment_keeps_it(self) -> None:
        async def main() -> None:
            slots = Slots(1)
            short = asyncio.create_task(self.wait(slots, SILENCE - 1))
            await asyncio.sleep(0)
            async with slots.of_account().taken():
                assert now() == SILENCE - 1
            await short
            # The timer was put away: nobody's slot is lent afterwards.
            async with slots.of_account().taken():
                other = asyncio.create_task(self.wait(slots, 0))
                await asyncio.sleep(100)
                assert not other.done()
            await other

        run(main())

    def test_it_is_taken_back_only_when_another_leaves(self) -> None:
        async def main() -> None:
            slots = Slots(1)
            silent = asyncio.create_task(self.wait(slots, 20))
            await asyncio.sleep(SILENCE)
            async with slots.of_account().taken():
                await asyncio.sleep(100)
            assert await silent == SILENCE + 100

        run(main())

    def test_who_got_no_answer_does_not_wait_for_it(self) -> None:
        async def main() -> None:
            slots = Slots(1)

            async def in_vain() -> None:
                async with slots.of_account().taken() as slot, slot.lent_in_silence():
                    await asyncio.sleep(20)
                    raise OSError("the endpoint has closed the connection")

            silent = asyncio.create_task(in_vain())
            await asyncio.sleep(SILENCE)
            async with slots.of_account().taken():
                await asyncio.wait({silent})
                assert now() == 20
            with pytest.raises(OSError, match="closed"):
                silent.result()

        run(main())

    def test_who_got_no_answer_gives_it_up_at_once_and_may_regain_it(self) -> None:
        async def main() -> None:
            slots = Slots(1)

            async def refused() -> None:
                async with slots.of_account().taken() as slot:
                    with contextlib.suppress(OSError):
                        async with slot.lent_in_silence():
                            raise OSError("no connection")
                    await asyncio.sleep(5)
                    await slot.regain()
                    await slot.regain()
                    await asyncio.sleep(10)

            other = asyncio.create_task(refused())
            await asyncio.sleep(0)
            async with slots.of_account().taken():
                assert now() == 0
                await asyncio.sleep(7)
            await asyncio.sleep(0)
            async with slots.of_account().taken():
                assert now() == 17
            await other

        run(main())

    @pytest.mark.parametrize("error", [asyncio.CancelledError, OSError])
    def test_whatever_ends_the_wait_the_slot_is_free_afterwards(self, error: type[BaseException]) -> None:
        async def main() -> None:
            slots = Slots(1)

            async def broken_off() -> None:
                async with slots.of_account().taken() as slot, slot.lent_in_silence():
                    await asyncio.sleep(60)
                    raise error

            with pytest.raises(error):
                await broken_off()
            for _ in range(2):
                async with asyncio.timeout(1), slots.of_account().taken():
                    pass

        run(main())

    def test_who_is_cancelled_in_the_queue_leaves_nothing_behind(self) -> None:
        async def main() -> None:
            slots = Slots(1)
            account = slots.of_account()
            async with slots.of_account().taken():
                waiting = asyncio.create_task(account.taken().__aenter__())
                await asyncio.sleep(1)
                waiting.cancel()
                await asyncio.wait({waiting})
            async with asyncio.timeout(1), account.taken():
                pass

        run(main())
