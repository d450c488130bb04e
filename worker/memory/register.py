"""The register in memory: the same items, conditions and answers as in DynamoDB."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hub import register_items as items
from hub import sweep_items as sweeps
from hub.ledger_schema import Item, Key, Update, check_schema, milliseconds
from hub.service_notes import ObjectiveDay, Pause, WorkerNote
from hub.sweeps import AccountClaim, AccountClaimed, AccountNote, AccountOutcome, SweepCounts, SweepRun, SweepScope
from spoke.clock import Clock
from worker.memory.hooks import OnCall, operation


class MemoryRegister:
    """The register as a mapping of items.

    Args:
        clock: What tells whether a note is too old to be told of.
        on_call: Awaited before and after the effect of each operation.
        beside: The register of another process, with the same table; none: a table of its own.

    Attributes:
        items: By primary key, as in the table; tests read them, and put what another version would have written.
    """

    def __init__(self, clock: Clock, on_call: OnCall | None = None, *, beside: "MemoryRegister | None" = None) -> None:
        self.items: dict[Key, dict[str, Any]] = beside.items if beside is not None else {}
        self.on_call = on_call
        self._clock = clock
        self._tokens: itertools.count[int] = beside._tokens if beside is not None else itertools.count(1)  # noqa: SLF001  # its own kind
        self._teller = self._token("teller")
        self._told: dict[date, ObjectiveDay] = {}
        self._counting = asyncio.Lock()

    async def know_account(self, account: str, *, now: datetime) -> None:
        """From now on the account is among `accounts()`; one that is known already stays as it is."""
        async with operation("know_account", self.on_call):
            self._write(sweeps.account_key(account), sweeps.known(now))

    async def check_in(self, note: WorkerNote) -> None:
        """This worker is there, and how it is."""
        async with operation("check_in", self.on_call):
            self._write(items.worker_key(note.id), items.checked_in(note))

    async def check_out(self, worker_id: str) -> None:
        """This worker has ended. One that is not known is no error."""
        async with operation("check_out", self.on_call):
            key = items.worker_key(worker_id)
            if "seenAt" in self.items.get(key, {}):
                self._write(key, items.checked_out(self._clock.now()))

    async def workers(self) -> AsyncIterator[WorkerNote]:
        """The workers that have checked in within the last day, and not out, by id."""
        async with operation("workers", self.on_call):
            found = self._partition(items.WORKERS)
        for item in found:
            if (note := items.worker_from(item, self._clock.now())) is not None:
                yield note

    async def pause(self, pause: Pause) -> None:
        """The service takes no work until `resume`. A pause before it is replaced."""
        async with operation("pause", self.on_call):
            self._write(items.PAUSE, items.paused(pause))

    async def resume(self) -> bool:
        """The service takes work again; returns whether it was paused."""
        async with operation("resume", self.on_call):
            was_paused = items.pause_from(self.items.get(items.PAUSE)) is not None
            if was_paused:
                self._write(items.PAUSE, items.resumed(self._token("resumption")))
        return was_paused

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused."""
        async with operation("paused", self.on_call):
            return items.pause_from(self.items.get(items.PAUSE))

    async def count_changes(self, day: ObjectiveDay) -> None:
        """Add these counts to those of the day; the target and the slowest become the larger of both."""
        async with self._counting:
            async with operation("count_changes", self.on_call):
                told = items.with_more(self._told[day.day], day) if day.day in self._told else day
                self._write(items.day_key(day.day, self._teller), items.told(told))
            # Not before the answer is there: what fails is counted again, and must not count twice.
            self._told[day.day] = told

    async def objective(self) -> AsyncIterator[ObjectiveDay]:
        """The days that are kept (400), the newest first; those without a change are left out."""
        async with operation("objective", self.on_call):
            found = self._partition(items.OBJECTIVE)
        for day in items.by_day([items.day_from(item) for item in found], self._clock.now()):
            yield day

    async def begin_sweep(self, scope: SweepScope, *, now: datetime, adopt_within: timedelta) -> SweepRun:
        """The unfinished run of this scope that began within `adopt_within`, or a new one that begins now."""
        async with operation("begin_sweep", self.on_call):
            key = sweeps.open_key(scope.id)
            run = sweeps.open_run_from(self.items.get(key, {}), scope)
            if run is None or run.started_at < now - adopt_within:
                run = sweeps.new_run(scope, now)
                self._write(sweeps.run_key(run.id), sweeps.begun(run))
                self._write(key, sweeps.opened(run))
            return sweeps.run_from(self.items[sweeps.run_key(run.id)])

    async def note_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """How far the run is, by this process's count, for whoever looks on. The newest word stands."""
        async with operation("note_sweep", self.on_call):
            key = sweeps.run_key(run.id)
            standing = self.items.get(key, {})
            if "finishedAt" not in standing and standing.get("at", 0) <= milliseconds(now):
                self._write(key, sweeps.noted(run, counts, accounts=accounts, now=now))

    async def finish_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """The run is done: a sweep of the same scope begins anew from now on."""
        async with operation("finish_sweep", self.on_call):
            key = sweeps.open_key(run.scope_id)
            standing = self.items.get(key, {})
            check_schema(standing)
            self._write(sweeps.run_key(run.id), sweeps.finished(run, counts, accounts=accounts, now=now))
            if standing.get("runId") == run.id:
                self._write(key, sweeps.closed())

    async def sweeps(self) -> AsyncIterator[SweepRun]:
        """The runs of the last 90 days, the newest first."""
        async with operation("sweeps", self.on_call):
            found = self._partition(sweeps.SWEEPS)
        for item in reversed(found):
            run = sweeps.run_from(item)
            if run.started_at >= self._clock.now() - sweeps.RUN_KEPT:
                yield run

    async def claim_account(self, run: SweepRun, account: str, *, now: datetime, duration: timedelta) -> AccountClaim:
        """Take the account for this run, unless it was done since the run began or somebody else is at it."""
        async with operation("claim_account", self.on_call):
            key = sweeps.account_key(account)
            claim: AccountClaim | None = None
            if key in self.items:
                claim = sweeps.refusal(self.items[key], run, now=now)
            if claim is None:
                claim = sweeps.new_claim(account, run, owner=self._token("owner"), expires_at=now + duration)
                self._write(key, sweeps.claimed(claim, now))
        return claim

    async def renew_account(self, claim: AccountClaimed, *, now: datetime, duration: timedelta) -> AccountClaimed:
        """The claim, prolonged. One that ended, but that nobody else took, is still ours.

        Raises:
            LeaseLost: Another has taken it, or it was given up.
        """
        longer = sweeps.new_claim(claim.account, claim.run, owner=claim.owner, expires_at=now + duration)
        async with operation("renew_account", self.on_call):
            if not self._is_ours(claim):
                raise sweeps.claim_lost(claim)
            self._write(sweeps.account_key(claim.account), sweeps.renewed(longer))
        return longer

    async def complete_account(self, claim: AccountClaimed, outcome: AccountOutcome, *, now: datetime) -> None:
        """The account was gone over to its end; the claim ends. A claim that was lost is no error: another does it."""
        async with operation("complete_account", self.on_call):
            if self._is_ours(claim):
                self._write(sweeps.account_key(claim.account), sweeps.completed(claim, outcome, now))

    async def release_account(self, claim: AccountClaimed) -> None:
        """Give the account up, not done. One that is not ours any more is left alone."""
        async with operation("release_account", self.on_call):
            if self._is_ours(claim):
                self._write(sweeps.account_key(claim.account), sweeps.released())

    async def accounts(self) -> AsyncIterator[AccountNote]:
        """Every account that a worker or a sweep has seen, by id."""
        async with operation("accounts", self.on_call):
            found = self._partition(sweeps.ACCOUNTS)
        for item in found:
            yield sweeps.account_from(item)

    def _is_ours(self, claim: AccountClaimed) -> bool:
        return self.items.get(sweeps.account_key(claim.account), {}).get("claimOwner") == claim.owner

    def _partition(self, pk: str) -> Sequence[Item]:
        return [item for key, item in sorted(self.items.items()) if key.pk == pk]

    def _token(self, name: str) -> str:
        return f"{name}-{next(self._tokens):08}"

    def _write(self, key: Key, update: Update) -> None:
        standing = self.items.get(key, {"pk": key.pk, "sk": key.sk})
        check_schema(standing)
        self.items[key] = update.applied_to(standing)
