"""The ledger in memory: the same items, conditions and answers as in DynamoDB."""

import itertools
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub import ledger_items as items
from hub import ledger_notes as notes
from hub import ledger_standings as standings
from hub.coverage import Coverage, CoverageState
from hub.coverage_count import CoverageCounts, CoverageTally
from hub.ledger_schema import Item, Key, Update, check_schema, milliseconds
from hub.scans import Claim, Claimed, Effect, Lease, ScanKey, ScanRecord, ScanStatus, ScanSummary
from hub.sightings import Sighting
from hub.standing import CoverageRow, Standing
from hub.tries import Failure
from spoke.arn import FunctionArn
from worker.memory.hooks import OnCall, operation

_A_PAGE = 1000
"""Functions; about as many as a short page of DynamoDB has."""


class MemoryLedger:
    """The ledger as a mapping of items.

    Args:
        on_call: Awaited before and after the effect of each operation.

    Attributes:
        items: By primary key, as in the table; tests read them, and put what another version would have written.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.items: dict[Key, dict[str, Any]] = {}
        self.on_call = on_call
        self._owners = (f"owner-{number:08}" for number in itertools.count(1))

    async def look_up(self, keys: Collection[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
        """What is known of these keys, with the coverage of their functions; keys without an entry are left out."""
        async with operation("look_up", self.on_call):
            return items.records_from(self.items, keys)

    async def claim(
        self, key: ScanKey, *, message_id: str, now: datetime, duration: timedelta, force: bool = False
    ) -> Claim:
        """Take the lease, unless somebody holds it or (without `force`) a fresh result is there."""
        async with operation("claim", self.on_call):
            standing = self.items.get(items.scan_item_key(key))
            claim: Claim | None = None
            if standing is not None:
                claim = items.record_from(standing, key).refusal(now, force=force)
            if claim is None:
                lease = items.new_lease(key, message_id=message_id, owner=next(self._owners), expires_at=now + duration)
                self._apply(items.scan_item_key(key), items.claimed(lease))
                claim = Claimed(lease, items.abandoned_by(standing or {}, lease))
        return claim

    async def renew(self, lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
        """The lease, prolonged. One that ended, but that nobody else took, is still ours.

        Raises:
            LeaseLost: Another claim has taken it, or it was given up.
        """
        longer = items.new_lease(lease.key, message_id=lease.message_id, owner=lease.owner, expires_at=now + duration)
        async with operation("renew", self.on_call):
            if not self._is_ours(lease):
                raise items.lease_lost(lease)
            self._apply(items.scan_item_key(lease.key), items.renewed(longer))
        return longer

    async def release(self, lease: Lease) -> None:
        """Give the lease up; the result before it stays. One that is not ours any more is left alone."""
        async with operation("release", self.on_call):
            if self._is_ours(lease):
                self._apply(items.scan_item_key(lease.key), items.released())

    async def release_all(self, function: FunctionArn, *, message_id: str) -> None:
        """Give up every lease on any code of this function that was claimed for this message, by whichever worker."""
        async with operation("release_all", self.on_call):
            for key, item in list(self.items.items()):
                if key.pk == items.state_item_key(function).pk and item.get("leaseMessageId") == message_id:
                    self._apply(key, items.released())

    async def commit(self, lease: Lease, summary: ScanSummary, coverage: Coverage, *, owed: Collection[Effect]) -> bool:
        """Store the result and set the coverage at once; repeated after a lost answer it leaves the result alone.

        Raises:
            LeaseLost: Another claim has taken the lease, and this scan was not committed before.
        """
        if summary.status is not ScanStatus.FAILED:
            coverage = replace(coverage, last_good=summary)
        async with operation("commit", self.on_call):
            key = items.scan_item_key(lease.key)
            ours = self._is_ours(lease)
            if not ours and not items.has_result(self.items.get(key, {}), summary.scan_id):
                raise items.lease_lost(lease)
            replaces = self._replaces(coverage)
            if ours:
                self._apply(key, items.committed(lease, summary, owed))
            if replaces:
                self._apply(items.state_item_key(coverage.function), items.recorded(coverage))
        return replaces

    async def mark_done(self, key: ScanKey, effects: Collection[Effect], *, scan_id: str) -> None:
        """These effects of that scan's result are not owed any more. Idempotent; a newer result is left alone."""
        async with operation("mark_done", self.on_call):
            standing = self.items.get(items.scan_item_key(key))
            if standing is not None:
                check_schema(standing)
                if items.has_result(standing, scan_id):
                    self._apply(items.scan_item_key(key), items.done(effects))

    async def note_failure(self, message_id: str, failure: Failure) -> Sequence[Failure]:
        """Write down that a try of this message failed; repeated for one attempt and reason it counts once."""
        async with operation("note_failure", self.on_call):
            key = notes.tries_key(message_id)
            check_schema(self.items.get(key, {}))
            self._apply(key, notes.noted(failure))
            return notes.failures_from(self.items[key])

    async def announce(self, subject: str, *, now: datetime, quiet: timedelta) -> bool:
        """Whether it is for the caller to tell people of `subject`: nobody has asked within `quiet`."""
        async with operation("announce", self.on_call):
            key = notes.announcement_key(subject)
            standing = self.items.get(key, {})
            check_schema(standing)
            told = "at" not in standing or standing["at"] < milliseconds(now - quiet)
            if told:
                self._apply(key, notes.announced(next(self._owners), now=now, quiet=quiet))
            elif standing["at"] < milliseconds(now):
                self._apply(key, notes.asked_again(now=now, quiet=quiet))
        return told

    async def record(self, coverage: Coverage) -> bool:
        """Set a function's coverage if it replaces what is stored; see `Coverage.replaces`."""
        async with operation("record", self.on_call):
            replaces = self._replaces(coverage)
            if replaces:
                self._apply(items.state_item_key(coverage.function), items.recorded(coverage))
        return replaces

    async def coverage(self, function: FunctionArn) -> Coverage | None:
        """The state of one function."""
        async with operation("coverage", self.on_call):
            item = self.items.get(items.state_item_key(function))
            return items.coverage_from(item) if item is not None else None

    async def coverages(self) -> AsyncIterator[Coverage]:
        """The state of every function, in no order."""
        async with operation("coverages", self.on_call):
            states = self._states()
        for item in states:
            yield items.coverage_from(item)

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        """What is known of these functions; unknown ones are left out."""
        async with operation("standings", self.on_call):
            found = {one: self.items.get(items.state_item_key(one)) for one in functions}
            return {one: standings.standing_from(item, one) for one, item in found.items() if item is not None}

    async def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region) that is not among `without`, in pages, by region and name."""
        async with operation("rows", self.on_call):
            known = self._of_account(account)
        start = items.in_region(region) if region is not None else ""
        seen = {items.state_item_key(function).pk for function in without}
        for page in _pages([item for item in known if item["place"].startswith(start) and item["pk"] not in seen]):
            yield page

    async def in_state(self, state: CoverageState, *, reason: str = "") -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function in a state (whose reason has this text in it), in pages, what was written last comes last."""
        async with operation("in_state", self.on_call):
            found = [item for item in self._states() if item["state"] == state and reason in item.get("reason", "")]
        for page in _pages(sorted(found, key=lambda item: item["at"])):
            yield page

    async def counts(self, accounts: Collection[str]) -> CoverageCounts:
        """How many functions of these accounts are in which state."""
        tally = CoverageTally(accounts)
        async with operation("counts", self.on_call):
            for account in set(accounts):
                known = self._of_account(account)
                entries = (
                    (item["state"], items.region_of(item["place"]), item.get("runtime"), item.get("reason", ""))
                    for item in known
                )
                results = ((item["state"], item["resultAt"]) for item in known if "resultAt" in item)
                tally.add(account, entries, results)
        return tally.counts()

    async def replace(self, coverage: Coverage, *, seen: Standing | None) -> bool:
        """Set a function's coverage if it still is as it was `seen`, whatever its `as_of`; repeated it is set once."""
        async with operation("replace", self.on_call):
            key = items.state_item_key(coverage.function)
            standing = self.items.get(key, {})
            check_schema(standing)
            is_as_seen = standings.is_as_seen(standing, seen)
            if is_as_seen:
                self._apply(key, items.recorded(coverage))
            return is_as_seen or standings.is_written(standing, coverage)

    async def sight(self, sighting: Sighting) -> bool:
        """Note when its account and region was last heard of, unless an event as new is noted already."""
        async with operation("sight", self.on_call):
            key = notes.sighting_key(sighting)
            standing = self.items.get(key, {})
            check_schema(standing)
            is_newer = "eventAt" not in standing or standing["eventAt"] < milliseconds(sighting.event_at)
            if is_newer:
                self._apply(key, notes.sighted(sighting))
        return is_newer

    async def sightings(self) -> AsyncIterator[Sighting]:
        """When each account and region was last heard of, by account and region."""
        async with operation("sightings", self.on_call):
            sighted = [item for key, item in sorted(self.items.items()) if key.pk == notes.SIGHTINGS]
        for item in sighted:
            yield notes.sighting_from(item)

    def _is_ours(self, lease: Lease) -> bool:
        return self.items.get(items.scan_item_key(lease.key), {}).get("leaseOwner") == lease.owner

    def _states(self) -> Sequence[Item]:
        return [item for key, item in self.items.items() if key.sk == items.STATE]

    def _of_account(self, account: str) -> Sequence[Item]:
        known = [item for item in self._states() if item.get("account") == account]
        return sorted(known, key=lambda item: item["place"])

    def _replaces(self, coverage: Coverage) -> bool:
        standing = self.items.get(items.state_item_key(coverage.function))
        if standing is None:
            return True
        return items.as_stored(coverage).replaces(items.coverage_from(standing))

    def _apply(self, key: Key, update: Update) -> None:
        standing = self.items.get(key, {"pk": key.pk, "sk": key.sk})
        self.items[key] = update.applied_to(standing)


def _pages(found: Sequence[Item]) -> Iterator[Sequence[CoverageRow]]:
    for start in range(0, len(found), _A_PAGE):
        yield [standings.row_from(item) for item in found[start : start + _A_PAGE]]
