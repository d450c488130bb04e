"""What came of a sweep, for whoever has started it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from hub.sweep.decision import Why
from hub.sweeps import AccountOutcome, SweepCounts, SweepRun, SweepScope
from spoke.arn import FunctionArn

PLANNED_KEPT = 10_000
"""Functions that a dry run names; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """One account, without what went well in its regions: ten thousand of these are kept.

    Attributes:
        account: Twelve digits.
        counts: Of this account.
        problem: Why nothing of it could be listed, in one line; else empty.
        regions: Why some of them could not be gone over, by region.
        is_listed: Whether any of it could be listed.
    """

    account: str
    counts: SweepCounts = field(default_factory=SweepCounts)
    problem: str = ""
    regions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_listed: bool = True

    @classmethod
    def of(cls, account: str, outcome: AccountOutcome) -> "AccountResult":
        """From what the register keeps."""
        problems = {region: found.problem for region, found in outcome.regions.items() if found.problem}
        # A region in which something was listed may have a problem all the same: the queue did not take it.
        is_listed = not outcome.problem and (
            not outcome.regions or any(not found.problem or found.functions for found in outcome.regions.values())
        )
        return cls(
            account=account, counts=outcome.counts, problem=outcome.problem, regions=problems, is_listed=is_listed
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be gone over.

    Attributes:
        account: Twelve digits.
        region: Empty where it is the whole account.
        text: One line.
    """

    account: str
    region: str
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What a sweep would queue, and why."""

    function: FunctionArn
    why: Why


@dataclass(slots=True)
class Plan:
    """What a dry run has found to queue: all of it counted, the first ones named."""

    named: list[Planned] = field(default_factory=list)
    unnamed: int = 0

    def add(self, function: FunctionArn, why: Why) -> None:
        """One more function."""
        if len(self.named) < PLANNED_KEPT:
            self.named.append(Planned(function, why))
        else:
            self.unnamed += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """The result of a sweep. That some account failed is told here, not raised.

    Attributes:
        run: None with a dry run, and where a sweep did not begin.
        scope: What it was to go over.
        counts: Of all accounts of the run, also of those that another process or an earlier try went over.
        accounts: By account, in the order in which they were done.
        listed_accounts: How many accounts it was about.
        started_at: When the run began, maybe by an earlier try (aware, UTC).
        finished_at: When this process was done with it.
        duration: Seconds that this process was at it.
        dry_run: Whether nothing was claimed, written, sent or noted.
        planned: With a dry run: what would be queued, at most `PLANNED_KEPT`.
        planned_unnamed: With a dry run: how many more.
        stopped: Why it did not begin, or ended before its time (somebody has paused the service); else empty. The run
            then goes on with the next sweep of the same scope.
        summary_key: Of the summary in the results bucket; empty where none was stored.
    """

    run: SweepRun | None
    scope: SweepScope
    counts: SweepCounts
    accounts: tuple[AccountResult, ...]
    listed_accounts: int
    started_at: datetime
    finished_at: datetime
    duration: float
    dry_run: bool = False
    planned: tuple[Planned, ...] = ()
    planned_unnamed: int = 0
    stopped: str = ""
    summary_key: str = ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """By account and region."""
        return tuple(_problems(self.accounts))

    @property
    def is_complete(self) -> bool:
        """Whether every account and region was gone over."""
        return not self.stopped and not self.problems

    @property
    def saw_nothing(self) -> bool:
        """Whether there were accounts, and not one of them let itself be listed; or the sweep was stopped before."""
        return bool(self.accounts or self.stopped) and not any(one.is_listed for one in self.accounts)


def _problems(accounts: tuple[AccountResult, ...]) -> Iterator[Problem]:
    for one in sorted(accounts, key=lambda result: result.account):
        if one.problem:
            yield Problem(one.account, "", one.problem)
        for region, text in sorted(one.regions.items()):
            yield Problem(one.account, region, text)
