"""What a result owes is marked as done, each effect on its own."""

from hub.coverage import CoverageState
from hub.scans import Effect
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import KEY, MINUTE, NOW, OTHER_MESSAGE, PARTIAL, SUMMARY, coverage


async def test_each_effect_is_done_on_its_own_and_twice_is_once(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG, Effect.METRICS})
    for left in ({Effect.METRICS}, {Effect.METRICS}):
        await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
        assert (await rig.ledger.look_up([KEY]))[KEY].owed == left
    await rig.ledger.mark_done(KEY, {Effect.METRICS}, scan_id=SUMMARY.scan_id)
    await rig.ledger.mark_done(KEY, {Effect.METRICS}, scan_id=SUMMARY.scan_id)
    record = (await rig.ledger.look_up([KEY]))[KEY]
    assert record.owed == frozenset()
    assert record.summary == SUMMARY


async def test_a_slow_worker_does_not_clear_what_a_newer_result_owes(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed={Effect.TAG})
    lease = await claimed(rig, message_id=OTHER_MESSAGE, force=True)
    newer = coverage(CoverageState.PARTIAL, at=NOW + 2 * MINUTE)
    await rig.ledger.commit(lease, PARTIAL, newer, owed={Effect.TAG})
    await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
    assert (await rig.ledger.look_up([KEY]))[KEY].owed == {Effect.TAG}
    await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=PARTIAL.scan_id)
    assert (await rig.ledger.look_up([KEY]))[KEY].owed == frozenset()


async def test_of_an_item_that_is_not_there_it_makes_none(rig: LedgerRig) -> None:
    await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
    assert await rig.items() == {}
