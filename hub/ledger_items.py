"""The ledger's items of functions: which attributes stand for what, written and read. `docs/ledger.md` has them all."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.coverage import Coverage, CoverageState
from hub.ledger_schema import SCHEMA, Item, Key, Update, milliseconds, moment, reading, seconds
from hub.scans import Effect, Lease, PolicyVerdict, ScanKey, ScanRecord, ScanStatus, ScanSummary, Severity
from spoke.arn import FunctionArn
from spoke.errors import LeaseLost, Misconfigured

STATE = "state"
"""The sort key of a function's coverage."""

KEPT_AFTER_FRESH = timedelta(days=90)
KEPT_WITHOUT_RESULT = timedelta(days=365) + KEPT_AFTER_FRESH
"""A claim does not know how long the result before it is fresh; by the settings it is a year at the most."""
KEPT_AFTER_GONE = timedelta(days=400)

LEASE = ("leaseOwner", "leaseMessageId", "leaseExpiresAt")

_FUNCTION = "function#"
_IN_A_PLACE = "#"


def scan_item_key(key: ScanKey) -> Key:
    """Where lease and summary of a scan key are."""
    return Key(f"{_FUNCTION}{key.function.content}", f"scan#{key.fingerprint}#{key.profile_id}")


def state_item_key(function: FunctionArn) -> Key:
    """Where the coverage of a function is."""
    return Key(f"{_FUNCTION}{function.content}", STATE)


def place(function: FunctionArn) -> str:
    """Where in its account a function is, as the index by account sorts it: `<region>#<name>`, or `...:<version>`."""
    content = function.content
    version = f":{content.qualifier}" if content.qualifier is not None else ""
    return f"{in_region(content.region)}{content.name}{version}"


def in_region(region: str) -> str:
    """With what every `place` in this region begins, and none in another."""
    return f"{region}{_IN_A_PLACE}"


def region_of(place: str) -> str:
    """The region in a `place`."""
    return place.partition(_IN_A_PLACE)[0]


def new_lease(key: ScanKey, *, message_id: str, owner: str, expires_at: datetime) -> Lease:
    """A lease whose end is what the ledger can hold: whole milliseconds."""
    return Lease(key=key, message_id=message_id, owner=owner, expires_at=moment(milliseconds(expires_at)))


def lease_lost(lease: Lease) -> LeaseLost:
    """What a write that needs the lease answers when another has it."""
    return LeaseLost(f"the lease on {lease.key.function} for message {lease.message_id} is not ours any more")


def claimed(lease: Lease) -> Update:
    """The lease is taken. The result before it stays."""
    return Update(
        {
            "schema": SCHEMA,
            "leaseOwner": lease.owner,
            "leaseMessageId": lease.message_id,
            "leaseExpiresAt": milliseconds(lease.expires_at),
            "expiresAt": seconds(lease.expires_at + KEPT_WITHOUT_RESULT),
        }
    )


def abandoned_by(before: Item, lease: Lease) -> str | None:
    """Whose lease a claim took over: the message of a claim that was neither released nor committed.

    Args:
        before: The item before the claim. Both ways of giving a lease up remove it, so one that is there was abandoned;
            but where an answer was lost and the claim repeated, it is the claim's own.
        lease: What was claimed.
    """
    if before.get("leaseOwner") == lease.owner:
        return None
    message_id: str | None = before.get("leaseMessageId")
    return message_id


def renewed(lease: Lease) -> Update:
    """The lease ends later."""
    return Update({"leaseExpiresAt": milliseconds(lease.expires_at)})


def released() -> Update:
    """Nobody has the lease."""
    return Update(removed=LEASE)


def committed(lease: Lease, summary: ScanSummary, owed: Collection[Effect]) -> Update:
    """The result is there, its effects are owed, and nobody has the lease."""
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "summary": _summary_map(summary),
        "committedBy": lease.message_id,
        "expiresAt": seconds(summary.fresh_until + KEPT_AFTER_FRESH),
    }
    if owed:
        return Update(values | {"owed": frozenset(effect.value for effect in owed)}, LEASE)
    return Update(values, (*LEASE, "owed"))


def done(effects: Collection[Effect]) -> Update:
    """The effects are not owed any more."""
    return Update(discarded={"owed": frozenset(effect.value for effect in effects)})


