"""The failures of a message, which outlive its deliveries."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.ledger_schema import Key
from hub.tries import Failure
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig
from tests.ledger_samples import CRASHED, MESSAGE, MINUTE, NOW, OTHER_MESSAGE, SECOND

THROTTLED = Failure(
    3, "throttled", "GetFunction of checkout-api: TooManyRequestsException: Rate exceeded", NOW + MINUTE
)


async def test_every_failure_of_a_message_comes_back_oldest_first(rig: LedgerRig) -> None:
    assert list(await rig.ledger.note_failure(MESSAGE, THROTTLED)) == [THROTTLED]
    assert list(await rig.ledger.note_failure(MESSAGE, CRASHED)) == [CRASHED, THROTTLED]
    # One delivery may fail twice, for two reasons; a thousandth delivery sorts behind a second.
    died = Failure(2, "worker_died", "the worker before did not live to its end", NOW - SECOND)
    last = Failure(1000, "unavailable", "time-out", NOW)
    await rig.ledger.note_failure(MESSAGE, last)
    assert list(await rig.ledger.note_failure(MESSAGE, died)) == [died, CRASHED, THROTTLED, last]


async def test_each_message_has_failures_of_its_own(rig: LedgerRig) -> None:
    await rig.ledger.note_failure(MESSAGE, CRASHED)
    assert list(await rig.ledger.note_failure(OTHER_MESSAGE, THROTTLED)) == [THROTTLED]
    assert set(await rig.items()) == {
        Key(f"message#{MESSAGE}", "tries"),
        Key(f"message#{OTHER_MESSAGE}", "tries"),
    }


async def test_noted_again_for_one_attempt_and_reason_it_counts_once(rig: LedgerRig) -> None:
    await rig.ledger.note_failure(MESSAGE, CRASHED)
    again = replace(CRASHED, text="the scanner died of signal 11", at=NOW + SECOND)
    assert list(await rig.ledger.note_failure(MESSAGE, again)) == [again]


async def test_many_at_once_are_all_counted(rig: LedgerRig) -> None:
    failures = [replace(CRASHED, attempt=number) for number in range(1, 9)]
    answers = await asyncio.gather(*(rig.ledger.note_failure(MESSAGE, one) for one in failures))
    assert [list(one) for one in answers if len(one) == len(failures)] == [failures]
    assert sorted(map(len, answers)) == list(range(1, 9))


async def test_a_long_text_is_cut_and_moments_are_whole_milliseconds(rig: LedgerRig) -> None:
    long = replace(CRASHED, text="ß" * 1000, at=NOW + timedelta(microseconds=777))
    assert list(await rig.ledger.note_failure(MESSAGE, long)) == [replace(CRASHED, text="ß" * 300)]


async def test_it_outlives_the_message(rig: LedgerRig) -> None:
    await rig.ledger.note_failure(MESSAGE, CRASHED)
    await rig.ledger.note_failure(MESSAGE, THROTTLED)
    (item,) = (await rig.items()).values()
    assert item["expiresAt"] == int((THROTTLED.at + timedelta(days=15)).timestamp())


async def test_what_else_stands_there_is_ignored_and_stays(rig: LedgerRig) -> None:
    key = Key(f"message#{MESSAGE}", "tries")
    await rig.put({"pk": key.pk, "sk": key.sk, "schema": 1, "ticket": "SEC-4711"})
    assert list(await rig.ledger.note_failure(MESSAGE, CRASHED)) == [CRASHED]
    assert (await rig.items())[key]["ticket"] == "SEC-4711"


@pytest.mark.parametrize(
    "broken",
    [{"try#0001": {}}, {"try#one#throttled": {"at": 1, "text": ""}}, {"try#0001#X": {"at": 1, "text": ""}}],
    ids=str,
)
async def test_a_broken_item_is_named(rig: LedgerRig, broken: dict[str, object]) -> None:
    await rig.put({"pk": f"message#{MESSAGE}", "sk": "tries", "schema": 1} | broken)
    with pytest.raises(Misconfigured, match=f"the ledger item message#{MESSAGE} tries cannot be read"):
        await rig.ledger.note_failure(MESSAGE, CRASHED)


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: LedgerRig) -> None:
    await rig.put({"pk": f"message#{MESSAGE}", "sk": "tries", "schema": 2})
    before = await rig.items()
    with pytest.raises(Misconfigured, match="has schema 2"):
        await rig.ledger.note_failure(MESSAGE, CRASHED)
    assert await rig.items() == before
