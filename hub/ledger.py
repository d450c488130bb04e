"""The ledger in DynamoDB: every decision is one conditional write, so that any number of workers agree."""

import secrets
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub import ledger_items as items
from hub import ledger_notes as notes
from hub.coverage import PASSING, RESULTS, WAITING, Coverage, CoverageState
from hub.ledger_schema import SCHEMA, Update, check_schema, milliseconds
from hub.ledger_table import LedgerTable, Write
from hub.scans import CLOCK_SKEW, Claim, Claimed, Effect, Lease, ScanKey, ScanRecord, ScanStatus, ScanSummary
from hub.sightings import Sighting
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.errors import Throttled

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

_KNOWN_SCHEMA = "(attribute_not_exists(#schema) OR #schema <= :known)"
_NO_LEASE = "(attribute_not_exists(#leaseOwner) OR #leaseExpiresAt <= :skewed OR #leaseOwner = :leaseOwner)"
_NOT_FRESH = "(attribute_not_exists(#summary) OR #summary.#freshUntil <= :now)"
_OURS = "#leaseOwner = :owner"
_IS_NEWS = "(attribute_not_exists(#eventAt) OR #eventAt < :eventAt)"
_QUIET_OVER = "(attribute_not_exists(#at) OR #at < :since OR #teller = :teller)"
# Of `Coverage.replaces`: with `as_of`, and without.
_NEWER = "attribute_not_exists(#state) OR attribute_not_exists(#asOf) OR #asOf < :asOf"
_PASSING: dict[str, str] = {f"passing{number}": state.value for number, state in enumerate(sorted(PASSING))}
_PASSES = f"#state IN (:{', :'.join(_PASSING)})"
_RESULTS: dict[str, str] = {f"result{number}": state.value for number, state in enumerate(sorted(RESULTS))}
_IS_RESULT = f"#state IN (:{', :'.join(_RESULTS)})"
_LATER = "(attribute_not_exists(#state) OR (#state <> :gone AND #at <= :at))"


