"""What `scanhub coverage` needs of the ledger, as a protocol."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from hub.coverage import CoverageState
from hub.coverage_count import CoverageCounts
from hub.standing import CoverageRow


class CoverageReader(Protocol):
    """Counts and lists of functions, from the ledger's indexes: they may miss what was written within the last second.

    Every method may raise `Throttled`, `Unavailable`, `NoAccess` or `Misconfigured`.
    """

    async def counts(self, accounts: Collection[str]) -> CoverageCounts:
        """How many functions of these accounts are in which state, all accounts at once."""
        ...

    def rows(self, account: str, *, region: str | None = None) -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function known of an account (and region), in pages that are not empty, by region and name."""
        ...

    def in_state(self, state: CoverageState, *, reason: str = "") -> AsyncIterator[Sequence[CoverageRow]]:
        """Every function in a state, in pages that are not empty, what was written last comes last.

        Args:
            state: Only its functions are read.
            reason: Only those whose reason has this text in it, in the same case.
        """
        ...
