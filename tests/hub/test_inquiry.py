import asyncio

import pytest

from hub.diagnosis import Check, Kind, Verdict
from hub.inquiry import Inquiry, answered
from spoke.errors import Misconfigured, Throttled, Unavailable
from tests import virtual_time

KIND = Kind(name="reach-ledger", group="worker", asks="is it?", wrong="no start", fix="mend it")


async def _well() -> str:
    return "reached"


async def test_an_answer_is_the_reason() -> None:
    check = await answered(Inquiry(KIND, "scanhub-ledger", _well))
    assert (check.verdict, check.subject, check.reason) == (Verdict.OK, "scanhub-ledger", "reached")


async def test_a_question_that_has_more_to_say_gives_the_check_itself() -> None:
    async def ask() -> Check:
        return KIND.warning("scanhub-ledger", "it is full")

    check = await answered(Inquiry(KIND, "scanhub-ledger", ask))
    assert (check.verdict, check.reason, check.fix) == (Verdict.WARNING, "it is full", "mend it")


@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (Misconfigured("no such table"), Verdict.FAILED, "no such table"),
        (Unavailable("no connection"), Verdict.FAILED, "no connection"),
        (Throttled("slow down"), Verdict.UNKNOWN, "slow down"),
        (ZeroDivisionError("oops"), Verdict.UNKNOWN, "the check itself failed: ZeroDivisionError: oops"),
    ],
)
async def test_what_it_raises_becomes_the_answer(error: Exception, verdict: Verdict, words: str) -> None:
    async def ask() -> str:
        raise error

    check = await answered(Inquiry(KIND, "x", ask))
    assert check.verdict is verdict
    assert words in check.reason


def test_one_that_hangs_has_failed() -> None:
    async def scene() -> None:
        async def hang() -> str:
            await asyncio.Event().wait()
            return "never"

        check = await answered(Inquiry(KIND, "x", hang), patience=30)
        assert (check.verdict, check.reason) == (Verdict.FAILED, "no answer within 30 s")

    virtual_time.run(scene())
