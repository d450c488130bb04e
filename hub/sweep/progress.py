"""How far a sweep is, for whoever looks on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from hub.sweep.report import AccountResult
from hub.sweep.tally import Tally
from hub.sweeps import AccountOutcome, SweepCounts
from spoke.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """One look.

    Attributes:
        accounts: How many the sweep is about.
        done: Of them, gone over; by this process, by another, or before an interruption.
        counts: Of these, and of those that are being gone over.
        elapsed: Seconds since this process began.
        functions_per_second: That this process has listed.
        seconds_left: By the accounts that are left, at the rate so far; None before there is a rate.
    """

    accounts: int
    done: int
    counts: SweepCounts
    elapsed: float
    functions_per_second: float
    seconds_left: float | None


class SweepObserver(Protocol):
    """Who is told as a sweep goes on."""

    def progressed(self, progress: SweepProgress) -> None:
        """About once a second, and once at the end."""
        ...


class Progress:
    """Adds up what the accounts yield.

    Args:
        accounts: How many there are.
        clock: Tells the time.
        shared_calls: AWS calls that were made for no single account.
        all_calls: All AWS calls of this process, where somebody counts them: then this is what is told.

    Attributes:
        results: By account, in the order in which they were done.
    """

    def __init__(
        self,
        accounts: int,
        *,
        clock: Clock,
        shared_calls: Callable[[], int],
        all_calls: Callable[[], int] | None = None,
    ) -> None:
        self.results: list[AccountResult] = []
        self._accounts = accounts
        self._clock = clock
        self._began = clock.now()
        self._shared_calls = shared_calls
        self._all_calls = all_calls
        self._calls_before = all_calls() if all_calls is not None else 0
        self._settled = SweepCounts()
        self._calls = 0
        self._others_calls = 0
        self._tallies: dict[int, Tally] = {}
        self._own = 0
        self._own_functions = 0

    def begin(self) -> Tally:
        """The figures of one more account."""
        tally = Tally()
        self._tallies[id(tally)] = tally
        return tally

    def drop(self, tally: Tally) -> None:
        """Somebody else has the account: of ours only the calls count."""
        del self._tallies[id(tally)]
        self._calls += tally.calls

    def settle(self, account: str, outcome: AccountOutcome, tally: Tally) -> None:
        """We have gone over the account."""
        self.drop(tally)
        self._own += 1
        self._own_functions += tally.functions
        self._add(account, outcome)

    def settle_known(self, account: str, outcome: AccountOutcome, tally: Tally) -> None:
        """The account was gone over by another process, or before an interruption."""
        self.drop(tally)
        self._others_calls += outcome.counts.calls
        self._add(account, outcome)

    def settle_closed(self, tally: Tally) -> None:
        """What was found gone with an account that is not one of the sweep's."""
        self.drop(tally)
        self._settled += replace(tally.counts(), calls=0)

    @property
    def counts(self) -> SweepCounts:
        """Of all accounts so far."""
        total = self._settled
        for tally in self._tallies.values():
            total += tally.counts()
        if self._all_calls is not None:
            return replace(total, calls=self._others_calls + self._all_calls() - self._calls_before)
        return replace(total, calls=self._others_calls + self._calls + self._shared_calls() + total.calls)

    @property
    def elapsed(self) -> timedelta:
        """Since the start of this process's part."""
        return self._clock.now() - self._began

    def look(self) -> SweepProgress:
        """How far it is."""
        seconds = self.elapsed.total_seconds()
        done = len(self.results)
        listed = self._own_functions + sum(tally.functions for tally in self._tallies.values())
        return SweepProgress(
            accounts=self._accounts,
            done=done,
            counts=self.counts,
            elapsed=seconds,
            functions_per_second=listed / seconds if seconds else 0.0,
            seconds_left=(self._accounts - done) * seconds / self._own if self._own else None,
        )

    def _add(self, account: str, outcome: AccountOutcome) -> None:
        self._settled += replace(outcome.counts, calls=0)
        self.results.append(AccountResult.of(account, outcome))
