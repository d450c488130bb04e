import asyncio

import pytest

from hub.ledger_items import scan_item_key
from hub.scans import CLOCK_SKEW, Claimed, Effect, Held
from spoke.errors import Unavailable
from tests.ledger_samples import CHECKOUT, KEY, LEASE, MESSAGE, NOW, OTHER_MESSAGE, SUMMARY, coverage
from worker.memory.ledger import MemoryLedger


async def claimed(ledger: MemoryLedger) -> Claimed:
    claim = await ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    assert isinstance(claim, Claimed)
    return claim


async def test_an_answer_that_is_lost_after_the_effect_leaves_the_lease_with_its_message() -> None:
    async def lose(operation: str, *, after: bool) -> None:
        if after:
            raise Unavailable(f"{operation}: the answer was lost")

    ledger = MemoryLedger(on_call=lose)
    with pytest.raises(Unavailable, match="claim: the answer was lost"):
        await ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    ledger.on_call = None
    assert await ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE) == Held(
        MESSAGE, NOW + LEASE + CLOCK_SKEW
    )


async def test_a_call_that_fails_before_its_effect_changes_nothing() -> None:
    ledger = MemoryLedger()
    lease = (await claimed(ledger)).lease
    before = dict(ledger.items)

    async def refuse(operation: str, *, after: bool) -> None:
        if not after:
            raise Unavailable(operation)

    ledger.on_call = refuse
    attempts = {
        "look_up": ledger.look_up([KEY]),
        "claim": ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + LEASE, duration=LEASE),
        "renew": ledger.renew(lease, now=NOW + LEASE, duration=LEASE),
        "release": ledger.release(lease),
        "commit": ledger.commit(lease, SUMMARY, coverage(), owed=()),
        "release_all": ledger.release_all(KEY.function, message_id=MESSAGE),
        "mark_done": ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id),
        "record": ledger.record(coverage()),
        "coverage": ledger.coverage(CHECKOUT),
        "coverages": anext(ledger.coverages()),
    }
    for name, attempt in attempts.items():
        with pytest.raises(Unavailable, match=f"^{name}$"):
            await attempt
    assert ledger.items == before


async def test_calls_really_interleave() -> None:
    """Each call lets the others go first, so that a race in the caller shows in memory too."""
    ledger = MemoryLedger()
    order: list[str] = []

    async def note(operation: str, *, after: bool) -> None:
        order.append(f"{operation}:{after}")

    ledger.on_call = note
    await asyncio.gather(ledger.coverage(CHECKOUT), ledger.look_up([KEY]))
    assert order == ["coverage:False", "coverage:True", "look_up:False", "look_up:True"]
    order.clear()
    task = asyncio.create_task(ledger.coverage(CHECKOUT))
    await asyncio.sleep(0)
    assert order == []
    await task


async def test_two_ledgers_do_not_share_items() -> None:
    one, other = MemoryLedger(), MemoryLedger()
    await claimed(one)
    assert scan_item_key(KEY) in one.items
    assert other.items == {}
