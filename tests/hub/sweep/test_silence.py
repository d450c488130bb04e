"""How long accounts are waited for, by what is heard of their region."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.sweep.silence import IN_A_ROW, PATIENCE, SHORT, Question, Silence, Silent
from hub.sweep.slots import SILENCE, Slots
from spoke.errors import NoAccess, Unavailable
from tests.hub.sweep.rig import OnEachStep, Rig, Step, account, function
from tests.virtual_time import run

REGION = "me-central-1"


def now() -> float:
    return asyncio.get_running_loop().time()


class Accounts:
    """Ask one question, one after another or at once, each with a slot of its own."""

    def __init__(self, *, question: Question = Question.FUNCTIONS) -> None:
        self.silence = Silence()
        self._slots = Slots(1000)
        self._question = question

    async def asks(self, number: int, seconds: float, *, region: str = REGION, besides: float = 0.0) -> str:
        """Waits so long for its answer; returns the answer, or why there is none."""

        async def call() -> str:
            await asyncio.sleep(seconds)
            return "answer"

        async with self._slots.of_account().taken() as slot:
            try:
                return await self.silence.answer(self._question, account(number), region, slot, call, besides=besides)
            except Silent as silent:
                return silent.text

    async def fall_silent(self, count: int = IN_A_ROW, *, region: str = REGION) -> None:
        """So many accounts are given up at once."""
        await asyncio.gather(*(self.asks(number, 10**6, region=region) for number in range(count)))


class TestOneRegion:
    def test_the_fourth_account_is_given_up_soon(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            for number in range(IN_A_ROW):
                began = now()
                assert await accounts.asks(number, 10**6) == "no answer for 5 minutes"
                assert now() - began == PATIENCE
            for others in (3, 4):
                began = now()
                told = await accounts.asks(others, 10**6)
                assert told == f"no answer for 20 seconds, as from {others} other accounts in this region"
                assert now() - began == SHORT

        run(main())

    def test_the_log_tells_it_once_with_the_region(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            with capture_logs() as logs:
                await accounts.fall_silent(IN_A_ROW + 5)
            (line,) = logs
            assert (line["event"], line["region"], line["accounts"]) == ("region is silent", REGION, IN_A_ROW)

        run(main())

    def test_another_region_and_another_question_know_nothing_of_it(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            await accounts.fall_silent()
            assert await accounts.asks(9, 10**6, region="eu-west-1") == "no answer for 5 minutes"
            of_tags = Accounts(question=Question.TAGS)
            of_tags.silence = accounts.silence
            assert await of_tags.asks(9, 10**6) == "no answer for 5 minutes"

        run(main())

    def test_the_first_answer_gives_the_whole_patience_back_also_to_those_who_wait(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            await accounts.fall_silent()
            waiting = asyncio.create_task(accounts.asks(10, SHORT + 100))
            in_vain = asyncio.create_task(accounts.asks(11, 10**6))
            await asyncio.sleep(1)
            began = now()
            assert await accounts.asks(12, SHORT - 2) == "answer"
            assert await waiting == "answer"
            assert await in_vain == "no answer for 5 minutes"
            assert now() - began == PATIENCE - 1
            assert await accounts.asks(13, PATIENCE - 1) == "answer"
            await accounts.fall_silent(IN_A_ROW - 1)
            assert await accounts.asks(14, PATIENCE - 1) == "answer", "it is counted anew"

        run(main())

    def test_accounts_that_hang_where_others_are_answered_shorten_nothing(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            hanging = [asyncio.create_task(accounts.asks(number, 10**6)) for number in range(10)]
            await asyncio.sleep(PATIENCE / 2)
            assert await accounts.asks(20, 1) == "answer"
            assert {await one for one in hanging} == {"no answer for 5 minutes"}
            assert await accounts.asks(21, PATIENCE - 1) == "answer"

        run(main())

    def test_one_account_alone_shortens_nothing_however_often_it_hangs(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            for _ in range(IN_A_ROW + 1):
                assert await accounts.asks(1, 10**6) == "no answer for 5 minutes"
            assert await accounts.asks(2, PATIENCE - 1) == "answer"

        run(main())

    def test_broken_connections_are_silence_and_refusals_are_neither_silence_nor_an_answer(self) -> None:
        async def main() -> None:
            accounts, slots = Accounts(), Slots(10)

            async def told(number: int, error: Exception) -> None:
                async def refuse() -> str:
                    raise error

                async with slots.of_account().taken() as slot:
                    with pytest.raises(type(error)):
                        await accounts.silence.answer(Question.FUNCTIONS, account(number), REGION, slot, refuse)

            for number in range(IN_A_ROW):
                await told(number, NoAccess("assuming the role scanhub-spoke: AccessDenied"))
            assert await accounts.asks(10, PATIENCE - 1) == "answer"
            await asyncio.sleep(1)
            for number in range(IN_A_ROW):
                await told(number, Unavailable("ConnectTimeoutError"))
                await told(number + 20, NoAccess("assuming the role scanhub-spoke: AccessDenied"))
            assert (await accounts.asks(11, 10**6)).startswith("no answer for 20 seconds, as from 3 other")

        run(main())

    def test_the_time_that_the_work_takes_is_given_in_a_silent_region_too(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            await accounts.fall_silent()
            began = now()
            told = await accounts.asks(10, 10**6, besides=400)
            assert told == "no answer for 7 minutes, as from 3 other accounts in this region"
            assert now() - began == 400 + SHORT

        run(main())

    def test_of_what_concerns_no_region_none_is_named(self) -> None:
        async def main() -> None:
            accounts = Accounts(question=Question.REGIONS)
            await accounts.fall_silent(region="")
            assert await accounts.asks(10, 10**6, region="") == "no answer for 20 seconds, as from 3 other accounts"

        run(main())

    def test_who_was_given_up_before_is_not_counted_among_the_others(self) -> None:
        async def main() -> None:
            accounts = Accounts()
            await accounts.fall_silent(IN_A_ROW + 1)
            told = await accounts.asks(0, 10**6)
            assert told == "no answer for 20 seconds, as from 3 other accounts in this region"

        run(main())

    def test_its_slot_is_lent_at_once(self) -> None:
        async def main() -> None:
            accounts, slots = Accounts(), Slots(1)
            taken: list[float] = []

            async def asks(number: int) -> None:
                async def for_ever() -> None:
                    await asyncio.sleep(10**6)

                async with slots.of_account().taken() as slot:
                    began = now()
                    taken.append(began)
                    with pytest.raises(Silent):
                        await accounts.silence.answer(Question.FUNCTIONS, account(number), REGION, slot, for_ever)

            await asyncio.gather(asks(1), asks(2), asks(3))
            assert [later - first for first, later in itertools.pairwise(taken)] == [SILENCE, SILENCE]
            taken.clear()
            await asyncio.gather(asks(4), asks(5), asks(6))
            assert [later - first for first, later in itertools.pairwise(taken)] == [1, 1]

        run(main())

    def test_a_time_out_that_is_not_the_waits_own_is_not_taken_for_silence(self) -> None:
        async def main() -> None:
            accounts = Accounts()

            async def mistaken() -> str:
                raise TimeoutError

            async with Slots(1).of_account().taken() as slot:
                with pytest.raises(TimeoutError):
                    await accounts.silence.answer(Question.FUNCTIONS, account(1), REGION, slot, mistaken)

        run(main())


def hanging(where: Callable[[Step], bool]) -> OnEachStep:
    """These steps never end."""

    async def step(one: Step) -> None:
        await asyncio.sleep(0.05)
        if not one.after and where(one):
            await asyncio.sleep(10**7)

    return OnEachStep(step)


class TestSweep:
    REGIONS = ("eu-central-1", "me-central-1", "us-east-1")

    def rig(self, accounts: int, **settings: Any) -> tuple[Rig, list[str]]:
        rig = Rig(**settings)
        for number in range(accounts):
            rig.has(*(function("orders", account=account(number), region=region) for region in self.REGIONS))
        return rig, [account(number) for number in range(accounts)]

    def test_a_region_that_is_silent_for_everybody_costs_minutes_and_not_hours(self) -> None:
        async def main() -> None:
            rig, accounts = self.rig(200)
            rig.estate.on_call = hanging(lambda step: step.operation == "functions" and step.region == REGION)
            report = await rig.sweep(accounts)
            # 64 accounts are in hand at once: the first of them take five minutes, the others three turns of 20 s.
            assert report.duration < PATIENCE + SILENCE + 4 * SHORT
            assert {one.region for one in report.problems} == {REGION}
            assert sorted(one.account for one in report.problems) == accounts
            told = [one.text for one in report.problems]
            assert told.count("no answer for 5 minutes") <= 64
            assert sum(one.startswith("no answer for 20 seconds, as from ") for one in told) >= 136
            assert len(rig.queued) == len(set(rig.queued)) == 400

        run(main())

    def test_a_region_that_comes_back_is_swept_with_the_whole_patience(self) -> None:
        async def main() -> None:
            rig, accounts = self.rig(200)
            returns = 60 + PATIENCE + 25

            async def step(one: Step) -> None:
                if one.after or one.operation != "functions" or one.region != REGION:
                    await asyncio.sleep(0.05)
                elif asyncio.get_running_loop().time() < returns:
                    await asyncio.sleep(10**7)
                else:
                    # Slower than a silent region is waited for, all but the first.
                    await asyncio.sleep(1 if one.account == back[0] else 2 * SHORT)

            begun: list[str] = []
            back: list[str] = []

            async def noted(one: Step) -> None:
                if one.operation == "functions" and one.region == REGION and not one.after:
                    begun.append(one.account)
                    if asyncio.get_running_loop().time() >= returns:
                        back.append(one.account)
                await step(one)

            rig.estate.on_call = OnEachStep(noted)
            report = await rig.sweep(accounts)
            lost = {one.account for one in report.problems}
            assert set(begun) == set(accounts)
            assert len(set(back)) > 20
            assert lost.isdisjoint(back)
            assert len(rig.queued) == 600 - len(lost)

        run(main())

    def test_an_account_that_hangs_where_others_answer_changes_nothing_for_them(self) -> None:
        async def main() -> None:
            rig, accounts = self.rig(60, sweep_places=4)
            slow = accounts[40:]

            async def step(one: Step) -> None:
                await asyncio.sleep(0.05)
                if one.after or one.operation != "functions" or one.region != REGION:
                    return
                if one.account in accounts[:IN_A_ROW]:
                    await asyncio.sleep(10**7)
                await asyncio.sleep(2 * SHORT if one.account in slow else 1)

            rig.estate.on_call = OnEachStep(step)
            report = await rig.sweep(accounts)
            assert [one.account for one in report.problems] == accounts[:IN_A_ROW]
            assert {one.text for one in report.problems} == {"no answer for 5 minutes"}

        run(main())

    @pytest.mark.parametrize("call", ["tagged", "versions"])
    def test_silence_about_tags_and_versions_is_known_apart(self, call: str) -> None:
        async def main() -> None:
            rig, accounts = self.rig(60, sweep_versions=True, sweep_places=8)
            rig.estate.on_call = hanging(lambda step: step.operation == call and step.region == REGION)
            report = await rig.sweep(accounts)
            # Four turns of sixteen accounts.
            assert report.duration < PATIENCE + SILENCE + 4 * (SHORT + 2)
            assert len(rig.queued) == 180, "the functions are swept all the same"
            told = {one.text.partition(", as from")[0] for one in report.problems}
            expected = {"versions: no answer for 5 minutes", "versions: no answer for 22 seconds"}
            assert told == (expected if call == "versions" else set())

        run(main())

    @pytest.mark.parametrize("call", ["tagged", "versions"])
    def test_no_more_places_than_may_are_at_work_where_a_question_was_not_answered(self, call: str) -> None:
        """Each of them keeps in memory what it has to send."""

        async def main() -> None:
            rig, accounts = self.rig(12, sweep_versions=True, sweep_places=2)
            at_work: list[int] = [0]

            async def begins() -> None:
                at_work.append(at_work[-1] + 1)
                await asyncio.sleep(10)

            def ends() -> None:
                at_work.append(at_work[-1] - 1)

            async def step(one: Step) -> None:
                if one.operation == call and not one.after:
                    await asyncio.sleep(10**7)
                elif one.operation == "tagged":
                    await begins() if not one.after else ends()

            rig.estate.on_call = OnEachStep(step)
            rig.calls.before["send_all"] = begins
            rig.calls.after["send_all"] = ends
            await rig.sweep(accounts)
            assert len(rig.queued) == 36
            assert max(at_work) == 2

        run(main())

    def test_a_region_that_takes_no_connection_holds_up_nobody(self) -> None:
        async def main() -> None:
            rig, accounts = self.rig(40, sweep_places=2)

            async def step(one: Step) -> None:
                await asyncio.sleep(0.05)
                if not one.after and one.operation == "functions" and one.region == REGION:
                    raise Unavailable("listing functions: no connection to https://lambda.me-central-1.amazonaws.com")

            rig.estate.on_call = OnEachStep(step)
            report = await rig.sweep(accounts)
            assert len(report.problems) == 40
            assert len(rig.queued) == 80
            # Ten turns of four accounts, each as long as its tries; with its slot held it would be two at a time.
            assert report.duration < 10 * 30

        run(main())
