"""What is DynamoDB's alone: what is read of an item, how long one is kept, lists by index and by page."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hub.coverage import CoverageState
from hub.ledger_items import record_from, scan_item_key, state_item_key
from hub.ledger_schema import Key
from hub.scans import Claimed, Effect
from hub.sightings import Sighting
from tests.ledger_rig import TABLE, DynamoRig
from tests.ledger_samples import (
    CHECKOUT,
    FAILURE,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OTHER_MESSAGE,
    PARTIAL,
    SUMMARY,
    coverage,
)

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


class TestLookUp:
    async def test_what_is_not_read_changes_nothing_in_the_answer(
        self, rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        settled = coverage(CoverageState.PARTIAL, reason="report_pending")
        assert await rig.ledger.commit(claim.lease, PARTIAL, settled, owed=[Effect.TAG, Effect.NOTIFY])
        await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + MINUTE, duration=LEASE, force=True)
        answers: list[Any] = []
        ask = client.batch_get_item

        async def noted(**request: Any) -> object:
            answers.append(await ask(**request))
            return answers[-1]

        monkeypatch.setattr(client, "batch_get_item", noted)
        found = await rig.ledger.look_up([KEY])
        whole = await rig.items()
        assert found == {KEY: record_from(whole[scan_item_key(KEY)], KEY, whole[state_item_key(CHECKOUT)])}
        record = found[KEY]
        assert record.lease is not None
        assert (record.summary, record.owed) == (PARTIAL, frozenset({Effect.TAG, Effect.NOTIFY}))
        assert (record.committed_by, record.coverage_fingerprint) == (MESSAGE, NEW_CODE)
        assert "lastGood" in whole[state_item_key(CHECKOUT)]
        assert "lastGood" not in str(answers)

    @pytest.mark.parametrize("key", [scan_item_key(KEY), state_item_key(CHECKOUT)])
    async def test_an_item_of_a_newer_version_is_left_out_by_what_is_read_of_it(self, rig: DynamoRig, key: Key) -> None:
        await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        await rig.ledger.record(coverage())
        await rig.put((await rig.get(key)) | {"schema": 2})
        assert await rig.ledger.look_up([KEY]) == {}


class TestExpiry:
    async def test_a_claim_lets_its_item_outlive_any_result(self, rig: DynamoRig) -> None:
        await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        item = await rig.get(scan_item_key(KEY))
        assert item["expiresAt"] == int((NOW + LEASE + timedelta(days=455)).timestamp())

    async def test_a_result_is_kept_three_months_after_it_was_fresh(self, rig: DynamoRig) -> None:
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed=())
        items = await rig.items()
        kept = int((SUMMARY.fresh_until + timedelta(days=90)).timestamp())
        assert items[scan_item_key(KEY)]["expiresAt"] == kept
        assert "expiresAt" not in items[state_item_key(CHECKOUT)]

    async def test_gone_is_kept_400_days(self, rig: DynamoRig) -> None:
        await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, as_of=NOW, code=None))
        item = await rig.get(state_item_key(CHECKOUT))
        assert item["expiresAt"] == int((NOW + timedelta(days=400)).timestamp())


async def test_states_can_be_listed_by_the_index(rig: DynamoRig, client: "DynamoDBClient") -> None:
    await rig.ledger.note_failure(MESSAGE, FAILURE)
    await rig.ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
    await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    await rig.ledger.record(coverage(CoverageState.FAILED))
    answer = await client.query(
        TableName=TABLE,
        IndexName="by-state",
        KeyConditionExpression="#state = :failed",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":failed": {"S": "FAILED"}},
    )
    assert [item["pk"]["S"] for item in answer["Items"]] == [state_item_key(CHECKOUT).pk]
    everything = await client.scan(TableName=TABLE, IndexName="by-state")
    assert [item["sk"]["S"] for item in everything["Items"]] == ["state"]


async def test_coverages_are_read_page_by_page(
    rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = {replace(CHECKOUT, name=f"orders-{number}") for number in range(7)}
    for function in functions:
        await rig.ledger.record(coverage(function=function))
    pages = 0
    scan = client.scan

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        nonlocal pages
        pages += 1
        return await scan(**request, Limit=3)

    monkeypatch.setattr(client, "scan", small)
    assert {one.function async for one in rig.ledger.coverages()} == functions
    assert pages == 3


async def test_sightings_are_read_page_by_page_from_one_partition(
    rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [
        Sighting(account=f"{number:012}", region="eu-central-1", event_at=NOW, received_at=NOW) for number in range(7)
    ]
    for one in reversed(many):
        await rig.ledger.sight(one)
    await rig.ledger.record(coverage())
    pages = []
    query = client.query

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        pages.append(await query(**request, Limit=3))
        return pages[-1]

    monkeypatch.setattr(client, "query", small)
    assert [one async for one in rig.ledger.sightings()] == many
    assert [page["ScannedCount"] for page in pages] == [3, 3, 1]
