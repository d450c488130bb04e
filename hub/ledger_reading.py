"""The ledger in DynamoDB, as far as it is read."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hub import ledger_items as items
from hub import ledger_notes as notes
from hub import ledger_standings as standings
from hub.coverage import Coverage, CoverageState
from hub.coverage_count import CoverageCounts, CoverageTally
from hub.ledger_queries import LedgerQueries
from hub.ledger_table import LedgerTable
from hub.ledger_wire import plain_texts
from hub.scans import ScanKey, ScanRecord
from hub.sightings import Sighting
from hub.standing import CoverageRow, Standing
from spoke.arn import FunctionArn

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

ACCOUNTS_AT_ONCE = 32
"""Accounts whose entries are counted at once; more would wait for this process, which reads a page in some 20 ms."""

_COUNTED = ("place", "state", "reason", "runtime", "resultAt")


class LedgerReader:
    """The ledger in one DynamoDB table, for whoever writes nothing; see `docs/ledger.md`.

    Args:
        client: Of the hub's account.
        table: Its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = LedgerTable(client, table)
        self._queries = LedgerQueries(client, table)

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

    async def rows(self, account: str, *, region: str | None = None) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region), in pages, by region and name. May miss the last second.

        Raises:
            Misconfigured: An entry is broken.
        """
        start = items.in_region(region) if region is not None else ""
        async for page in self._queries.of_account(account, standings.ROW, start=start):
            if page:
                yield [standings.row_from(plain_texts(entry)) for entry in page]

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

        Raises:
            Misconfigured: A newer version wrote one of them.
        """
        tally, waiting = CoverageTally(accounts), iter(sorted(set(accounts)))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(ACCOUNTS_AT_ONCE, len(accounts))):
                    group.create_task(self._count(waiting, tally))
        except BaseExceptionGroup as errors:
            # One is enough to tell what is wrong; the others are of the same kind, or were cancelled for it.
            raise errors.exceptions[0] from None
        return tally.counts()

    async def _count(self, waiting: Iterator[str], tally: CoverageTally) -> None:
        for account in waiting:
            async for page in self._queries.of_account(account, _COUNTED):
                # A million functions come through here: what is done to each is what the whole count costs.
                tally.add(
                    account,
                    [
                        (
                            entry["state"]["S"],
                            items.region_of(entry["place"]["S"]),
                            entry["runtime"]["S"] if "runtime" in entry else None,
                            entry["reason"]["S"] if "reason" in entry else "",
                        )
                        for entry in page
                    ],
                    [(entry["state"]["S"], int(entry["resultAt"]["N"])) for entry in page if "resultAt" in entry],
                )
