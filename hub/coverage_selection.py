"""Which functions a list of coverage shall have, and how they are read."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from hub.coverage import CoverageState
from hub.coverage_reading import CoverageReader
from hub.standing import CoverageRow


def stated_reason(row: CoverageRow) -> str:
    """Why the function is in its state: also where the ledger keeps no reason, since the result is reason enough."""
    if row.reason or row.result_at is None:
        return row.reason
    return f"scanned {row.result_at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which functions a list shall have.

    Attributes:
        accounts: Any if empty.
        regions: Any if empty.
        states: Any if empty.
        reason: A text that the reason has in it, in whatever case; any if empty.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    states: tuple[CoverageState, ...] = ()
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.accounts or self.regions or self.states or self.reason)

    @property
    def is_by_function(self) -> bool:
        """Whether single functions have to be looked at, not accounts alone."""
        return bool(self.regions or self.states or self.reason)

    def has(self, row: CoverageRow) -> bool:
        """Whether the function is among them."""
        return (
            (not self.accounts or row.function.account in self.accounts)
            and (not self.regions or row.function.region in self.regions)
            and (not self.states or row.state in self.states)
            and self.reason.casefold() in stated_reason(row).casefold()
        )


async def selected(
    reader: CoverageReader, selection: Selection, accounts: Collection[str]
) -> AsyncIterator[CoverageRow]:
    """The functions of a selection: state by state where it names states alone, else account by account.

    A state that most functions are in is as many pages as there are of them; one that names a fault is few.

    Args:
        reader: The ledger's indexes.
        selection: Which ones.
        accounts: All that are known, for a selection that names none.
    """
    pages = _by_state(reader, selection) if _is_by_state(selection) else _by_account(reader, selection, accounts)
    async for page in pages:
        for row in filter(selection.has, page):
            yield row


async def counted(
    rows: AsyncIterable[CoverageRow], key: Callable[[CoverageRow], str]
) -> Mapping[str, Mapping[CoverageState, int]]:
    """How many of the functions are in which state, by what `key` says of each; sorted by that."""
    groups: defaultdict[str, Counter[CoverageState]] = defaultdict(Counter)
    async for row in rows:
        groups[key(row)][row.state] += 1
    return dict(sorted(groups.items()))


def _is_by_state(selection: Selection) -> bool:
    return bool(selection.states) and not selection.accounts


async def _by_state(reader: CoverageReader, selection: Selection) -> AsyncIterator[Sequence[CoverageRow]]:
    for state in selection.states:
        async for page in reader.in_state(state):
            yield page


async def _by_account(
    reader: CoverageReader, selection: Selection, accounts: Collection[str]
) -> AsyncIterator[Sequence[CoverageRow]]:
    regions: Sequence[str | None] = sorted(selection.regions) or [None]
    for account in sorted(selection.accounts or accounts):
        for region in regions:
            async for page in reader.rows(account, region=region):
                yield page
