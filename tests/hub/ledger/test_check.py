"""Whether the table is a ledger, before anything is written."""

from typing import TYPE_CHECKING

import pytest

from hub.coverage import CoverageState
from hub.ledger import DynamoLedger
from hub.sightings import Sighting
from spoke.errors import Misconfigured
from tests import virtual_time
from tests.hub.dynamodb_answers import ledger_answered
from tests.ledger_rig import TABLE
from tests.ledger_samples import A_LEASE, CHECKOUT, KEY, LEASE, MESSAGE, NOW, SUMMARY, coverage

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


class TestCheck:
    async def test_the_table_of_the_template_is_a_ledger(self, client: "DynamoDBClient") -> None:
        await DynamoLedger(client, TABLE).check()

    async def test_a_table_that_is_not_there_is_named(self, client: "DynamoDBClient") -> None:
        with pytest.raises(Misconfigured, match="describing the ledger table no-such-table"):
            await DynamoLedger(client, "no-such-table").check()

    async def test_another_table_is_refused_before_anything_is_written(self, client: "DynamoDBClient") -> None:
        await client.create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        with pytest.raises(Misconfigured, match="the table orders is not a ledger"):
            await DynamoLedger(client, "orders").check()

    def test_an_index_whose_key_has_another_type_is_refused(self) -> None:
        definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "state", "at")]
        schema = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        ledger, _ = ledger_answered({"Table": {"AttributeDefinitions": definitions, "KeySchema": schema}})
        with pytest.raises(Misconfigured, match="is not a ledger"):
            virtual_time.run(ledger.check())

    async def test_a_table_without_the_index_by_account_is_told_to_be_updated(self, client: "DynamoDBClient") -> None:
        await client.update_table(
            TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-account"}}]
        )
        with pytest.raises(Misconfigured) as refused:
            await DynamoLedger(client, TABLE).check()
        assert refused.value.text == (f"the ledger table {TABLE} lacks the index by-account: update the hub's stack")

    async def test_a_table_that_vanished_is_named_by_every_operation(self, client: "DynamoDBClient") -> None:
        ledger = DynamoLedger(client, "vanished")
        attempts = [
            ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE),
            ledger.look_up([KEY]),
            ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()),
            ledger.coverage(CHECKOUT),
            anext(ledger.coverages()),
            ledger.sight(Sighting(account="210987654321", region="eu-central-1", event_at=NOW, received_at=NOW)),
            anext(ledger.sightings()),
            ledger.standings([CHECKOUT]),
            anext(ledger.rows("210987654321")),
            anext(ledger.in_state(CoverageState.NO_ACCESS)),
            ledger.counts(["210987654321", "310987654322"]),
            ledger.replace(coverage(), seen=None),
        ]
        for attempt in attempts:
            with pytest.raises(Misconfigured, match="vanished"):
                await attempt
