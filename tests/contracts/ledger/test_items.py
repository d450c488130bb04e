"""The items as they lie in the table: those of other versions, broken ones, and their keys."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest

from hub.coverage import CoverageState
from hub.ledger_items import scan_item_key, state_item_key
from hub.ledger_schema import Key
from hub.scans import Effect
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig, claimed
from tests.ledger_samples import (
    CHECKOUT,
    EVERY_EFFECT,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OTHER_MESSAGE,
    OVER,
    PROFILE,
    REFUNDS,
    SUMMARY,
    coverage,
)


async def test_unknown_attributes_are_ignored_on_read_and_kept_on_write(rig: LedgerRig) -> None:
    await claimed(rig)
    await rig.ledger.record(coverage(CoverageState.SCANNING, at=NOW))
    for item in (await rig.items()).values():
        await rig.put(item | {"ticket": "SEC-4711"})
    lease = await claimed(rig, message_id=OTHER_MESSAGE, now=NOW + OVER)
    await rig.ledger.renew(lease, now=NOW, duration=LEASE)
    await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
    await rig.ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id)
    await rig.ledger.record(coverage(at=NOW + 5 * MINUTE))
    assert (await rig.ledger.look_up([KEY]))[KEY].summary == SUMMARY
    items = await rig.items()
    assert [item["ticket"] for item in items.values()] == ["SEC-4711"] * 2
    assert [item["schema"] for item in items.values()] == [1, 1]


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.ledger.commit(lease, SUMMARY, coverage(), owed=EVERY_EFFECT)
    for item in (await rig.items()).values():
        await rig.put(item | {"schema": 2})
    before = await rig.items()
    ledger = rig.ledger
    attempts: list[Awaitable[object]] = [
        ledger.claim(KEY, message_id=MESSAGE, now=NOW + timedelta(days=99), duration=LEASE),
        ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE, force=True),
        ledger.mark_done(KEY, {Effect.TAG}, scan_id=SUMMARY.scan_id),
        ledger.record(coverage(at=NOW + 5 * MINUTE)),
        ledger.coverage(CHECKOUT),
        anext(aiter(ledger.coverages())),
    ]
    for attempt in attempts:
        with pytest.raises(Misconfigured, match="has schema 2, this scanhub knows 1"):
            await attempt
    assert await ledger.look_up([KEY]) == {}, "its claim says why; what was looked up with it goes on"
    assert await rig.items() == before


async def test_a_commit_beside_a_newer_coverage_item_stores_nothing(rig: LedgerRig) -> None:
    lease = await claimed(rig)
    await rig.put({"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 2, "state": "ASLEEP", "at": 1})
    with pytest.raises(Misconfigured, match="has schema 2"):
        await rig.ledger.commit(lease, SUMMARY, coverage(), owed=())
    assert "summary" not in (await rig.items())[scan_item_key(KEY)]


async def test_a_broken_item_is_named(rig: LedgerRig) -> None:
    await rig.put({"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 1, "state": "ASLEEP", "at": 1})
    with pytest.raises(Misconfigured, match=r"function#arn:aws:lambda:.*:checkout-api state cannot be read"):
        await rig.ledger.coverage(CHECKOUT)


async def test_keys_are_those_of_the_reference(rig: LedgerRig) -> None:
    await rig.ledger.commit(await claimed(rig), SUMMARY, coverage(), owed=())
    function = "function#arn:aws:lambda:eu-central-1:210987654321:function:checkout-api"
    assert set(await rig.items()) == {
        Key(function, "state"),
        Key(function, f"scan#{NEW_CODE}#{PROFILE.id}"),
    }


def test_functions_that_differ_only_in_case_or_partition_have_items_of_their_own() -> None:
    names = ["arn:aws:lambda:eu-central-1:210987654321:function:checkout-api", str(REFUNDS)]
    names += [names[0].replace("checkout", "Checkout"), names[0].replace("arn:aws:", "arn:aws-cn:")]
    assert len({state_item_key(FunctionArn.parse(name)) for name in names}) == len(names)
