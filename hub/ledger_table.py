"""The DynamoDB table of the ledger: single items in and out, each collision waited out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from hub.ledger_patience import Collision, patient
from hub.ledger_queries import INDEXES
from hub.ledger_schema import Item, Key, Update
from hub.ledger_wire import plain, update_arguments, wire_key
from spoke.aws_errors import error_code, translated
from spoke.errors import Misconfigured

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

KEY_TYPES = {"pk": "S", "sk": "S", "state": "S", "at": "N", "account": "S", "place": "S"}
"""Of the table and of its indexes: an item with another type in a key would be refused."""

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
            Misconfigured: It is not there, may not be described, is some other table, or lacks an index.
        """
        with translated(f"describing the ledger table {self._name}"):
            table = (await self._client.describe_table(TableName=self._name))["Table"]
        indexes = {one["IndexName"] for one in table.get("GlobalSecondaryIndexes", [])}
        types = {one["AttributeName"]: str(one["AttributeType"]) for one in table.get("AttributeDefinitions", [])}
        keys = [(one["AttributeName"], str(one["KeyType"])) for one in table.get("KeySchema", [])]
        if keys != [("pk", "HASH"), ("sk", "RANGE")] or types.items() - KEY_TYPES.items():
            raise Misconfigured(
                f"the table {self._name} is not a ledger: its keys are {keys} of the types {types}; "
                "create it from infra/hub.yaml"
            )
        if missing := sorted(INDEXES - indexes):
            raise Misconfigured(f"the ledger table {self._name} lacks the index {missing[0]}: update the hub's stack")

    async def get(self, key: Key) -> Item | None:
        """One item, as it is now."""
        with translated(self._doing("reading items")):
            answer = await self._client.get_item(TableName=self._name, Key=wire_key(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    async def write(self, doing: str, write: Write) -> Item | None:
        """Write one item.

        Returns:
            None if it was written, else the item that refused it (empty where there is none).

        Raises:
            Throttled: A transaction held the item again and again.
        """
        outcome = await self.exchange(doing, write, "NONE")
        return None if outcome.written else outcome.item

    @patient
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
                    raise Collision(f"{self._doing(doing)}: a transaction holds the item") from error
                raise
        return Outcome(written=True, item=plain(answer.get("Attributes", {})))

    @patient
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
                    raise Collision(f"{self._doing(doing)}: {', '.join(sorted(codes))}") from error
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
