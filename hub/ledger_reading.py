"""The ledger in DynamoDB, as far as it is read."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from hub import ledger_items as items
from hub import ledger_notes as notes
from hub import ledger_standings as standings
from hub.coverage import Coverage, CoverageState
from hub.coverage_count import CoverageCounts
from hub.ledger_counts import LedgerCounts
from hub.ledger_queries import LedgerQueries
from hub.ledger_table import LedgerTable
from hub.ledger_wire import plain_texts
from hub.scans import ScanKey, ScanRecord
from hub.sightings import Sighting
from hub.standing import CoverageRow, Standing
from spoke.arn import FunctionArn

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


class LedgerReader:
    """The ledger in one DynamoDB table, for whoever writes nothing; see `docs/ledger.md`.

    Args:
        client: Of the hub's account.
        table: Its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = LedgerTable(client, table)
        self._queries = LedgerQueries(client, table)
        self._counts = LedgerCounts(self._queries)

    async def check(self) -> None:
        """Ask whether the table is there and has the keys and indexes that are written.

        Raises:
            Misconfigured: It is not there, may not be described, is some other table, or lacks an index.
        """
        await self._table.check()

    async def look_up(self, keys: Collection[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
        """What is known of these keys, with the coverage of their functions; keys without an entry are left out.

        Read consistently: what it says to be done is dropped on its word, and no conditional write comes after that.

        Raises:
            Throttled: Also when DynamoDB puts keys off again and again.
        """
        found = await self._queries.get_all(
            {items.scan_item_key(key) for key in keys} | {items.state_item_key(key.function) for key in keys}
        )
        return items.records_from(found, keys)

    async def coverage(self, function: FunctionArn) -> Coverage | None:
        """The state of one function, as it is now."""
        item = await self._table.get(items.state_item_key(function))
        return items.coverage_from(item) if item is not None else None

    async def coverages(self) -> AsyncIterator[Coverage]:
        """The state of every function, in no order. Reads the whole table: for a person or a report."""
        async for item in self._queries.states():
            yield items.coverage_from(item)

    async def sightings(self) -> AsyncIterator[Sighting]:
        """When each account and region was last heard of, by account and region. Reads one partition."""
        async for item in self._queries.partition(notes.SIGHTINGS):
            yield notes.sighting_from(item)

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        """What is known of these functions, read consistently, a hundred in a call; unknown ones are left out.

        Raises:
            Misconfigured: A newer version wrote one of them, or it is broken.
            Throttled: Also when DynamoDB puts keys off again and again.
        """
        asked = {function: items.state_item_key(function) for function in functions}
        read = self._queries.get_texts(asked.values(), standings.STANDING)
        found = {item["pk"]: item async for item in read}
        return {
            function: standings.standing_from(found[key.pk], function)
            for function, key in asked.items()
            if key.pk in found
        }

    async def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region), in pages, by region and name. May miss the last second.

        Args:
            account: Twelve digits.
            region: Only its functions are read.
            without: These are left out, before anything else of them is looked at: of most accounts a sweep has seen
                nearly every function, and asks for the others.

        Raises:
            Misconfigured: An entry is broken.
        """
        start = items.in_region(region) if region is not None else ""
        seen = {items.state_item_key(function).pk for function in without}
        async for page in self._queries.of_account(account, standings.ROW, start=start):
            if rows := [standings.row_from(plain_texts(entry)) for entry in page if entry["pk"]["S"] not in seen]:
                yield rows

    async def in_state(self, state: CoverageState, *, reason: str = "") -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function in a state, in pages, what was written last comes last. May miss the last second.

        Args:
            state: Only its functions are read.
            reason: Only those whose reason has this text in it are told of; the others are read all the same.

        Raises:
            Misconfigured: An entry is broken.
        """
        async for page in self._queries.in_state(state.value, reason, standings.ROW):
            if page:
                yield [standings.row_from(plain_texts(entry)) for entry in page]

    async def counts(self, accounts: Collection[str]) -> CoverageCounts:
        """How many functions of these accounts are in which state. May miss the last second.

        Of many accounts the whole index is read, in parts at once; where that is refused, account by account.

        Raises:
            Misconfigured: A newer version wrote one of them.
        """
        return await self._counts.of(accounts)
