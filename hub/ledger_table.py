"""The DynamoDB table of the ledger: items in and out, each collision waited out."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hub.ledger_items import STATE
from hub.ledger_schema import Item, Key, Update
from hub.ledger_wire import plain, update_arguments, wire_item, wire_key
from spoke.aws_errors import error_code, translated
from spoke.errors import Misconfigured, Throttled

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

KEYS_A_BATCH = 100
"""BatchGetItem takes so many (DynamoDB API reference)."""

KEY_TYPES = {"pk": "S", "sk": "S", "state": "S", "at": "N"}
"""Of the table and of its index by state: an item with another type in a key would be refused."""

LOOKED_UP = (
    "pk",
    "sk",
    "schema",
    "summary",
    "owed",
    "committedBy",
    "leaseOwner",
    "leaseMessageId",
    "leaseExpiresAt",
    "state",
    "at",
    "fingerprint",
)
"""What `hub.ledger_items.record_from` reads. A coverage's `lastGood`, half of all that is stored, is not among it."""

_LOOKED_UP_NAMES = {f"#{name}": name for name in LOOKED_UP}

_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that pass by themselves (DynamoDB API reference, TransactionCanceledException)."""


@dataclass(frozen=True, slots=True)
class Write:
    """One conditional write of one item.

    Attributes:
        key: Which item.
        update: What changes.
        condition: A condition expression; `#name` stands for an attribute, `:name` for a value.
        values: The values in the condition, besides those of the update.
    """

    key: Key
    update: Update
    condition: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one write.

    Attributes:
        written: Whether the condition held.
        item: What refused the write; else what was asked for, from before or after it. Empty where there is none.
    """

    written: bool
    item: Item


class _Collision(Throttled):
    """Another write to the same item is under way, or a part of a batch was put off."""


# A collision is over in milliseconds, while the scan that it would throw away may have taken an hour.
_patient = retry(
    retry=retry_if_exception_type(_Collision),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    reraise=True,
)


