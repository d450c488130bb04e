import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from spoke.errors import AccountPaused, Gone, NoAccess, Throttled, Unavailable
from tests.virtual_time import run
from tests.worker.worlds import ACCOUNT, function, snapshot
from worker import backoff
from worker.accounts import READS_A_SECOND, WRITES_A_SECOND, Accounts
from worker.memory.clock import LoopClock
from worker.memory.spoke import Call, MemorySpoke

OTHER = "210000000002"
TAGS = {"QualysScanStatus": "success"}


class Visited:
    """Two accounts with a function each."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.spoke = MemorySpoke(self.clock)
        self.accounts = Accounts(self.spoke, self.clock)
        for account in (ACCOUNT, OTHER):
            self.spoke.put(snapshot(function(account=account)))

    async def refuse(self, times: int) -> list[timedelta]:
        """How long each of so many refusals in a row pauses the account."""
        pauses = []
        self.spoke.deny(ACCOUNT)
        for _ in range(times):
            with pytest.raises(NoAccess):
                await self.accounts.describe(function())
            with pytest.raises(AccountPaused) as paused:
                self.accounts.admit(ACCOUNT)
            pauses.append(paused.value.until - self.clock.now())
            await asyncio.sleep(pauses[-1].total_seconds())
        self.spoke.allow(ACCOUNT)
        return pauses


def test_an_account_that_refuses_is_asked_nothing_for_a_while_and_the_others_go_on() -> None:
    async def main() -> None:
        visited = Visited()
        calls: Counter[str] = Counter()
        describe = visited.spoke.describe

        async def counted(arn: object) -> object:
            calls["describe"] += 1
            return await describe(arn)  # type: ignore[arg-type]  # passed on as it came

        visited.spoke.describe = counted  # type: ignore[method-assign,assignment]  # counts
        visited.spoke.deny(ACCOUNT)
        with pytest.raises(NoAccess):
            await visited.accounts.describe(function())
        for _ in range(5):
            with pytest.raises(AccountPaused):
                await visited.accounts.describe(function("another"))
        assert calls["describe"] == 1
        assert visited.accounts.paused == 1
        assert (await visited.accounts.describe(function(account=OTHER))).arn.account == OTHER

    run(main())


def test_the_pause_grows_up_to_a_quarter_of_an_hour_and_ends_with_the_first_success() -> None:
    async def main() -> None:
        visited = Visited()
        pauses = await visited.refuse(9)
        assert [pause.total_seconds() for pause in pauses] == [10, 20, 40, 80, 160, 320, 640, 900, 900]
        await visited.accounts.describe(function())
        assert visited.accounts.paused == 0
        assert await visited.refuse(1) == [timedelta(seconds=10)]

    run(main())


def test_ten_calls_that_are_refused_at_once_are_one_refusal() -> None:
    async def main() -> None:
        visited = Visited()
        visited.spoke.deny(ACCOUNT)
        answers = await asyncio.gather(
            *(visited.accounts.describe(function()) for _ in range(10)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [NoAccess] * 10
        with pytest.raises(AccountPaused) as paused:
            visited.accounts.admit(ACCOUNT)
        assert paused.value.until - visited.clock.now() == timedelta(seconds=10)

    run(main())


def test_an_account_that_denies_access_counts_until_it_answers_not_only_while_it_is_paused() -> None:
    async def main() -> None:
        visited = Visited()
        accounts = visited.accounts
        visited.spoke.deny(ACCOUNT)
        for _ in range(4):
            with pytest.raises(NoAccess):
                await accounts.describe(function())
            assert (accounts.paused, accounts.without_access) == (1, 1)
            # A message that waits for the pause's end comes some seconds after it.
            await asyncio.sleep((backoff.of_account(4) + timedelta(seconds=30)).total_seconds())
            assert (accounts.paused, accounts.without_access) == (0, 1), "between a pause and the next try"
        visited.spoke.allow(ACCOUNT)
        await accounts.describe(function())
        assert (accounts.paused, accounts.without_access) == (0, 0)

    run(main())


def test_an_account_that_nobody_asks_any_more_is_forgotten_an_hour_after_its_pause() -> None:
    """Its messages are parked, or went to other workers: it may have been mended long ago."""

    async def main() -> None:
        visited = Visited()
        visited.spoke.deny(ACCOUNT)
        with pytest.raises(NoAccess):
            await visited.accounts.describe(function())
        await asyncio.sleep(10 + 3599)
        assert visited.accounts.without_access == 1
        await asyncio.sleep(2)
        assert visited.accounts.without_access == 0

    run(main())


def test_an_account_that_throttles_is_not_one_without_access_but_hides_none() -> None:
    async def main() -> None:
        visited = Visited()
        visited.spoke.fail("describe", Throttled("TooManyRequestsException"))
        with pytest.raises(Throttled):
            await visited.accounts.describe(function())
        assert (visited.accounts.paused, visited.accounts.without_access) == (1, 0)
        for account, error in ((OTHER, NoAccess("not authorized to perform: sts:AssumeRole")), (OTHER, Throttled("x"))):
            visited.spoke.fail("describe", error)
            with pytest.raises(type(error)):
                await visited.accounts.describe(function(account=account))
            await asyncio.sleep(60)
        assert visited.accounts.without_access == 1, "AWS's patience says nothing of the role"

    run(main())


CALLS: dict[Call, Callable[[Accounts], Awaitable[object]]] = {
    "describe": lambda accounts: accounts.describe(function()),
    "scan_credentials": lambda accounts: accounts.scan_credentials(snapshot()),
    "tag": lambda accounts: accounts.tag(function(), TAGS, present=None),
}


@pytest.mark.parametrize("call", sorted(CALLS))
def test_an_account_that_throttles_is_paused(call: Call) -> None:
    async def main() -> None:
        visited = Visited()
        visited.spoke.fail(call, Throttled("TooManyRequestsException"))
        with pytest.raises(Throttled):
            await CALLS[call](visited.accounts)
        assert visited.accounts.paused == 1

    run(main())


@pytest.mark.parametrize("error", [Gone("no such function"), Unavailable("no answer")])
def test_what_says_nothing_of_the_whole_account_pauses_nothing(error: Exception) -> None:
    async def main() -> None:
        visited = Visited()
        visited.spoke.fail("describe", error)
        with pytest.raises(type(error)):
            await visited.accounts.describe(function())
        assert visited.accounts.paused == 0

    run(main())


def test_a_role_that_may_not_tag_is_no_reason_to_pause() -> None:
    async def main() -> None:
        visited = Visited()
        visited.spoke.fail("tag", NoAccess("not authorized to perform: lambda:TagResource"))
        with pytest.raises(NoAccess):
            await visited.accounts.tag(function(), TAGS, present=None)
        assert visited.accounts.paused == 0

    run(main())


def test_no_account_and_region_is_asked_faster_than_it_bears() -> None:
    async def main() -> None:
        visited = Visited()
        begun = asyncio.get_running_loop().time()
        asked: list[float] = []
        describe = visited.spoke.describe

        async def timed(arn: object) -> object:
            asked.append(asyncio.get_running_loop().time() - begun)
            return await describe(arn)  # type: ignore[arg-type]  # passed on as it came

        visited.spoke.describe = timed  # type: ignore[method-assign,assignment]  # takes the time
        here = [visited.accounts.describe(function()) for _ in range(100)]
        there = [visited.accounts.describe(function(account=OTHER)) for _ in range(READS_A_SECOND)]
        await asyncio.gather(*here, *there)
        assert sum(moment == 0 for moment in asked) == 2 * READS_A_SECOND, "the other account does not wait"
        assert max(asked) == pytest.approx(100 / READS_A_SECOND - 1, abs=0.2)

    run(main())


def test_tags_are_written_at_a_pace_that_leaves_room_for_the_customers_own_calls() -> None:
    async def main() -> None:
        visited = Visited()
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(
            *(visited.accounts.tag(function(), {"QualysScanTag": str(n)}, present=None) for n in range(20))
        )
        assert asyncio.get_running_loop().time() - begun == pytest.approx(20 / WRITES_A_SECOND - 1, abs=0.2)

    run(main())
