"""Sweeps as the ledger keeps them: runs, and what each has found in each account."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

NAMES_KEPT = 10
"""Of the accounts, units, regions and patterns that were named for a run; a summary has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepScope:
    """What a sweep goes over. Two processes with the same scope work on one run together.

    Attributes:
        accounts: The accounts named; empty for those of the organization.
        ous: The organizational units named.
        regions: The regions named; empty for all that are enabled in each account.
        exclude: Patterns of function names, besides those of the settings.
        profile_id: Of the scan profile that results must have.
    """

    accounts: tuple[str, ...] = ()
    ous: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    profile_id: str = ""

    @property
    def id(self) -> str:
        """12 hexadecimal digits that stand for the scope in keys; the order of the names does not matter."""
        parts = [sorted(one) for one in (self.accounts, self.ous, self.regions, self.exclude)]
        return hashlib.sha256(json.dumps([*parts, self.profile_id]).encode()).hexdigest()[:12]

    @property
    def is_whole(self) -> bool:
        """Whether it is all accounts and regions of the organization."""
        return not (self.accounts or self.ous or self.regions)

    @property
    def is_full(self) -> bool:
        """Whether it is whole, and leaves out no functions but those that the settings exclude."""
        return self.is_whole and not self.exclude

    @property
    def whole_id(self) -> str:
        """The id of the scope that is whole and else as this one: a sweep of it does for this one too."""
        return SweepScope(exclude=self.exclude, profile_id=self.profile_id).id


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Names of one kind.

    Attributes:
        number: How many there are.
        first: The first ten of them, sorted.
    """

    number: int = 0
    first: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Collection[str]) -> "Named":
        """From all of them."""
        each = sorted(set(names))
        return cls(number=len(each), first=tuple(each[:NAMES_KEPT]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeNote:
    """What a run goes over, for whoever looks on; see `SweepScope`. A thousand named accounts make no large item of it.

    Attributes:
        accounts: None for those of the organization.
        ous: The organizational units.
        regions: None for all that are enabled in each account.
        exclude: Patterns of function names, besides those of the settings.
    """

    accounts: Named = Named()
    ous: Named = Named()
    regions: Named = Named()
    exclude: Named = Named()

    @classmethod
    def of(cls, scope: SweepScope) -> "ScopeNote":
        """From the scope itself."""
        return cls(
            accounts=Named.of(scope.accounts),
            ous=Named.of(scope.ous),
            regions=Named.of(scope.regions),
            exclude=Named.of(scope.exclude),
        )

    @property
    def is_full(self) -> bool:
        """See `SweepScope.is_full`."""
        return not (self.accounts.number or self.ous.number or self.regions.number or self.exclude.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCounts:
    """What was found and done; adds up over regions, accounts and processes.

    Attributes:
        accounts: That were gone over to their end.
        functions: Listed, published versions among them.
        fresh: That need nothing.
        waiting: Queued before, and still to be scanned.
        excluded: By name, tag or account.
        queued: Put into the queue, by why: `missing`, `changed`, `stale`, `profile`, `failed`, `lost`.
        gone: Known to the ledger, and not there any more.
        outlived: Known to the ledger, with a result that is too old or of another profile, and not to be listed.
        failed: Accounts and regions that could not be listed.
        calls: AWS calls made.
    """

    accounts: int = 0
    functions: int = 0
    fresh: int = 0
    waiting: int = 0
    excluded: int = 0
    queued: Mapping[str, int] = field(default_factory=dict)
    gone: int = 0
    outlived: int = 0
    failed: int = 0
    calls: int = 0

    @property
    def due(self) -> int:
        """All that was queued."""
        return sum(self.queued.values())

    def __add__(self, other: "SweepCounts") -> "SweepCounts":
        reasons = self.queued.keys() | other.queued.keys()
        return SweepCounts(
            accounts=self.accounts + other.accounts,
            functions=self.functions + other.functions,
            fresh=self.fresh + other.fresh,
            waiting=self.waiting + other.waiting,
            excluded=self.excluded + other.excluded,
            queued={one: self.queued.get(one, 0) + other.queued.get(one, 0) for one in sorted(reasons)},
            gone=self.gone + other.gone,
            outlived=self.outlived + other.outlived,
            failed=self.failed + other.failed,
            calls=self.calls + other.calls,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRun:
    """One sweep, on which any number of processes may work, one after the other or at once.

    Attributes:
        id: Sorts by time: `20261122T071500123Z-1a2b3c4d`.
        scope_id: See `SweepScope.id`.
        whole_scope_id: See `SweepScope.whole_id`; empty where nobody has said.
        scope: What it goes over; None where an older version began it.
        started_at: Aware, UTC. An account that was gone over since then is done.
        finished_at: When the last account was done; None while it runs, or after it was interrupted.
        accounts: How many accounts it is about; 0 until they are listed.
        counts: So far.
        at: When `counts` were written (aware, UTC).
    """

    id: str
    scope_id: str
    started_at: datetime
    finished_at: datetime | None = None
    accounts: int = 0
    counts: SweepCounts = SweepCounts()
    at: datetime | None = None
    whole_scope_id: str = ""
    scope: ScopeNote | None = None

    @property
    def heard_of_at(self) -> datetime:
        """When somebody last said that he works on it (aware, UTC)."""
        return self.at or self.started_at

    @property
    def is_full(self) -> bool:
        """See `SweepScope.is_full`; of a run that an older version began, whether its scope is whole."""
        if self.scope is not None:
            return self.scope.is_full
        return self.scope_id == self.whole_scope_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOutcome:
    """What a sweep found in one region of an account.

    Attributes:
        functions: Listed.
        problem: Why it could not be listed to its end, in one line; empty where it was.
    """

    functions: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutcome:
    """What a sweep found in one account.

    Attributes:
        regions: By region.
        problem: Why nothing of it could be listed (the role cannot be assumed, ...), in one line; else empty.
        counts: Of this account.
    """

    regions: Mapping[str, RegionOutcome] = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""
    counts: SweepCounts = SweepCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNote:
    """What is known of one account, whoever has seen it first.

    Attributes:
        account: Twelve digits.
        first_seen_at: Aware, UTC.
        swept_at: When a sweep has last gone over it to its end, with or without problems; None if none has.
        sweep_id: Of that run.
        sweep_scope_id: Of that run's scope.
        outcome: Of that sweep.
    """

    account: str
    first_seen_at: datetime
    swept_at: datetime | None = None
    sweep_id: str | None = None
    sweep_scope_id: str | None = None
    outcome: AccountOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClaimed:
    """The account is ours to sweep until `expires_at`.

    Attributes:
        account: Twelve digits.
        run: The run that it is swept for.
        owner: A random token of this very claim.
        expires_at: Aware, UTC.
    """

    account: str
    run: SweepRun
    owner: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDone:
    """It was gone over since the run began, with the same scope: nothing to do.

    Attributes:
        account: Twelve digits.
        outcome: What was found.
    """

    account: str
    outcome: AccountOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHeld:
    """Another process sweeps it at the moment.

    Attributes:
        account: Twelve digits.
        until: From then on it may be claimed, unless the other goes on (aware, UTC).
    """

    account: str
    until: datetime


AccountClaim = AccountClaimed | AccountDone | AccountHeld