class LedgerTable:
    """One table with the keys `pk` and `sk`.

    Args:
        client: Of the hub's account.
        name: The table's name.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    async def check(self) -> None:
        """Ask whether the table is there and has the keys that are written.

        Raises:
            Misconfigured: It is not there, may not be described, or is some other table.
        """
        with translated(f"describing the ledger table {self._name}"):
            table = (await self._client.describe_table(TableName=self._name))["Table"]
        types = {one["AttributeName"]: str(one["AttributeType"]) for one in table.get("AttributeDefinitions", [])}
        keys = [(one["AttributeName"], str(one["KeyType"])) for one in table.get("KeySchema", [])]
        if keys != [("pk", "HASH"), ("sk", "RANGE")] or types.items() - KEY_TYPES.items():
            raise Misconfigured(
                f"the table {self._name} is not a ledger: its keys are {keys} of the types {types}; "
                "create it from infra/hub.yaml"
            )

    async def get(self, key: Key) -> Item | None:
        """One item, as it is now."""
        with translated(self._doing("reading items")):
            answer = await self._client.get_item(TableName=self._name, Key=wire_key(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    async def get_all(self, keys: Collection[Key]) -> Mapping[Key, Item]:
        """What a look-up needs (`LOOKED_UP`) of the items that exist, as they are now.

        Raises:
            Throttled: DynamoDB put keys off again and again.
        """
        wanted = sorted(set(keys))
        found: dict[Key, Item] = {}
        for start in range(0, len(wanted), KEYS_A_BATCH):
            found |= await self._get_batch(wanted[start : start + KEYS_A_BATCH])
        return found

    async def _get_batch(self, keys: Sequence[Key]) -> dict[Key, Item]:
        found: dict[Key, Item] = {}
        pending: list[Any] = [wire_key(key) for key in keys]

        @_patient
        async def read() -> None:
            nonlocal pending
            with translated(self._doing("reading items")):
                answer = await self._client.batch_get_item(
                    RequestItems={
                        self._name: {
                            "Keys": pending,
                            "ConsistentRead": True,
                            "ProjectionExpression": ", ".join(_LOOKED_UP_NAMES),
                            "ExpressionAttributeNames": _LOOKED_UP_NAMES,
                        }
                    }
                )
            for item in map(plain, answer["Responses"].get(self._name, [])):
                found[Key(item["pk"], item["sk"])] = item
            put_off = answer.get("UnprocessedKeys", {}).get(self._name)
            if put_off:
                pending = list(put_off["Keys"])
                raise _Collision(f"{self._doing('reading')}: {len(pending)} keys were put off")

        await read()
        return found

    async def states(self) -> AsyncIterator[Item]:
        """Every coverage item, in no order. Reads the whole table."""
        wanted = {
            "FilterExpression": "#sk = :state",
            "ExpressionAttributeNames": {"#sk": "sk"},
            "ExpressionAttributeValues": wire_item({":state": STATE}),
        }
        async for item in self._pages("reading items", self._client.scan, wanted):
            yield item

    async def partition(self, pk: str) -> AsyncIterator[Item]:
        """Every item of one partition, by sort key; what was written within the last second may be missing."""
        wanted = {
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": wire_item({":pk": pk}),
        }
        async for item in self._pages("reading items", self._client.query, wanted):
            yield item

    async def leased(self, pk: str, message_id: str) -> AsyncIterator[Key]:
        """The scan items of one function whose lease was claimed for this message, as they are now."""
        wanted = {
            "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :scan)",
            "FilterExpression": "#message = :message",
            "ProjectionExpression": "#pk, #sk",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk", "#message": "leaseMessageId"},
            "ExpressionAttributeValues": wire_item({":pk": pk, ":scan": "scan#", ":message": message_id}),
            "ConsistentRead": True,
        }
        async for item in self._pages("reading leases", self._client.query, wanted):
            yield Key(item["pk"], item["sk"])

    async def _pages(
        self, doing: str, call: Callable[..., Awaitable[Any]], wanted: Mapping[str, Any]
    ) -> AsyncIterator[Item]:
        position: dict[str, Any] = {}
        while True:
            with translated(self._doing(doing)):
                page = await call(TableName=self._name, **wanted, **position)
            for item in page["Items"]:
                yield plain(item)
            if "LastEvaluatedKey" not in page:
                return
            position = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    async def write(self, doing: str, write: Write) -> Item | None:
        """Write one item.

        Returns:
            None if it was written, else the item that refused it (empty where there is none).

        Raises:
            Throttled: A transaction held the item again and again.
        """
        outcome = await self.exchange(doing, write, "NONE")
        return None if outcome.written else outcome.item

    @_patient
    async def exchange(self, doing: str, write: Write, wanted: Literal["NONE", "ALL_OLD", "ALL_NEW"]) -> Outcome:
        """Write one item, and get it as it was before (`ALL_OLD`) or is afterwards (`ALL_NEW`) with the same call.

        Raises:
            Throttled: A transaction held the item again and again.
        """
        with translated(self._doing(doing)):
            try:
                answer = await self._client.update_item(**self._arguments(write), ReturnValues=wanted)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return Outcome(written=False, item=plain(_answer(error).get("Item", {})))
                if error_code(error) == "TransactionConflictException":
                    raise _Collision(f"{self._doing(doing)}: a transaction holds the item") from error
                raise
        return Outcome(written=True, item=plain(answer.get("Attributes", {})))

    @_patient
    async def write_all(self, doing: str, writes: Sequence[Write]) -> Sequence[Item | None] | None:
        """Write all or nothing.

        Returns:
            None if it was written, else for each write the item that refused it (None where it would have passed).

        Raises:
            Throttled: Another write held one of the items again and again.
        """
        updates: list[Any] = [{"Update": self._arguments(write)} for write in writes]
        # The same request has the same token, a changed one another: a token with other parameters would be refused.
        token = hashlib.sha256(repr(updates).encode()).hexdigest()[:36]
        with translated(self._doing(doing)):
            try:
                await self._client.transact_write_items(TransactItems=updates, ClientRequestToken=token)
            except ClientError as error:
                reasons = _cancellation(error)
                codes = {reason["Code"] for reason in reasons}
                if codes & _PASSING:
                    raise _Collision(f"{self._doing(doing)}: {', '.join(sorted(codes))}") from error
                if "ConditionalCheckFailed" not in codes or len(reasons) != len(writes):
                    raise
                return [plain(reason.get("Item", {})) if reason["Code"] != "None" else None for reason in reasons]
        return None

    def _arguments(self, write: Write) -> dict[str, Any]:
        return update_arguments(self._name, write.key, write.update, write.condition, write.values)

    def _doing(self, doing: str) -> str:
        return f"{doing} in the ledger table {self._name}"


def _cancellation(error: ClientError) -> Sequence[Mapping[str, Any]]:
    reasons: Sequence[Mapping[str, Any]] = _answer(error).get("CancellationReasons", ())
    return reasons


def _answer(error: ClientError) -> Mapping[str, Any]:
    return error.response
