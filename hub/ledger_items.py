"""The ledger's items: which attributes stand for what, written and read. `docs/ledger.md` is their reference.

An item is a mapping of plain Python values: text, whole numbers, lists, maps, sets of text. Moments are milliseconds
since the epoch, except `expiresAt`, which DynamoDB's TTL wants in seconds.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, SupportsInt

from hub.coverage import Coverage, CoverageState
from hub.scans import Effect, Lease, PolicyVerdict, ScanKey, ScanRecord, ScanStatus, ScanSummary, Severity
from spoke.arn import FunctionArn
from spoke.errors import LeaseLost, Misconfigured

SCHEMA = 1
"""The version that is written, and the highest that is read."""

STATE = "state"
"""The sort key of a function's coverage."""

KEPT_AFTER_FRESH = timedelta(days=90)
KEPT_WITHOUT_RESULT = timedelta(days=365) + KEPT_AFTER_FRESH
"""A claim does not know how long the result before it is fresh; by the settings it is a year at the most."""
KEPT_AFTER_GONE = timedelta(days=400)

LEASE = ("leaseOwner", "leaseMessageId", "leaseExpiresAt")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FUNCTION = "function#"

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The primary key of an item: `pk` and `sk`."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Update:
    """What one write changes in an item; everything else in it stays.

    Attributes:
        values: Attributes to set.
        removed: Attributes to remove.
        discarded: Members to take out of set attributes.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    discarded: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def applied_to(self, item: Item) -> dict[str, Any]:
        """The item after the write."""
        after = {name: value for name, value in item.items() if name not in self.removed} | dict(self.values)
        for name, members in self.discarded.items():
            left = frozenset(after.pop(name, ())) - members
            if left:  # DynamoDB keeps no empty set
                after[name] = left
        return after


def milliseconds(moment: datetime) -> int:
    """Since the epoch, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(value: SupportsInt) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(value))


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def scan_item_key(key: ScanKey) -> Key:
    """Where lease and summary of a scan key are."""
    return Key(f"{_FUNCTION}{key.function.unqualified}", f"scan#{key.fingerprint}#{key.profile_id}")


def state_item_key(function: FunctionArn) -> Key:
    """Where the coverage of a function is."""
    return Key(f"{_FUNCTION}{function.unqualified}", STATE)


def new_lease(key: ScanKey, *, message_id: str, owner: str, expires_at: datetime) -> Lease:
    """A lease whose end is what the ledger can hold: whole milliseconds."""
    return Lease(key=key, message_id=message_id, owner=owner, expires_at=_moment(milliseconds(expires_at)))


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
            "expiresAt": _seconds(lease.expires_at + KEPT_WITHOUT_RESULT),
        }
    )


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
        "expiresAt": _seconds(summary.fresh_until + KEPT_AFTER_FRESH),
    }
    if owed:
        return Update(values | {"owed": frozenset(effect.value for effect in owed)}, LEASE)
    return Update(values, (*LEASE, "owed"))


def done(effect: Effect) -> Update:
    """The effect is not owed any more."""
    return Update(discarded={"owed": frozenset({effect.value})})


def recorded(coverage: Coverage) -> Update:
    """The coverage is this one.

    Without `as_of`, the item still speaks of the snapshot that it spoke of; without `last_good`, that stays.
    """
    values: dict[str, Any] = {"schema": SCHEMA, "state": coverage.state.value, "at": milliseconds(coverage.at)}
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
    if coverage.last_good is not None:
        values["lastGood"] = _summary_map(coverage.last_good)
    if coverage.state is CoverageState.GONE:
        values["expiresAt"] = _seconds(coverage.at + KEPT_AFTER_GONE)
    else:
        removed.append("expiresAt")
    return Update(values, tuple(removed))


def as_stored(coverage: Coverage) -> Coverage:
    """The coverage with its moments as an item holds them: what comparisons with stored ones must use."""
    as_of = _moment(milliseconds(coverage.as_of)) if coverage.as_of is not None else None
    return replace(coverage, at=_moment(milliseconds(coverage.at)), as_of=as_of)


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
    with _reading(item):
        lease = None
        if "leaseOwner" in item:
            lease = Lease(key, item["leaseMessageId"], item["leaseOwner"], _moment(item["leaseExpiresAt"]))
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


def coverage_from(item: Item) -> Coverage:
    """What an item says of a function.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with _reading(item):
        return Coverage(
            function=FunctionArn.parse(item["pk"].removeprefix(_FUNCTION)),
            state=CoverageState(item["state"]),
            at=_moment(item["at"]),
            reason=item.get("reason", ""),
            as_of=_moment(item["asOf"]) if "asOf" in item else None,
            fingerprint=item.get("fingerprint"),
            last_good=_summary_from(item["lastGood"]) if "lastGood" in item else None,
        )


def has_result(item: Item, scan_id: str) -> bool:
    """Whether the item holds the result of that scan."""
    summary = item.get("summary")
    return isinstance(summary, Mapping) and summary.get("scanId") == scan_id


def check_schema(item: Item) -> None:
    """Refuse what a newer version wrote: its meaning is not known here.

    Raises:
        Misconfigured: It has a higher schema version.
    """
    version = int(item.get("schema", SCHEMA))
    if version > SCHEMA:
        raise Misconfigured(
            f"the ledger item {item.get('pk')} {item.get('sk')} has schema {version}, this scanhub knows {SCHEMA}: "
            "run the newer version"
        )


def _summary_from(values: Mapping[str, Any]) -> ScanSummary:
    counts = {Severity(severity): int(count) for severity, count in values["severities"].items()}
    return ScanSummary(
        scan_id=values["scanId"],
        status=ScanStatus(values["status"]),
        manifest_key=values["manifestKey"],
        completed_at=_moment(values["completedAt"]),
        fresh_until=_moment(values["freshUntil"]),
        reasons=tuple(values["reasons"]),
        severities={severity: counts[severity] for severity in Severity if severity in counts},
        secrets=int(values["secrets"]),
        packages=int(values["packages"]),
        policy=PolicyVerdict(values["policy"]) if "policy" in values else None,
        scan_tag=values.get("scanTag"),
    )


@contextmanager
def _reading(item: Item) -> Iterator[None]:
    check_schema(item)
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Misconfigured(
            f"the ledger item {item.get('pk')} {item.get('sk')} cannot be read: {type(error).__name__}: {error}"
        ) from error
