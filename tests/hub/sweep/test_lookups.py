import asyncio
from collections.abc import Collection

import pytest

from hub.coverage import CoverageState
from hub.standing import Standing
from hub.sweep.lookups import KEYS_A_CALL, LINGER, Lookups, Standings
from spoke.arn import FunctionArn
from spoke.errors import Throttled
from tests.hub.sweep.rig import account, function
from tests.virtual_time import run
from worker.memory.clock import START


def functions(count: int, *, of: int = 1) -> list[FunctionArn]:
    return [function(f"function-{number:03}", account=account(of)) for number in range(count)]


class Ledger:
    """Knows every second function; takes 50 ms."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.error: Exception | None = None

    async def standings(self, keys: Collection[FunctionArn]) -> Standings:
        self.asked.append(len(keys))
        await asyncio.sleep(0.05)
        if self.error is not None:
            raise self.error
        known = [key for key in keys if int(key.name[-3:]) % 2 == 0]
        return {key: Standing(function=key, state=CoverageState.COVERED, at=START) for key in known}


def test_places_that_ask_at_once_share_calls() -> None:
    async def main() -> None:
        ledger = Ledger()
        lookups = Lookups(ledger.standings)
        places = [functions(40, of=number) for number in range(5)]
        answers = await asyncio.gather(*map(lookups.ask, places))
        assert ledger.asked == [KEYS_A_CALL, KEYS_A_CALL]
        assert lookups.calls == 2
        for place, answer in zip(places, answers, strict=True):
            assert list(answer) == place[::2]

    run(main())


def test_a_call_that_is_not_full_waits_a_moment_for_company() -> None:
    async def main() -> None:
        ledger = Ledger()
        lookups = Lookups(ledger.standings)
        first = asyncio.create_task(lookups.ask(functions(3, of=1)))
        await asyncio.sleep(LINGER / 2)
        second = asyncio.create_task(lookups.ask(functions(3, of=2)))
        assert set(await first) == {
            function("function-000", account=account(1)),
            function("function-002", account=account(1)),
        }
        assert len(await second) == 2
        assert ledger.asked == [6]
        assert asyncio.get_running_loop().time() == pytest.approx(LINGER + 0.05)

    run(main())


def test_a_large_place_fills_its_own_calls_at_once() -> None:
    async def main() -> None:
        ledger = Ledger()
        lookups = Lookups(ledger.standings)
        assert len(await lookups.ask(functions(950))) == 475
        assert ledger.asked == [100] * 9 + [50]
        assert len(await lookups.ask(functions(100))) == 50
        assert asyncio.get_running_loop().time() == pytest.approx(LINGER + 0.05 + 0.05)

    run(main())


def test_a_failure_is_told_to_all_who_had_part_in_it_and_to_nobody_else() -> None:
    async def main() -> None:
        ledger = Ledger()
        lookups = Lookups(ledger.standings)
        ledger.error = Throttled("Rate exceeded")
        both = await asyncio.gather(*(lookups.ask(functions(2, of=one)) for one in (1, 2)), return_exceptions=True)
        assert [type(one) for one in both] == [Throttled, Throttled]
        ledger.error = None
        assert len(await lookups.ask(functions(2))) == 1

    run(main())


def test_who_gives_up_does_not_take_the_answer_from_others() -> None:
    async def main() -> None:
        lookups = Lookups(Ledger().standings)
        impatient = asyncio.create_task(lookups.ask(functions(2, of=1)))
        patient = asyncio.create_task(lookups.ask(functions(2, of=2)))
        await asyncio.sleep(0.06)
        impatient.cancel()
        assert len(await patient) == 1
        await asyncio.wait({impatient})
        assert impatient.cancelled()

    run(main())
