"""Of all workers that meet one fault, one tells of it."""

import asyncio
from datetime import timedelta

import pytest

from hub.ledger_schema import Key
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig
from tests.ledger_samples import CIRCUIT, HOUR, MINUTE, NOW


async def test_the_first_that_asks_tells_and_the_others_are_quiet(rig: LedgerRig) -> None:
    told = [await rig.ledger.announce(CIRCUIT, now=NOW + n * MINUTE, quiet=HOUR) for n in range(3)]
    assert told == [True, False, False]


async def test_of_many_that_ask_at_once_exactly_one_tells(rig: LedgerRig) -> None:
    moments = [NOW + timedelta(seconds=(7 * n) % 10) for n in range(10)]
    told = await asyncio.gather(*(rig.ledger.announce(CIRCUIT, now=now, quiet=HOUR) for now in moments))
    assert sum(told) == 1


async def test_each_question_prolongs_the_quiet(rig: LedgerRig) -> None:
    """A fault that lasts for a day is told once; a new one after an hour without questions is told anew."""
    told = [await rig.ledger.announce(CIRCUIT, now=NOW + n * HOUR, quiet=HOUR) for n in range(24)]
    assert told == [True] + [False] * 23
    last = NOW + 23 * HOUR
    assert await rig.ledger.announce(CIRCUIT, now=last + HOUR, quiet=HOUR) is False
    over = last + 2 * HOUR + timedelta(milliseconds=1)
    assert await rig.ledger.announce(CIRCUIT, now=over, quiet=HOUR) is True


async def test_a_clock_that_is_behind_does_not_shorten_the_quiet(rig: LedgerRig) -> None:
    await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
    assert await rig.ledger.announce(CIRCUIT, now=NOW - MINUTE, quiet=HOUR) is False
    assert await rig.ledger.announce(CIRCUIT, now=NOW + HOUR, quiet=HOUR) is False


async def test_each_subject_has_a_quiet_of_its_own(rig: LedgerRig) -> None:
    assert await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
    assert await rig.ledger.announce("sweep-stalled", now=NOW, quiet=HOUR)
    assert set(await rig.items()) == {
        Key("announcement#qualys-circuit", "announcement"),
        Key("announcement#sweep-stalled", "announcement"),
    }


async def test_it_is_kept_a_week_beyond_the_quiet(rig: LedgerRig) -> None:
    for now in (NOW, NOW + MINUTE):
        await rig.ledger.announce(CIRCUIT, now=now, quiet=HOUR)
        (item,) = (await rig.items()).values()
        assert item["expiresAt"] == int((now + HOUR + timedelta(days=7)).timestamp())


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: LedgerRig) -> None:
    await rig.put({"pk": f"announcement#{CIRCUIT}", "sk": "announcement", "schema": 2, "at": 1})
    before = await rig.items()
    with pytest.raises(Misconfigured, match="has schema 2"):
        await rig.ledger.announce(CIRCUIT, now=NOW, quiet=HOUR)
    assert await rig.items() == before
