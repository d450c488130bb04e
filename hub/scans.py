"""Scans and what the ledger keeps of them: profile, key, lease, summary, claim."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from spoke.arn import FunctionArn

CLOCK_SKEW = timedelta(seconds=10)
"""By so much the clocks of two workers may differ: a lease is taken over only so long after its end. Fargate keeps
clocks within a millisecond by the Amazon Time Sync Service; ten seconds cover a host whose clock was just set."""


class ScanStatus(StrEnum):
    """How a scan ended. Never `SUCCESS` without a report that was really read."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"


class PolicyVerdict(StrEnum):
    """What `evaluate-policy` said (exit codes 0, 42 and 43)."""

    ALLOW = "allow"
    DENY = "deny"
    AUDIT = "audit"


class Severity(StrEnum):
    """Severities, lowest first; Qualys numbers them 1 to 5."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """1 (informational) to 5 (critical)."""
        return list(Severity).index(self) + 1

    @classmethod
    def from_rank(cls, rank: int) -> "Severity":
        """The severity of a Qualys number; what lies outside 1-5 is taken as the nearest."""
        return list(cls)[min(max(rank, 1), 5) - 1]


class Effect(StrEnum):
    """What is still owed after a commit; each is marked done on its own, so that a retry repeats nothing."""

    TAG = "tag"
    NOTIFY = "notify"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class ScanProfile:
    """With what a function was scanned. A changed profile makes older results stale.

    Attributes:
        engine: `qscanner`.
        version: What `qscanner --version` printed.
        mode: `inventory-only`, `scan-only`, `get-report` or `evaluate-policy`.
        scan_types: Such as `("pkg", "secret")`, in the order set.
    """

    engine: str
    version: str
    mode: str
    scan_types: tuple[str, ...]

    @property
    def id(self) -> str:
        """12 hexadecimal digits that stand for the profile in keys."""
        text = json.dumps([self.engine, self.version, self.mode, sorted(self.scan_types)])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ScanKey:
    """What a result belongs to: (function, fingerprint, profile)."""

    function: FunctionArn
    fingerprint: str
    profile_id: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to scan one key until a moment.

    Attributes:
        key: What may be scanned.
        message_id: The SQS message on whose behalf.
        owner: A random token of this very claim: a second claim by the same worker has another.
        expires_at: Aware, UTC.
    """

    key: ScanKey
    message_id: str
    owner: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """The ledger's copy of a result: enough for `status` and `show` without a read from S3.

    Attributes:
        scan_id: Sorts by time.
        status: `success`, `partial` or `failed`.
        reasons: Why it is not `success`; empty otherwise.
        severities: Number of vulnerability findings by severity.
        secrets: Number of secret findings.
        packages: Number of packages in the inventory.
        policy: The verdict, with mode `evaluate-policy`.
        scan_tag: Qualys's own tag of the scan, if known.
        manifest_key: The key of `manifest.json` in the results bucket.
        completed_at: Aware, UTC.
        fresh_until: Until then the result needs no renewal.
        profile_id: Of the scan profile; None in what was written before it was noted.
    """

    scan_id: str
    status: ScanStatus
    manifest_key: str
    completed_at: datetime
    fresh_until: datetime
    reasons: tuple[str, ...] = ()
    severities: Mapping[Severity, int] = field(default_factory=dict)
    secrets: int = 0
    packages: int = 0
    policy: PolicyVerdict | None = None
    scan_tag: str | None = None
    profile_id: str | None = None

    @property
    def findings(self) -> int:
        """Vulnerabilities of every severity and secrets."""
        return sum(self.severities.values()) + self.secrets


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """What the ledger holds for one key.

    Attributes:
        key: The key.
        lease: The last lease, ended or not; None after a commit or a release.
        summary: The last committed result, if there is one.
        owed: Effects of that result that are not done yet.
        committed_by: The id of the message whose scan was committed: it alone finishes what is owed.
        coverage_fingerprint: Of the function's coverage, where that is `COVERED` or `PARTIAL`: whether this result is
            also what the function is known to run. Only a look-up fills it in.
    """

    key: ScanKey
    lease: Lease | None = None
    summary: ScanSummary | None = None
    owed: frozenset[Effect] = frozenset()
    committed_by: str | None = None
    coverage_fingerprint: str | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether there is a result that needs no renewal."""
        return self.summary is not None and now < self.summary.fresh_until

    def refusal(self, now: datetime, *, force: bool) -> "Fresh | Held | None":
        """Why nobody may claim this key now; None if it is free.

        A fresh result is named before a live lease: while somebody repeats a scan by force, others are served by the
        result that is there. With `force` only the lease counts. A lease holds `CLOCK_SKEW` longer than its end: by the
        holder's clock it may not have ended yet.
        """
        if not force and self.is_fresh(now):
            return Fresh(self)
        if self.lease is not None and now < (free_at := self.lease.expires_at + CLOCK_SKEW):
            return Held(self.lease.message_id, free_at)
        return None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The lease is ours.

    Attributes:
        lease: Ours.
        abandoned_by: The message of the claim before, if its lease ended without being given up: the worker that held
            it died or stalled in the middle of a scan.
    """

    lease: Lease
    abandoned_by: str | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """There is a fresh result already."""

    record: ScanRecord


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody scans this key right now.

    Attributes:
        message_id: On whose behalf.
        until: From then on the key may be claimed, unless the lease is renewed: its end and `CLOCK_SKEW` (aware, UTC).
    """

    message_id: str
    until: datetime


Claim = Claimed | Fresh | Held


def new_scan_id(now: datetime) -> str:
    """A scan id: UTC to the millisecond, then 8 random hexadecimal digits. Sorts by time, safe in an S3 key."""
    utc = now.astimezone(UTC)
    return f"{utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03d}Z-{secrets.token_hex(4)}"


def results_prefix(function: FunctionArn, scan_id: str) -> str:
    """Where in the bucket the files of one scan lie, with the slash at its end.

    A version's lie among its function's: a scan id is given once.
    """
    return f"scans/{function.account}/{function.region}/{function.name}/{scan_id}/"


def freshness(ttl: timedelta, status: ScanStatus, *, report_owed: bool) -> timedelta:
    """How long a result stands.

    A report that Qualys did not deliver in time (exit 40, 41) is worth a new look after six hours, not after `ttl`.
    """
    if status is ScanStatus.FAILED:
        return timedelta(0)
    return min(ttl, timedelta(hours=6)) if report_owed else ttl
