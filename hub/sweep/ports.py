"""What a sweep needs of the world, as protocols.

Each has an AWS adapter (in `spoke/` or `hub/`) and an in-memory one (in `worker/memory/`); both pass the contract tests
in `tests/contracts/`. Every method may raise `Throttled` or `Unavailable` besides what it names.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from hub.coverage import Coverage
from hub.message import Depth
from hub.service_notes import Pause
from hub.standing import CoverageRow, Standing
from hub.sweeps import AccountClaim, AccountClaimed, AccountNote, AccountOutcome, SweepCounts, SweepRun, SweepScope
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot


class Estate(Protocol):
    """What the member accounts have, each seen through its own role, at a rate far below Lambda's limits."""

    async def regions(self, account: str) -> Sequence[str]:
        """The regions that are enabled in this account, sorted.

        Raises:
            NoAccess: The role cannot be assumed, or may not ask.
        """
        ...

    def functions(self, account: str, region: str) -> AsyncIterator[Sequence[FunctionSnapshot]]:
        """Every function, in pages of at most 50 as ListFunctions gives them; without tags (None).

        Raises:
            NoAccess: The role cannot be assumed, or may not list them.
        """
        ...

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        """The functions that carry a tag of this key, by name, with its value. May be minutes behind.

        Raises:
            NoAccess: The role may not ask.
        """
        ...

    async def excluded(self, account: str, region: str, tag: str) -> frozenset[str]:
        """The names of the functions that carry this tag with any value but `false` (see `spoke.tags.is_excluded`).

        Raises:
            NoAccess: The role may not ask.
        """
        ...

    async def versions(self, functions: Sequence[FunctionArn]) -> Sequence[FunctionSnapshot]:
        """The published versions of these functions to which an alias or a provisioned concurrency points.

        Args:
            functions: All of one account and region, best all that there are: each call lists the place anew.

        Returns:
            Each `arn` has the version's number as its qualifier.

        Raises:
            NoAccess: The role may not ask.
        """
        ...


class SweepLedger(Protocol):
    """Of the ledger's functions, what a sweep reads and writes."""

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        """What is known of these functions, read consistently, a hundred in a call; unknown ones are left out."""
        ...

    def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region), in pages, by region and name. May miss the last second.

        Args:
            account: Twelve digits.
            region: Only its functions.
            without: These are left out.
        """
        ...

    async def replace(self, coverage: Coverage, *, seen: Standing | None) -> bool:
        """Set a function's coverage if it still is as it was `seen` (None: unknown then), whatever its `as_of`.

        Returns:
            Whether it was set; False means that somebody wrote meanwhile, and knows better.
        """
        ...

    async def record(self, coverage: Coverage) -> bool:
        """See `worker.ports.Ledger.record`."""
        ...


class SweepRegister(Protocol):
    """Of what the service writes down of itself, what a sweep needs."""

    async def begin_sweep(self, scope: SweepScope, *, now: datetime, adopt_within: timedelta) -> SweepRun:
        """The unfinished run of this scope that began within `adopt_within`, or a new one that begins now."""
        ...

    async def note_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """How far the run is, by this process's count, for whoever looks on. The newest word stands."""
        ...

    async def finish_sweep(self, run: SweepRun, counts: SweepCounts, *, accounts: int, now: datetime) -> None:
        """The run is done: a sweep of the same scope begins anew from now on."""
        ...

    def sweeps(self) -> AsyncIterator[SweepRun]:
        """The runs of the last 90 days, the newest first."""
        ...

    async def claim_account(self, run: SweepRun, account: str, *, now: datetime, duration: timedelta) -> AccountClaim:
        """Take the account for this run, unless it was done since the run began or somebody else is at it."""
        ...

    async def renew_account(self, claim: AccountClaimed, *, now: datetime, duration: timedelta) -> AccountClaimed:
        """The claim, prolonged.

        Raises:
            LeaseLost: It is not ours any more.
        """
        ...

    async def complete_account(self, claim: AccountClaimed, outcome: AccountOutcome, *, now: datetime) -> None:
        """The account was gone over to its end; the claim ends. A claim that was lost is no error: another does it."""
        ...

    async def release_account(self, claim: AccountClaimed) -> None:
        """Give the account up, not done. One that is not ours any more is left alone."""
        ...

    def accounts(self) -> AsyncIterator[AccountNote]:
        """Every account that a worker or a sweep has seen, by id."""
        ...

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused."""
        ...


class SweepQueue(Protocol):
    """Where requests go."""

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Put (body, group) pairs into the queue, ten in a call; the group is the account.

        Returns:
            Those that were not taken.
        """
        ...

    async def depth(self) -> Depth:
        """How much lies in it."""
        ...
