"""The ledger in DynamoDB: every decision is one conditional write, so that any number of workers agree."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub import ledger_items as items
from hub import ledger_notes as notes
from hub.coverage import Coverage
from hub.ledger_conditions import KNOWN, KNOWN_SCHEMA, by_owner, if_as_seen, if_it_replaces
from hub.ledger_reading import LedgerReader
from hub.ledger_schema import SCHEMA, check_schema, milliseconds
from hub.ledger_standings import is_written
from hub.ledger_table import Write
from hub.scans import CLOCK_SKEW, Claim, Claimed, Effect, Lease, ScanKey, ScanStatus, ScanSummary
from hub.sightings import Sighting
from hub.standing import Standing
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.errors import Throttled

_NO_LEASE = "(attribute_not_exists(#leaseOwner) OR #leaseExpiresAt <= :skewed OR #leaseOwner = :leaseOwner)"
_NOT_FRESH = "(attribute_not_exists(#summary) OR #summary.#freshUntil <= :now)"
_IS_NEWS = "(attribute_not_exists(#eventAt) OR #eventAt < :eventAt)"
_QUIET_OVER = "(attribute_not_exists(#at) OR #at < :since OR #teller = :teller)"


class DynamoLedger(LedgerReader):
    """The ledger in one DynamoDB table; see `docs/ledger.md`.

    Args:
        client: Of the hub's account.
        table: Its name.
    """

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
            Write(items.scan_item_key(key), items.claimed(lease), f"{KNOWN_SCHEMA} AND {free}", values),
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
        if await self._table.write("renewing a lease", by_owner(lease, items.renewed(longer))) is not None:
            raise items.lease_lost(lease)
        return longer

    async def release(self, lease: Lease) -> None:
        """Give the lease up; the result before it stays. One that is not ours any more is left alone."""
        await self._table.write("releasing a lease", by_owner(lease, items.released()))

    async def release_all(self, function: FunctionArn, *, message_id: str) -> None:
        """Give up every lease on any code of this function that was claimed for this message, by whichever worker."""
        async for key in self._queries.leased(items.state_item_key(function).pk, message_id):
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
        result = by_owner(lease, items.committed(lease, summary, owed))
        refused = await self._table.write_all("committing a scan", [result, if_it_replaces(coverage)])
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
                f"#summary.#scanId = :scanId AND {KNOWN_SCHEMA}",
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
            Write(notes.tries_key(message_id), notes.noted(failure), KNOWN_SCHEMA, KNOWN),
            "ALL_NEW",
        )
        failures = notes.failures_from(outcome.item)
        if not outcome.written:
            raise Throttled(f"noting a failure of message {message_id}: the ledger refused it without a reason")
        return failures

    async def announce(self, subject: str, *, now: datetime, quiet: timedelta) -> bool:
        """Whether it is for the caller to tell people. A request that botocore repeats finds its own teller."""
        key, teller = notes.announcement_key(subject), secrets.token_hex(16)
        values = KNOWN
        standing = await self._table.write(
            "announcing",
            Write(
                key,
                notes.announced(teller, now=now, quiet=quiet),
                f"{KNOWN_SCHEMA} AND {_QUIET_OVER}",
                values | {"since": milliseconds(now - quiet)},
            ),
        )
        if standing is None:
            return True
        check_schema(standing)
        # Refused where somebody with a later clock has asked meanwhile: then the quiet lasts longer already.
        await self._table.write(
            "prolonging the quiet",
            Write(key, notes.asked_again(now=now, quiet=quiet), f"{KNOWN_SCHEMA} AND #at < :at", values),
        )
        return False

    async def record(self, coverage: Coverage) -> bool:
        """Set a function's coverage if it replaces what is stored; see `Coverage.replaces`."""
        standing = await self._table.write("recording a coverage", if_it_replaces(coverage))
        if standing is None:
            return True
        check_schema(standing)
        return False

    async def replace(self, coverage: Coverage, *, seen: Standing | None) -> bool:
        """Set a function's coverage if it still is as it was `seen` (None: unknown then), whatever its `as_of`.

        A request that botocore repeats after a lost answer finds its own coverage, and says that it was set.
        """
        standing = await self._table.write("replacing a coverage", if_as_seen(coverage, seen))
        if standing is None:
            return True
        check_schema(standing)
        return is_written(standing, coverage)

    async def sight(self, sighting: Sighting) -> bool:
        """Note when its account and region was last heard of, unless an event as new is noted already."""
        newer = Write(notes.sighting_key(sighting), notes.sighted(sighting), f"{KNOWN_SCHEMA} AND {_IS_NEWS}", KNOWN)
        standing = await self._table.write("noting a sighting", newer)
        if standing is None:
            return True
        check_schema(standing)
        return False