class DynamoLedger:
    """The ledger in one DynamoDB table; see `docs/ledger.md`.

    Args:
        client: Of the hub's account.
        table: Its name.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = LedgerTable(client, table)

    async def check(self) -> None:
        """Ask whether the table is there and has the keys that are written.

        Raises:
            Misconfigured: It is not there, may not be described, or is some other table.
        """
        await self._table.check()

    async def look_up(self, keys: Collection[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
        """What is known of these keys, with the coverage of their functions; keys without an entry are left out.

        Read consistently: what it says to be done is dropped on its word, and no conditional write comes after that.

        Raises:
            Throttled: Also when DynamoDB puts keys off again and again.
        """
        found = await self._table.get_all(
            {items.scan_item_key(key) for key in keys} | {items.state_item_key(key.function) for key in keys}
        )
        return items.records_from(found, keys)

    async def claim(
        self, key: ScanKey, *, message_id: str, now: datetime, duration: timedelta, force: bool = False
    ) -> Claim:
        """Take the lease. A request that botocore repeats after a lost answer finds its own owner and succeeds."""
        lease = items.new_lease(key, message_id=message_id, owner=secrets.token_hex(16), expires_at=now + duration)
        free, values = _NO_LEASE, {"known": SCHEMA, "skewed": milliseconds(now - CLOCK_SKEW)}
        if not force:
            free, values = f"{_NO_LEASE} AND {_NOT_FRESH}", values | {"now": milliseconds(now)}
        outcome = await self._table.exchange(
            "claiming a scan",
            Write(items.scan_item_key(key), items.claimed(lease), f"{_KNOWN_SCHEMA} AND {free}", values),
            "ALL_OLD",
        )
        if outcome.written:
            return Claimed(lease, items.abandoned_by(outcome.item, lease))
        refusal = items.record_from(outcome.item, key).refusal(now, force=force)
        if refusal is None:
            raise Throttled(f"claiming a scan of {key.function}: the ledger refused it without a reason")
        return refusal

    async def renew(self, lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
        """The lease, prolonged. One that ended, but that nobody else took, is still ours.

        Raises:
            LeaseLost: Another claim has taken it, or it was given up.
        """
        longer = items.new_lease(lease.key, message_id=lease.message_id, owner=lease.owner, expires_at=now + duration)
        if await self._table.write("renewing a lease", _by_owner(lease, items.renewed(longer))) is not None:
            raise items.lease_lost(lease)
        return longer

    async def release(self, lease: Lease) -> None:
        """Give the lease up; the result before it stays. One that is not ours any more is left alone."""
        await self._table.write("releasing a lease", _by_owner(lease, items.released()))

    async def release_all(self, function: FunctionArn, *, message_id: str) -> None:
        """Give up every lease on any code of this function that was claimed for this message, by whichever worker."""
        async for key in self._table.leased(items.state_item_key(function).pk, message_id):
            of_message = Write(key, items.released(), "#leaseMessageId = :messageId", {"messageId": message_id})
            await self._table.write("releasing a lease", of_message)

    async def commit(self, lease: Lease, summary: ScanSummary, coverage: Coverage, *, owed: Collection[Effect]) -> bool:
        """Store the result and set the coverage in one transaction.

        Repeated after a lost answer it changes nothing in the result, so that an effect done meanwhile stays done.

        Raises:
            LeaseLost: Another claim has taken the lease, and this scan was not committed before.
        """
        if summary.status is not ScanStatus.FAILED:
            coverage = replace(coverage, last_good=summary)
        result = _by_owner(lease, items.committed(lease, summary, owed))
        refused = await self._table.write_all("committing a scan", [result, _if_it_replaces(coverage)])
        if refused is None:
            return True
        standing, newer = refused
        if standing is None and newer is not None:
            check_schema(newer)
            # The coverage speaks of a newer snapshot. The result is true all the same, for its own fingerprint.
            standing = await self._table.write("committing a scan", result)
            if standing is None:
                return False
        if standing is None or not items.has_result(standing, summary.scan_id):
            raise items.lease_lost(lease)
        return await self.record(coverage)

    async def mark_done(self, key: ScanKey, effects: Collection[Effect], *, scan_id: str) -> None:
        """These effects of that scan's result are not owed any more. Idempotent; a newer result is left alone."""
        standing = await self._table.write(
            "marking effects done",
            Write(
                items.scan_item_key(key),
                items.done(effects),
                f"#summary.#scanId = :scanId AND {_KNOWN_SCHEMA}",
                {"known": SCHEMA, "scanId": scan_id},
            ),
        )
        if standing is not None:
            check_schema(standing)

    async def note_failure(self, message_id: str, failure: Failure) -> Sequence[Failure]:
        """Write down that a try of this message failed; repeated for one attempt and reason it counts once.

        Returns:
            Every failure of this message so far, oldest first; each text cut at `ledger_notes.MAX_TEXT`.

        Raises:
            Throttled: The ledger refused it without a reason.
        """
        outcome = await self._table.exchange(
            "noting a failure",
            Write(notes.tries_key(message_id), notes.noted(failure), _KNOWN_SCHEMA, {"known": SCHEMA}),
            "ALL_NEW",
        )
        failures = notes.failures_from(outcome.item)
        if not outcome.written:
            raise Throttled(f"noting a failure of message {message_id}: the ledger refused it without a reason")
        return failures

    async def announce(self, subject: str, *, now: datetime, quiet: timedelta) -> bool:
        """Whether it is for the caller to tell people. A request that botocore repeats finds its own teller."""
        key, teller = notes.announcement_key(subject), secrets.token_hex(16)
        values = {"known": SCHEMA}
        standing = await self._table.write(
            "announcing",
            Write(
                key,
                notes.announced(teller, now=now, quiet=quiet),
                f"{_KNOWN_SCHEMA} AND {_QUIET_OVER}",
                values | {"since": milliseconds(now - quiet)},
            ),
        )
        if standing is None:
            return True
        check_schema(standing)
        # Refused where somebody with a later clock has asked meanwhile: then the quiet lasts longer already.
        await self._table.write(
            "prolonging the quiet",
            Write(key, notes.asked_again(now=now, quiet=quiet), f"{_KNOWN_SCHEMA} AND #at < :at", values),
        )
        return False

    async def record(self, coverage: Coverage) -> bool:
        """Set a function's coverage if it replaces what is stored; see `Coverage.replaces`."""
        standing = await self._table.write("recording a coverage", _if_it_replaces(coverage))
        if standing is None:
            return True
        check_schema(standing)
        return False

    async def coverage(self, function: FunctionArn) -> Coverage | None:
        """The state of one function, as it is now."""
        item = await self._table.get(items.state_item_key(function))
        return items.coverage_from(item) if item is not None else None

    async def coverages(self) -> AsyncIterator[Coverage]:
        """The state of every function, in no order. Reads the whole table: for a person or a report."""
        async for item in self._table.states():
            yield items.coverage_from(item)

    async def sight(self, sighting: Sighting) -> bool:
        """Note when its account and region was last heard of, unless an event as new is noted already."""
        newer = Write(
            notes.sighting_key(sighting), notes.sighted(sighting), f"{_KNOWN_SCHEMA} AND {_IS_NEWS}", {"known": SCHEMA}
        )
        standing = await self._table.write("noting a sighting", newer)
        if standing is None:
            return True
        check_schema(standing)
        return False

    async def sightings(self) -> AsyncIterator[Sighting]:
        """When each account and region was last heard of, by account and region. Reads one partition."""
        async for item in self._table.partition(notes.SIGHTINGS):
            yield notes.sighting_from(item)


def _by_owner(lease: Lease, update: Update) -> Write:
    return Write(items.scan_item_key(lease.key), update, _OURS, {"owner": lease.owner})


def _if_it_replaces(coverage: Coverage) -> Write:
    key, update = items.state_item_key(coverage.function), items.recorded(coverage)
    values: dict[str, Any] = {"known": SCHEMA, "at": milliseconds(coverage.at)}
    if coverage.as_of is None:
        values["gone"] = CoverageState.GONE.value
        return Write(key, update, f"{_KNOWN_SCHEMA} AND {_LATER}", values)
    values["asOf"] = milliseconds(coverage.as_of)
    of_the_same = "#asOf = :asOf"
    if coverage.state is not CoverageState.GONE:
        values["gone"] = CoverageState.GONE.value
        later = "#at <= :at"
        if coverage.state in WAITING:
            values |= _RESULTS
            later = f"({later} AND NOT {_IS_RESULT})"
        if coverage.state in RESULTS:
            values |= _PASSING
            later = f"({later} OR {_PASSES})"
        of_the_same = f"({of_the_same} AND #state <> :gone AND {later})"
    return Write(key, update, f"{_KNOWN_SCHEMA} AND ({_NEWER} OR {of_the_same})", values)
