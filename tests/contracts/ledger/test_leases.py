"""A lease that is prolonged, given up, or lost to another."""

from dataclasses import replace

import pytest

from hub.ledger_items import scan_item_key
from hub.scans import CLOCK_SKEW, Claimed, Held, Lease
from spoke.errors import LeaseLost
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import (
    EVERY_EFFECT,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NOW,
    OLD_CODE,
    OTHER_MESSAGE,
    OVER,
    REFUNDS,
    SUMMARY,
    coverage,
)


async def test_a_renewed_lease_holds_until_its_new_end(rig: LedgerRig) -> None:
    lease = await rig.ledger.renew(await claimed(rig), now=NOW + MINUTE, duration=LEASE)
    assert lease.expires_at == NOW + MINUTE + LEASE
    claim = await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + OVER, duration=LEASE)
    assert claim == Held(MESSAGE, lease.expires_at + CLOCK_SKEW)


async def test_a_lease_that_ended_but_that_nobody_took_can_be_renewed(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    late = NOW + 2 * LEASE
    assert (await rig.ledger.renew(lease, now=late, duration=LEASE)).expires_at == late + LEASE


async def test_a_lease_that_another_took_cannot_be_renewed(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    taken = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    with pytest.raises(LeaseLost, match="checkout-api"):
        await rig.ledger.renew(lease, now=NOW + OVER, duration=LEASE)
    assert (await rig.ledger.look_up([KEY]))[KEY].lease == taken


async def test_a_lease_that_never_was_cannot_be_renewed_and_leaves_no_item(rig: LedgerRig) -> None:
    with pytest.raises(LeaseLost):
        await rig.ledger.renew(Lease(KEY, MESSAGE, "nobody", NOW), now=NOW, duration=LEASE)
    assert await rig.items() == {}


async def test_after_a_release_the_key_is_free_at_once(rig: LedgerRig) -> None:
    await rig.ledger.release(await claimed(rig))
    assert (await rig.ledger.look_up([KEY]))[KEY].lease is None
    await claimed(rig, message_id=OTHER_MESSAGE)


async def test_release_by_the_old_owner_leaves_the_new_lease_alone(rig: LedgerRig) -> None:
    old = await claimed(rig)
    new = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    await rig.ledger.release(old)
    assert (await rig.ledger.look_up([KEY]))[KEY].lease == new


async def test_release_twice_or_of_nothing_does_nothing(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.release(lease)
    await rig.ledger.release(lease)
    await rig.ledger.release(Lease(replace(KEY, function=REFUNDS), MESSAGE, "nobody", NOW))
    assert set(await rig.items()) == {scan_item_key(KEY)}


async def test_a_message_that_goes_leaves_no_lease_behind_on_any_code(rig: LedgerRig) -> None:
    """Others would join it, and be deleted, while nobody scans for them."""
    older = replace(KEY, fingerprint=OLD_CODE)
    for key, message_id in ((KEY, MESSAGE), (older, MESSAGE)):
        await rig.ledger.claim(key, message_id=message_id, now=NOW, duration=LEASE)
    elsewhere = replace(KEY, function=REFUNDS)
    await rig.ledger.claim(elsewhere, message_id="another", now=NOW, duration=LEASE)
    other_code = replace(KEY, profile_id="0123456789ab")
    await rig.ledger.claim(other_code, message_id="another", now=NOW, duration=LEASE)
    await rig.ledger.release_all(KEY.function, message_id=MESSAGE)
    for key in (KEY, older):
        assert isinstance(await rig.ledger.claim(key, message_id="x", now=NOW, duration=LEASE), Claimed)
    for key in (elsewhere, other_code):
        assert isinstance(await rig.ledger.claim(key, message_id="x", now=NOW, duration=LEASE), Held)
    await rig.ledger.release_all(KEY.function, message_id="nobody")


async def test_a_release_keeps_the_result_before_it(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=EVERY_EFFECT)
    await rig.ledger.release(await claimed(rig, message_id=OTHER_MESSAGE, force=True))
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert (record.summary, record.owed, record.committed_by) == (SUMMARY, EVERY_EFFECT, MESSAGE)
