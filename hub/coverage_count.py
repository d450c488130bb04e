"""How many functions are in which state, counted as the ledger's pages come in.

What is kept grows with accounts, regions, runtimes and reasons, never with the functions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.coverage import CoverageState
from hub.ledger_schema import moment
from spoke.errors import Misconfigured

NO_RUNTIME = "unknown"
"""The runtime of a function that nobody has seen itself: its account refuses, or a name excludes it."""

OTHER_REASONS = "(other reasons)"
"""What reasons are counted as, once `MOST_REASONS` are known."""

MOST_REASONS = 1000
"""Distinct pairs of state and reason that are counted apart. A reason may name a scan or a moment, so that a million
functions have a million of them."""

_NOT_AGEING = frozenset({CoverageState.GONE.value, CoverageState.EXCLUDED.value})

Entry = tuple[str, str, str | None, str]
"""State, region, runtime and reason of one function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCounts:
    """Numbers of functions; every mapping adds up to `functions`. Those that are gone count too, as `GONE`.

    Attributes:
        by_account: By account and state. An account that was asked for and has no function has an empty mapping.
        by_region: By region and state.
        by_runtime: By runtime and state; `unknown` where nobody has seen the function itself.
        by_reason: By state and reason (empty where there is none).
        oldest: By account, when the oldest last good result was completed (aware, UTC), of the functions that are
            neither gone nor excluded; accounts without a result are left out.
    """

    by_account: Mapping[str, Mapping[CoverageState, int]]
    by_region: Mapping[str, Mapping[CoverageState, int]]
    by_runtime: Mapping[str, Mapping[CoverageState, int]]
    by_reason: Mapping[tuple[CoverageState, str], int]
    oldest: Mapping[str, datetime]

    @property
    def by_state(self) -> Mapping[CoverageState, int]:
        """States that no function is in are left out."""
        total: Counter[CoverageState] = Counter()
        for states in self.by_account.values():
            total.update(states)
        return {state: total[state] for state in CoverageState if total[state]}

    @property
    def functions(self) -> int:
        """All that the ledger knows."""
        return sum(self.by_state.values())


class CoverageTally:
    """Adds pages up.

    Args:
        accounts: Those that are counted.
    """

    def __init__(self, accounts: Iterable[str]) -> None:
        self._accounts: dict[str, Counter[str]] = {account: Counter() for account in accounts}
        self._regions: dict[str, Counter[str]] = defaultdict(Counter)
        self._runtimes: dict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._oldest: dict[str, int] = {}

    def add(self, account: str, entries: Iterable[Entry], results: Iterable[tuple[str, int]]) -> None:
        """One page.

        Args:
            account: Of all functions of the page.
            entries: One for each function.
            results: State, and when the last good result was completed (milliseconds), of each that has one.
        """
        states = self._accounts[account]
        # Some ten thousand functions of a page come down to some ten kinds.
        for (state, region, runtime, reason), number in Counter(entries).items():
            states[state] += number
            self._regions[region][state] += number
            self._runtimes[runtime or NO_RUNTIME][state] += number
            self._reasons[self._kept(state, reason)] += number
        oldest = min((at for state, at in results if state not in _NOT_AGEING), default=None)
        if oldest is not None:
            self._oldest[account] = min(oldest, self._oldest.get(account, oldest))

    def counts(self) -> CoverageCounts:
        """So far.

        Raises:
            Misconfigured: There is a state that this version does not know.
        """
        try:
            return CoverageCounts(
                by_account=_by_state(self._accounts),
                by_region=_by_state(self._regions),
                by_runtime=_by_state(self._runtimes),
                by_reason={
                    (CoverageState(state), reason): number for (state, reason), number in sorted(self._reasons.items())
                },
                oldest={account: moment(at) for account, at in sorted(self._oldest.items())},
            )
        except ValueError as error:
            raise Misconfigured(f"the ledger has a state that this scanhub does not know: {error}") from error

    def _kept(self, state: str, reason: str) -> tuple[str, str]:
        known = (state, reason)
        return known if known in self._reasons or len(self._reasons) < MOST_REASONS else (state, OTHER_REASONS)


def _by_state(counted: Mapping[str, Counter[str]]) -> dict[str, Mapping[CoverageState, int]]:
    return {
        name: {CoverageState(state): number for state, number in sorted(states.items())}
        for name, states in sorted(counted.items())
    }
