"""The register's part of sweeps in DynamoDB: accounts, who sweeps them, and runs."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub import sweep_items as items
from hub.ledger_conditions import KNOWN, KNOWN_SCHEMA
from hub.ledger_queries import LedgerQueries
from hub.ledger_schema import Update, check_schema, milliseconds
from hub.ledger_table import LedgerTable, Write
from hub.scans import CLOCK_SKEW
from hub.sweeps import AccountClaim, AccountClaimed, AccountNote, AccountOutcome, SweepCounts, SweepRun, SweepScope
from spoke.clock import Clock
from spoke.errors import Throttled

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

_FREE = "(attribute_not_exists(#claimOwner) OR #claimExpiresAt <= :skewed OR #claimOwner = :claimOwner)"
_OURS = "#claimOwner = :owner"
_DONE_LIKE_IT = "(#sweepScopeId = :scope AND #sweptAt >= :started)"
_DONE_WITH_ALL = "(#sweepScopeId = :whole AND #sweepStartedAt >= :started)"
_NOT_DONE = f"NOT ({_DONE_LIKE_IT} OR {_DONE_WITH_ALL})"
_NONE_OPEN = "(attribute_not_exists(#runId) OR #startedAt < :oldest OR #runId = :runId)"
_STILL_OPEN = "#runId = :run"
_NEWER_WORD = "attribute_not_exists(#finishedAt) AND (attribute_not_exists(#at) OR #at <= :at)"


class DynamoSweepRegister:
    """Accounts and runs in the ledger's table.

    Args:
        client: Of the hub's account.
        table: Its name.
        clock: What tells whether a note is too old to be told of.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = LedgerTable(client, table)
        self._queries = LedgerQueries(client, table)
        self._clock = clock

    async def know_account(self, account: str, *, now: datetime) -> None:
        """From now on the account is among `accounts()`; one that is known already stays as it is."""
        known = Write(items.account_key(account), items.known(now), KNOWN_SCHEMA, KNOWN)
        check_schema(await self._table.write("noting an account", known) or {})

    async def begin_sweep(self, scope: SweepScope, *, now: datetime, adopt_within: timedelta) -> SweepRun:
        """The unfinished run of this scope that began within `adopt_within`, or a new one that begins now.

        Of many that begin at once one run comes: each opens one of its own if none is open, in one transaction with
        its item, so that no run is open that is not there.

        Raises:
            Throttled: The register refused it without a reason.
        """
        run = items.new_run(scope, now)
        oldest = {"oldest": milliseconds(now - adopt_within)}
        refused = await self._table.write_all(
            "beginning a sweep",
            [
                Write(
                    items.open_key(scope.id), items.opened(run), f"{KNOWN_SCHEMA} AND {_NONE_OPEN}", {**KNOWN, **oldest}
                ),
                Write(items.run_key(run.id), items.begun(run), KNOWN_SCHEMA, KNOWN),
            ],
        )
        if refused is None:
            return run
        adopted = items.open_run_from(refused[0] or {}, scope)
        if adopted is None:
            raise Throttled(f"beginning the sweep {run.id}: the register refused it without a reason")
        item = await self._table.get(items.run_key(adopted.id))
        return items.run_from(item) if item is not None else adopted

    async def note_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """How far the run is, by this process's count, for whoever looks on. The newest word stands."""
        noted = items.noted(run, counts, accounts=accounts, now=now)
        word = Write(items.run_key(run.id), noted, f"{KNOWN_SCHEMA} AND {_NEWER_WORD}", KNOWN)
        check_schema(await self._table.write("noting a sweep", word) or {})

    async def finish_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """The run is done: a sweep of the same scope begins anew from now on."""
        finished = items.finished(run, counts, accounts=accounts, now=now)
        last = Write(items.run_key(run.id), finished, KNOWN_SCHEMA, KNOWN)
        closed = Write(
            items.open_key(run.scope_id), items.closed(), f"{KNOWN_SCHEMA} AND {_STILL_OPEN}", {**KNOWN, "run": run.id}
        )
        refused = await self._table.write_all("finishing a sweep", [closed, last])
        if refused is None:
            return
        for standing in refused:
            check_schema(standing or {})
        # Another has finished it before, or a newer run was begun: the run itself is done all the same.
        check_schema(await self._table.write("finishing a sweep", last) or {})

    async def sweeps(self) -> AsyncIterator[SweepRun]:
        """The runs of the last 90 days, the newest first. May miss the last second."""
        async for item in self._queries.partition(items.SWEEPS, descending=True):
            run = items.run_from(item)
            if run.started_at >= self._clock.now() - items.RUN_KEPT:
                yield run

    async def claim_account(self, run: SweepRun, account: str, *, now: datetime, duration: timedelta) -> AccountClaim:
        """Take the account for this run, unless it was done since the run began or somebody else is at it.

        A request that botocore repeats after a lost answer finds its own owner and succeeds. A claim that ended is
        taken over `CLOCK_SKEW` later: by its holder's clock it may not have ended yet.

        Raises:
            Throttled: The register refused it without a reason.
        """
        claim = items.new_claim(account, run, owner=secrets.token_hex(16), expires_at=now + duration)
        values: dict[str, Any] = {
            **KNOWN,
            "skewed": milliseconds(now - CLOCK_SKEW),
            "scope": run.scope_id,
            "whole": run.whole_scope_id,
            "started": milliseconds(run.started_at),
        }
        condition = f"{KNOWN_SCHEMA} AND {_FREE} AND {_NOT_DONE}"
        write = Write(items.account_key(account), items.claimed(claim, now), condition, values)
        standing = await self._table.write("claiming an account", write)
        if standing is None:
            return claim
        refusal = items.refusal(standing, run, now=now)
        if refusal is None:
            raise Throttled(f"claiming account {account}: the register refused it without a reason")
        return refusal

    async def renew_account(self, claim: AccountClaimed, *, now: datetime, duration: timedelta) -> AccountClaimed:
        """The claim, prolonged. One that ended, but that nobody else took, is still ours.

        Raises:
            LeaseLost: Another has taken it, or it was given up.
        """
        longer = items.new_claim(claim.account, claim.run, owner=claim.owner, expires_at=now + duration)
        if await self._table.write("renewing a claim", _if_ours(claim, items.renewed(longer))) is not None:
            raise items.claim_lost(claim)
        return longer

    async def complete_account(self, claim: AccountClaimed, outcome: AccountOutcome, *, now: datetime) -> None:
        """The account was gone over to its end; the claim ends. A claim that was lost is no error: another does it."""
        await self._table.write("completing an account", _if_ours(claim, items.completed(claim, outcome, now)))

    async def release_account(self, claim: AccountClaimed) -> None:
        """Give the account up, not done. One that is not ours any more is left alone."""
        await self._table.write("releasing an account", _if_ours(claim, items.released()))

    async def accounts(self) -> AsyncIterator[AccountNote]:
        """Every account that a worker or a sweep has seen, by id. May miss the last second."""
        async for item in self._queries.partition(items.ACCOUNTS):
            yield items.account_from(item)


def _if_ours(claim: AccountClaimed, update: Update) -> Write:
    return Write(items.account_key(claim.account), update, _OURS, {"owner": claim.owner})
