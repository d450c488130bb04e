"""A ledger under test, in memory or in moto's DynamoDB, and a look at its items from outside."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from hub.coverage import Coverage
from hub.coverage_reading import CoverageReader
from hub.ledger import DynamoLedger
from hub.ledger_schema import Key
from hub.ledger_wire import plain, wire_item, wire_key
from hub.scans import Claimed, Lease, ScanKey
from hub.standing import CoverageRow
from hub.sweep.ports import SweepLedger
from spoke.arn import FunctionArn
from tests.ledger_samples import KEY, LEASE, MESSAGE, NOW
from worker.memory.ledger import MemoryLedger
from worker.ports import Ledger

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

TABLE = "scanhub-ledger"
A_BATCH = 25
"""Puts that one BatchWriteItem takes (DynamoDB API reference)."""


class WholeLedger(Ledger, SweepLedger, CoverageReader, Protocol):
    async def record(self, coverage: Coverage) -> bool: ...  # both ports have it

    def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]: ...  # same


class LedgerRig(Protocol):
    ledger: WholeLedger

    async def put(self, item: Mapping[str, Any]) -> None: ...

    async def put_all(self, items: Sequence[Mapping[str, Any]]) -> None: ...

    async def items(self) -> dict[Key, dict[str, Any]]: ...


class MemoryRig:
    def __init__(self) -> None:
        self._memory = MemoryLedger()
        self.ledger: WholeLedger = self._memory

    async def put(self, item: Mapping[str, Any]) -> None:
        self._memory.items[Key(item["pk"], item["sk"])] = dict(item)

    async def put_all(self, items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            await self.put(item)

    async def items(self) -> dict[Key, dict[str, Any]]:
        return dict(self._memory.items)


class DynamoRig:
    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self.ledger: WholeLedger = DynamoLedger(client, TABLE)

    async def put(self, item: Mapping[str, Any]) -> None:
        await self._client.put_item(TableName=TABLE, Item=wire_item(item))

    async def put_all(self, items: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(items), A_BATCH):
            puts: Any = [{"PutRequest": {"Item": wire_item(item)}} for item in items[start : start + A_BATCH]]
            answer = await self._client.batch_write_item(RequestItems={TABLE: puts})
            assert not answer["UnprocessedItems"]

    async def items(self) -> dict[Key, dict[str, Any]]:
        found = [dict(plain(item)) for item in (await self._client.scan(TableName=TABLE))["Items"]]
        return {Key(item["pk"], item["sk"]): item for item in found}

    async def get(self, key: Key) -> dict[str, Any]:
        return dict(plain((await self._client.get_item(TableName=TABLE, Key=wire_key(key)))["Item"]))


async def create_table(client: "DynamoDBClient") -> None:
    """The table as `infra/hub.yaml` defines it."""
    await client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "account", "AttributeType": "S"},
            {"AttributeName": "place", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-state",
                "KeySchema": [
                    {"AttributeName": "state", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by-account",
                "KeySchema": [
                    {"AttributeName": "account", "KeyType": "HASH"},
                    {"AttributeName": "place", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["state", "reason", "runtime", "at", "resultAt"],
                },
            },
        ],
    )


async def claimed(
    rig: LedgerRig,
    *,
    key: ScanKey = KEY,
    message_id: str = MESSAGE,
    now: datetime = NOW,
    duration: timedelta = LEASE,
    force: bool = False,
) -> Lease:
    """The lease of a claim that is granted."""
    claim = await rig.ledger.claim(key, message_id=message_id, now=now, duration=duration, force=force)
    assert isinstance(claim, Claimed), claim
    return claim.lease