def recorded(coverage: Coverage) -> Update:
    """The coverage is this one.

    Without `as_of`, the item still speaks of the snapshot that it spoke of; without `last_good`, `runtime` or
    `queued_at`, that stays.
    """
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "state": coverage.state.value,
        "at": milliseconds(coverage.at),
        "account": coverage.function.account,
        "place": place(coverage.function),
    }
    removed = []
    if coverage.reason:
        values["reason"] = coverage.reason
    else:
        removed.append("reason")
    if coverage.as_of is not None:
        values["asOf"] = milliseconds(coverage.as_of)
        if coverage.fingerprint is not None:
            values["fingerprint"] = coverage.fingerprint
        else:
            removed.append("fingerprint")
    if (good := coverage.last_good) is not None:
        values["lastGood"] = _summary_map(good)
        # Once more beside the map: an index projects whole attributes only, and a sweep must not pay for the map.
        values["resultAt"] = milliseconds(good.completed_at)
        values["freshUntil"] = milliseconds(good.fresh_until)
        if good.profile_id is not None:
            values["profileId"] = good.profile_id
        else:
            removed.append("profileId")
    if coverage.runtime is not None:
        values["runtime"] = coverage.runtime
    if coverage.queued_at is not None:
        values["queuedAt"] = milliseconds(coverage.queued_at)
    if coverage.state is CoverageState.GONE:
        values["expiresAt"] = seconds(coverage.at + KEPT_AFTER_GONE)
    else:
        removed.append("expiresAt")
    return Update(values, tuple(removed))


def as_stored(coverage: Coverage) -> Coverage:
    """The coverage with its moments as an item holds them: what comparisons with stored ones must use."""
    as_of = moment(milliseconds(coverage.as_of)) if coverage.as_of is not None else None
    return replace(coverage, at=moment(milliseconds(coverage.at)), as_of=as_of)


def _summary_map(summary: ScanSummary) -> dict[str, Any]:
    values: dict[str, Any] = {
        "scanId": summary.scan_id,
        "status": summary.status.value,
        "manifestKey": summary.manifest_key,
        "completedAt": milliseconds(summary.completed_at),
        "freshUntil": milliseconds(summary.fresh_until),
        "reasons": list(summary.reasons),
        "severities": {severity.value: count for severity, count in summary.severities.items()},
        "secrets": summary.secrets,
        "packages": summary.packages,
    }
    if summary.policy is not None:
        values["policy"] = summary.policy.value
    if summary.scan_tag is not None:
        values["scanTag"] = summary.scan_tag
    if summary.profile_id is not None:
        values["profileId"] = summary.profile_id
    return values


def record_from(item: Item, key: ScanKey, state: Item | None = None) -> ScanRecord:
    """What an item says of a scan key.

    Args:
        item: The item of the key.
        key: The key that was asked for.
        state: The item of the function's coverage, where that was read too.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        lease = None
        if "leaseOwner" in item:
            lease = Lease(key, item["leaseMessageId"], item["leaseOwner"], moment(item["leaseExpiresAt"]))
        record = ScanRecord(
            key=key,
            lease=lease,
            summary=_summary_from(item["summary"]) if "summary" in item else None,
            owed=frozenset(Effect(effect) for effect in item.get("owed", ())),
            committed_by=item.get("committedBy"),
        )
    if state is None:
        return record
    coverage = coverage_from(state)
    settled = coverage.state in {CoverageState.COVERED, CoverageState.PARTIAL}
    return replace(record, coverage_fingerprint=coverage.fingerprint if settled else None)


def records_from(found: Mapping[Key, Item], keys: Collection[ScanKey]) -> dict[ScanKey, ScanRecord]:
    """What the items say of these keys.

    One that cannot be read is left out: the claim says why, to its own message, and not to all that were looked up.
    """
    records = {}
    for key in keys:
        if (item := found.get(scan_item_key(key))) is not None:
            with suppress(Misconfigured):
                records[key] = record_from(item, key, found.get(state_item_key(key.function)))
    return records


def coverage_from(item: Item) -> Coverage:
    """What an item says of a function.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        return Coverage(
            function=FunctionArn.parse(item["pk"].removeprefix(_FUNCTION)),
            state=CoverageState(item["state"]),
            at=moment(item["at"]),
            reason=item.get("reason", ""),
            as_of=moment(item["asOf"]) if "asOf" in item else None,
            fingerprint=item.get("fingerprint"),
            last_good=_summary_from(item["lastGood"]) if "lastGood" in item else None,
            runtime=item.get("runtime"),
            queued_at=moment(item["queuedAt"]) if "queuedAt" in item else None,
        )


def has_result(item: Item, scan_id: str) -> bool:
    """Whether the item holds the result of that scan."""
    summary = item.get("summary")
    return isinstance(summary, Mapping) and summary.get("scanId") == scan_id


def _summary_from(values: Mapping[str, Any]) -> ScanSummary:
    counts = {Severity(severity): int(count) for severity, count in values["severities"].items()}
    return ScanSummary(
        scan_id=values["scanId"],
        status=ScanStatus(values["status"]),
        manifest_key=values["manifestKey"],
        completed_at=moment(values["completedAt"]),
        fresh_until=moment(values["freshUntil"]),
        reasons=tuple(values["reasons"]),
        severities={severity: counts[severity] for severity in Severity if severity in counts},
        secrets=int(values["secrets"]),
        packages=int(values["packages"]),
        policy=PolicyVerdict(values["policy"]) if "policy" in values else None,
        scan_tag=values.get("scanTag"),
        profile_id=values.get("profileId"),
    )
