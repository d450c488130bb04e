"""What is read of many items of the ledger's table at once: batches, partitions, indexes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from hub.ledger_items import STATE
from hub.ledger_patience import Collision, patient
from hub.ledger_schema import Item, Key
from hub.ledger_wire import plain, plain_texts, wire_item, wire_key
from hub.raw_answers import keep_bodies, raw
from spoke.aws_errors import translated
from spoke.errors import Misconfigured, NoAccess, ScanhubError

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

KEYS_A_BATCH = 100
"""BatchGetItem takes so many (DynamoDB API reference)."""

BY_STATE = "by-state"
"""The index by state and time: every attribute."""

BY_ACCOUNT = "by-account"
"""The index by account and place: keys, state, reason, runtime, at and resultAt."""

INDEXES = frozenset({BY_STATE, BY_ACCOUNT})

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

RawItem = Mapping[str, Mapping[str, str]]
"""An item of texts and numbers in DynamoDB's JSON: `{"place": {"S": "..."}, "at": {"N": "..."}}`."""


class LedgerQueries:
    """Reads of one table with the keys `pk` and `sk`.

    Args:
        client: Of the hub's account.
        name: The table's name.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    async def get_all(self, keys: Collection[Key]) -> Mapping[Key, Item]:
        """What a look-up needs (`LOOKED_UP`) of the items that exist, as they are now.

        Raises:
            Throttled: DynamoDB put keys off again and again.
        """
        found: dict[Key, Item] = {}
        async for item in self._batches(self._client.batch_get_item, keys, LOOKED_UP):
            values = plain(item)
            found[Key(values["pk"], values["sk"])] = values
        return found

    async def get_texts(self, keys: Collection[Key], attributes: Sequence[str]) -> AsyncIterator[Item]:
        """The items that exist, as they are now, in no order; numbers are texts.

        Args:
            keys: Which items.
            attributes: What is read of them; texts and numbers only.

        Raises:
            Throttled: DynamoDB put keys off again and again.
        """
        keep_bodies(self._client, "BatchGetItem")

        async def ask(**arguments: Any) -> Mapping[str, Any]:  # as the client's own method
            # One key stands for all where botocore looks.
            wanted = arguments["RequestItems"][self._name]
            first = {self._name: {**wanted, "Keys": wanted["Keys"][:1]}}
            return await raw(self._client.batch_get_item, sent=to_json(arguments), RequestItems=first)

        async for item in self._batches(ask, keys, attributes):
            yield plain_texts(item)

    async def states(self) -> AsyncIterator[Item]:
        """Every coverage item, in no order. Reads the whole table."""
        wanted = {
            "FilterExpression": "#sk = :state",
            "ExpressionAttributeNames": {"#sk": "sk"},
            "ExpressionAttributeValues": wire_item({":state": STATE}),
        }
        async for page in self._pages("reading items", self._client.scan, wanted):
            for item in page:
                yield plain(item)

    async def partition(self, pk: str, *, descending: bool = False) -> AsyncIterator[Item]:
        """Every item of one partition, by sort key; what was written within the last second may be missing."""
        wanted = {
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": wire_item({":pk": pk}),
            "ScanIndexForward": not descending,
        }
        async for page in self._pages("reading items", self._client.query, wanted):
            for item in page:
                yield plain(item)

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
        async for page in self._pages("reading leases", self._client.query, wanted):
            for item in page:
                yield Key(item["pk"]["S"], item["sk"]["S"])

    def of_account(
        self, account: str, attributes: Sequence[str], *, start: str = ""
    ) -> AsyncIterator[Sequence[RawItem]]:
        """The entries of an account in the index by account, by place, in pages that may be empty.

        Args:
            account: Twelve digits.
            attributes: What is read of them; texts and numbers only.
            start: With what their place begins.
        """
        keys, values = "#account = :account", {":account": account}
        if start:
            keys, values = f"{keys} AND begins_with(#place, :start)", values | {":start": start}
        names = {f"#{name}": name for name in {*attributes, "account", *(("place",) if start else ())}}
        return self._of_index(BY_ACCOUNT, keys, names, values, attributes)

    def of_accounts(
        self, attributes: Sequence[str], *, segment: int, segments: int
    ) -> AsyncIterator[Sequence[RawItem]]:
        """One part of the index by account, in pages that may be empty; the parts are about as large as each other.

        Args:
            attributes: What is read of the entries; texts and numbers only.
            segment: Which part, from 0.
            segments: How many parts there are.

        Raises:
            NoAccess: The caller may not scan the index.
        """
        keep_bodies(self._client, "Scan")
        names = {f"#{name}": name for name in attributes}
        wanted = {
            "IndexName": BY_ACCOUNT,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "Segment": segment,
            "TotalSegments": segments,
        }
        return self._pages(f"scanning the index {BY_ACCOUNT}", self._raw(self._client.scan), wanted, denied=NoAccess)

    def in_state(self, state: str, reason: str, attributes: Sequence[str]) -> AsyncIterator[Sequence[RawItem]]:
        """The entries of a state in the index by state, the last written last, in pages that may be empty.

        Args:
            state: The state.
            reason: A text that their reason has in it.
            attributes: What is read of them; texts and numbers only.
        """
        names, values = {f"#{name}": name for name in {*attributes, "state"}}, {":state": state}
        if not reason:
            return self._of_index(BY_STATE, "#state = :state", names, values, attributes)
        names, values = names | {"#reason": "reason"}, values | {":reason": reason}
        return self._of_index(
            BY_STATE, "#state = :state", names, values, attributes, FilterExpression="contains(#reason, :reason)"
        )

    def _of_index(
        self,
        index: str,
        keys: str,
        names: Mapping[str, str],
        values: Mapping[str, str],
        attributes: Sequence[str],
        **more: str,
    ) -> AsyncIterator[Sequence[RawItem]]:
        keep_bodies(self._client, "Query")
        wanted = {
            "IndexName": index,
            "KeyConditionExpression": keys,
            "ProjectionExpression": ", ".join(f"#{name}" for name in attributes),
            "ExpressionAttributeNames": dict(names),
            "ExpressionAttributeValues": wire_item(values),
            **more,
        }
        return self._pages(f"reading the index {index}", self._raw(self._client.query), wanted)

    async def _batches(
        self, call: Callable[..., Awaitable[Any]], keys: Collection[Key], attributes: Sequence[str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), KEYS_A_BATCH):
            for item in await self._batch(call, wanted[start : start + KEYS_A_BATCH], attributes):
                yield item

    async def _batch(
        self, call: Callable[..., Awaitable[Any]], keys: Sequence[Key], attributes: Sequence[str]
    ) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        pending: list[Any] = [wire_key(key) for key in keys]
        names = {f"#{name}": name for name in attributes}

        @patient
        async def read() -> None:
            nonlocal pending
            with translated(self._doing("reading items")):
                answer = await call(
                    RequestItems={
                        self._name: {
                            "Keys": pending,
                            "ConsistentRead": True,
                            "ProjectionExpression": ", ".join(names),
                            "ExpressionAttributeNames": names,
                        }
                    }
                )
            found.extend(answer["Responses"].get(self._name, []))
            put_off = answer.get("UnprocessedKeys", {}).get(self._name)
            if put_off:
                pending = list(put_off["Keys"])
                raise Collision(f"{self._doing('reading')}: {len(pending)} keys were put off")

        await read()
        return found

    async def _pages(
        self,
        doing: str,
        call: Callable[..., Awaitable[Any]],
        wanted: Mapping[str, Any],
        *,
        denied: type[ScanhubError] = Misconfigured,
    ) -> AsyncIterator[Sequence[Any]]:
        position: dict[str, Any] = {}
        while True:
            with translated(self._doing(doing), denied=denied):
                page = await call(TableName=self._name, **wanted, **position)
            last = page.get("LastEvaluatedKey")
            yield page["Items"]
            # A page is some 10 MB as objects: none is kept while the next is waited for, there may be many at once.
            del page
            if last is None:
                return
            position = {"ExclusiveStartKey": last}

    def _raw(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def ask(**arguments: Any) -> Mapping[str, Any]:  # as the client's own method
            return await raw(call, **arguments)

        return ask

    def _doing(self, doing: str) -> str:
        return f"{doing} in the ledger table {self._name}"
