"""How many functions are in which state, from the index by account: read account by account, or as a whole."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import structlog

from hub import ledger_items as items
from hub.coverage_count import CoverageCounts, CoverageTally
from hub.ledger_queries import LedgerQueries, RawItem
from spoke.errors import NoAccess

ACCOUNTS_AT_ONCE = 32
"""Accounts whose entries are queried at once; more would wait for this process, which reads a page in some 20 ms."""

SEGMENTS = 16
"""Parts of the index that are scanned at once: while one waits for its page, this process reads those of the others."""

QUERIED_ACCOUNTS = 220
"""Up to so many accounts are queried, more are picked from a scan of the whole index.

A Query answers for one account, a page of a Scan is 1 MB of whichever accounts: some 4,600 functions. So the Queries of
more accounts than these are never fewer calls than a Scan of a million functions. A Scan for a few of many accounts
would read what nobody asked for.
"""

_COUNTED = ("place", "state", "reason", "runtime", "resultAt")
_ACCOUNT = itemgetter("account")

log = structlog.get_logger()


class LedgerCounts:
    """Counts from one ledger; what is kept grows with accounts, regions, runtimes and reasons, never with functions.

    Args:
        queries: Of its table.
    """

    def __init__(self, queries: LedgerQueries) -> None:
        self._queries = queries

    async def of(self, accounts: Collection[str]) -> CoverageCounts:
        """What the functions of these accounts add up to. May miss the last second.

        Raises:
            Misconfigured: A newer version wrote one of them, or the index may not be read.
            Throttled, Unavailable: After botocore's own tries.
        """
        if len(set(accounts)) > QUERIED_ACCOUNTS:
            try:
                return await self._scanned(accounts)
            except NoAccess as error:
                # An operator's role may be older than the Scan; a Query an account is slower, and as right.
                log.info("counting account by account", accounts=len(set(accounts)), reason=error.text)
        return await self._queried(accounts)

    async def _scanned(self, accounts: Collection[str]) -> CoverageCounts:
        tally, wanted = CoverageTally(accounts), frozenset(accounts)
        await _all_of(self._scan(segment, wanted, tally) for segment in range(SEGMENTS))
        return tally.counts()

    async def _queried(self, accounts: Collection[str]) -> CoverageCounts:
        tally, waiting = CoverageTally(accounts), iter(sorted(set(accounts)))
        await _all_of(self._query(waiting, tally) for _ in range(min(ACCOUNTS_AT_ONCE, len(accounts))))
        return tally.counts()

    async def _scan(self, segment: int, wanted: frozenset[str], tally: CoverageTally) -> None:
        async for page in self._queries.of_accounts(("account", *_COUNTED), segment=segment, segments=SEGMENTS):
            # The index keeps an account together, so a page has about as few of them as it can.
            for account, entries in groupby(page, key=_ACCOUNT):
                if account["S"] in wanted:
                    _add(tally, account["S"], list(entries))
            del page

    async def _query(self, waiting: Iterator[str], tally: CoverageTally) -> None:
        for account in waiting:
            async for page in self._queries.of_account(account, _COUNTED):
                _add(tally, account, page)
                del page


async def _all_of(works: Iterable[Coroutine[None, None, None]]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        # One is enough to tell what is wrong; the others are of the same kind, or were cancelled for it.
        raise errors.exceptions[0] from None


def _add(tally: CoverageTally, account: str, entries: Sequence[RawItem]) -> None:
    # A million functions come through here: what is done to each is what the whole count costs.
    tally.add(
        account,
        (
            (
                entry["state"]["S"],
                items.region_of(entry["place"]["S"]),
                entry["runtime"]["S"] if "runtime" in entry else None,
                entry["reason"]["S"] if "reason" in entry else "",
            )
            for entry in entries
        ),
        ((entry["state"]["S"], int(entry["resultAt"]["N"])) for entry in entries if "resultAt" in entry),
    )
