"""Many keys at once."""

import asyncio
from dataclasses import replace

from hub.coverage import CoverageState
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import CHECKOUT, KEY, MINUTE, NOW, OLD_CODE, REFUNDS, SUMMARY, coverage


async def test_keys_without_an_entry_are_left_out_and_doubles_do_not_matter(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    live = replace(KEY, function=replace(CHECKOUT, qualifier="live"))
    found = await rig.ledger.look_up([KEY, live, KEY, replace(KEY, fingerprint=OLD_CODE)])
    assert set(found) == {KEY, live}
    assert found[KEY].lease == lease
    assert found[live].key == live


async def test_of_nothing_is_nothing(rig: LedgerRig) -> None:
    assert await rig.ledger.look_up([]) == {}


async def test_more_keys_than_one_batch_takes(rig: LedgerRig) -> None:
    functions = [replace(CHECKOUT, name=f"orders-{number:03}") for number in range(130)]
    keys = [replace(KEY, function=function) for function in functions]
    await asyncio.gather(*(claimed(rig, key=key, message_id=f"{n}") for n, key in enumerate(keys)))
    found = await rig.ledger.look_up([*keys, replace(KEY, function=REFUNDS)])
    assert {key: record.lease.message_id for key, record in found.items() if record.lease} == {
        key: f"{number}" for number, key in enumerate(keys)
    }


async def test_it_tells_whether_the_coverage_speaks_of_this_code(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    await rig.ledger.record(coverage(as_of=NOW, at=NOW + 2 * MINUTE, code=OLD_CODE))
    assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint == OLD_CODE
    await rig.ledger.record(coverage(CoverageState.EXCLUDED, as_of=NOW, at=NOW + 3 * MINUTE))
    assert (await rig.ledger.look_up([KEY]))[KEY].coverage_fingerprint is None
