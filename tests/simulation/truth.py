"""What is true of the member accounts, whatever anybody believes: functions, their code through time, sessions."""

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from pydantic import SecretStr

from hub.scans import ScanProfile
from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, NoAccess, Throttled
from spoke.snapshot import FunctionSnapshot
from spoke.tags import changed

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Second 0 of virtual time."""

SESSION = 3600.0
"""Seconds of a chained role session (STS allows an hour)."""

EXCLUDED_TAG = "QualysScanExclude"

PROFILE = ScanProfile("qscanner", "4.6.0-4", "get-report", ("pkg", "secret"))
"""With what everything is scanned."""


def moment(seconds: float) -> datetime:
    """The wall clock's word for a second of virtual time; whole milliseconds, as Lambda and the ledger keep it."""
    return START + timedelta(milliseconds=int(seconds * 1000))


def code_hash(label: str) -> str:
    """`CodeSha256` of a package: base64."""
    return base64.b64encode(hashlib.sha256(label.encode()).digest()).decode()


def content_id(code: str, layers: tuple[str, ...]) -> str:
    """The fingerprint as the documents describe it, computed here once more."""
    return hashlib.sha256("\n".join((code, *layers)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Version:
    """What a function was from a moment on.

    Attributes:
        since: Second of virtual time.
        label: Which code; the marker in its package. None: it does not exist.
        modified: `LastModified`.
        ready_at: Until then its state is `Pending`.
    """

    since: float
    label: str | None
    modified: datetime
    ready_at: float = 0.0


@dataclass(slots=True)
class Function:
    """One function and its whole history, oldest first.

    Attributes:
        arn: Without qualifier.
        layers: Never change here; the code does.
        is_image: A container image.
        unreadable: GetFunction says that a key bars the way.
        never_ready: It stays `Pending` for ever.
        tags: As they are now.
        scan: What the scanner makes of it each time: "", "crash", "kill" (it takes its worker with it) or "fault".
    """

    arn: FunctionArn
    layers: tuple[str, ...] = ()
    is_image: bool = False
    unreadable: bool = False
    never_ready: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    scan: str = ""
    history: list[Version] = field(default_factory=list)

    @property
    def now(self) -> Version:
        return self.history[-1]

    def label_at(self, second: float) -> str | None:
        """Which code it had then."""
        return next((version.label for version in reversed(self.history) if version.since <= second), None)

    def contents_since(self, second: float) -> set[str]:
        """Every fingerprint that it had from then on."""
        labels = {self.label_at(second)} | {version.label for version in self.history if version.since >= second}
        return {self.content(label) for label in labels if label is not None}

    def was_absent_since(self, second: float) -> bool:
        """Whether there was a moment from then on at which it did not exist."""
        return self.label_at(second) is None or any(
            version.label is None for version in self.history if version.since >= second
        )

    def content(self, label: str) -> str:
        """The fingerprint of that code with its layers."""
        return content_id(code_hash(label), self.layers)

    def label_changed_at(self) -> float:
        """Since when it has the content that it has."""
        since = self.now.since
        for version in reversed(self.history):
            if version.label != self.now.label:
                break
            since = version.since
        return since


@dataclass(frozen=True, slots=True)
class Session:
    """One role session given out for a scan."""

    function: FunctionArn
    ends_at: float


class Organization:
    """Every member account, as Lambda and STS would answer for them.

    Args:
        rng: For session ids and throttling.

    Attributes:
        functions: By ARN.
        denied: Accounts whose role cannot be assumed now.
        unlisted: Accounts and regions whose functions nobody may list now; all else goes on there.
        throttled: Accounts whose APIs answer every so often with a throttling error: the share of calls.
        sessions: By access key id.
        tagged: How often each scan's tags were written: by function and timestamp tag.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._numbers = itertools.count(1)
        self.time: float = 0.0
        self.functions: dict[FunctionArn, Function] = {}
        self.denied: set[str] = set()
        self.unlisted: set[tuple[str, str]] = set()
        self.throttled: dict[str, float] = {}
        self.sessions: dict[str, Session] = {}

    def describe(self, function: FunctionArn, now: float) -> FunctionSnapshot:
        """GetFunction."""
        self.enter(function.account, "describing")
        truth = self.functions.get(function.unqualified)
        if truth is None or truth.now.label is None:
            raise Gone(f"describing {function}: ResourceNotFoundException: Function not found")
        return self._snapshot(truth, now)

    def listed(self, account: str, region: str, time: Callable[[], float]) -> Iterator[FunctionSnapshot]:
        """ListFunctions, one by one, each as it is when it is its turn."""
        for arn in sorted(self.functions):
            truth = self.functions[arn]
            if (arn.account, arn.region) == (account, region) and truth.now.label is not None:
                yield self._snapshot(truth, time())

    def _snapshot(self, truth: Function, now: float) -> FunctionSnapshot:
        version = truth.now
        pending = truth.never_ready or now < version.ready_at
        reason = "KMSKeyAccessDenied" if truth.unreadable else None
        snapshot = FunctionSnapshot(
            arn=truth.arn,
            code_sha256=code_hash(version.label or ""),
            last_modified=version.modified,
            layers=truth.layers,
            runtime="python3.13",
            state="Pending" if pending else "Active",
            state_reason_code="Creating" if pending else reason,
            code_size=48_213,
            tags=dict(truth.tags),
        )
        if not truth.is_image:
            return snapshot
        repository = f"{truth.arn.account}.dkr.ecr.{truth.arn.region}.amazonaws.com/{truth.arn.name}"
        digest = hashlib.sha256((version.label or "").encode()).hexdigest()
        return replace(
            snapshot,
            package_type="Image",
            runtime=None,
            code_size=0,
            image_uri=f"{repository}:live",
            resolved_image_uri=f"{repository}@sha256:{digest}",
        )

    def scan_credentials(self, snapshot: FunctionSnapshot, now: float, clock_now: datetime) -> SessionCredentials:
        """AssumeRole with a session policy for this one function."""
        self.enter(snapshot.arn.account, "assuming the role")
        key = f"ASIA{next(self._numbers):016X}"
        self.sessions[key] = Session(snapshot.arn.unqualified, now + SESSION)
        return SessionCredentials(
            access_key_id=key,
            secret_access_key=SecretStr(f"made-up-{key}"),
            session_token=SecretStr(f"made-up-too-{key}"),
            expires_at=clock_now + timedelta(seconds=SESSION),
        )

    def tag(self, function: FunctionArn, tags: Mapping[str, str], present: Mapping[str, str] | None) -> bool:
        """TagResource."""
        differing = changed(tags, present)
        if not differing:
            return False
        self.enter(function.account, "tagging")
        truth = self.functions.get(function.unqualified)
        if truth is None or truth.now.label is None:
            raise Gone(f"tagging {function}: ResourceNotFoundException: Function not found")
        truth.tags.update(differing)
        return True

    def enter(self, account: str, doing: str) -> None:
        """What every call to an account meets first."""
        if account in self.denied:
            raise NoAccess(f"{doing} in account {account}: AccessDenied: not authorized to perform sts:AssumeRole")
        share = self.throttled.get(account, 0.0)
        if share and self._rng.random() < share:
            raise Throttled(f"{doing} in account {account}: TooManyRequestsException: Rate exceeded")
