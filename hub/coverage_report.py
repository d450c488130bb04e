"""How well the organization is covered: by state, account by account, and how fast changes were scanned."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from hub.coverage import RESULTS, CoverageState
from hub.coverage_count import CoverageCounts
from hub.coverage_reading import CoverageReader
from hub.service_notes import ObjectiveDay
from hub.sightings import Sighting
from hub.sweeps import AccountNote

NOT_TO_COVER = frozenset({CoverageState.GONE, CoverageState.EXCLUDED})
"""What needs no result: it is not there any more, or somebody has said so."""

States = Mapping[CoverageState, int]


class Notes(Protocol):
    """Of what the service writes down of itself, what the report needs; see `worker.ports.Register`."""

    def accounts(self) -> AsyncIterator[AccountNote]:
        """Every account that a worker or a sweep has seen, by id."""
        ...

    def objective(self) -> AsyncIterator[ObjectiveDay]:
        """The days that are kept, the newest first."""
        ...


class Sightings(Protocol):
    """Where the hub has noted what it heard; see `worker.ports.Ledger`."""

    def sightings(self) -> AsyncIterator[Sighting]:
        """When each account and region was last heard of."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """How many of those that need a fresh result have one.

    Attributes:
        covered: `COVERED` and `PARTIAL`: a result is stored, and is not stale by the ledger's word.
        of: All that are neither gone nor excluded.
    """

    covered: int
    of: int

    @classmethod
    def among(cls, states: States) -> "Share":
        """Of functions counted by state."""
        return cls(
            covered=sum(states.get(state, 0) for state in RESULTS),
            of=sum(number for state, number in states.items() if state not in NOT_TO_COVER),
        )

    @property
    def value(self) -> float | None:
        """0 to 1; None where there is nothing to cover."""
        return self.covered / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCoverage:
    """One account.

    Attributes:
        account: Twelve digits.
        states: Its functions by state.
        last_event_at: When the newest change event that has reached the hub from there happened (aware, UTC); or None.
        swept_at: When a sweep last went over it (aware, UTC); None if none has.
        oldest_result_at: When the oldest result of its functions was completed (aware, UTC); None where there is none.
        problems: Why the last sweep could not list it, by region; the empty region is the whole account.
    """

    account: str
    states: States
    last_event_at: datetime | None = None
    swept_at: datetime | None = None
    oldest_result_at: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def share(self) -> Share:
        """See there."""
        return Share.among(self.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """The whole.

    Attributes:
        counts: Of all accounts that were asked for.
        accounts: By id.
        objective: The days that are kept, the newest first.
    """

    counts: CoverageCounts
    accounts: tuple[AccountCoverage, ...]
    objective: tuple[ObjectiveDay, ...]

    @property
    def share(self) -> Share:
        """Of all."""
        return Share.among(self.counts.by_state)


async def known_accounts(notes: Notes, sightings: Sightings) -> frozenset[str]:
    """Every account that a worker, a sweep or an event has told of."""
    heard = {sighting.account async for sighting in sightings.sightings()}
    return frozenset(heard | {note.account async for note in notes.accounts()})


async def report(
    reader: CoverageReader, notes: Notes, sightings: Sightings, *, accounts: Collection[str] = ()
) -> CoverageReport:
    """Read what there is to tell: a page a thousand accounts, and the index of each account.

    Args:
        reader: The ledger's indexes.
        notes: The register.
        sightings: The ledger.
        accounts: Only these; none means all that are known.

    Raises:
        Throttled, Unavailable, Misconfigured: The ledger cannot be read.
    """
    heard: dict[str, datetime] = {}
    async for sighting in sightings.sightings():
        heard[sighting.account] = max(sighting.event_at, heard.get(sighting.account, sighting.event_at))
    noted = {note.account: note async for note in notes.accounts()}
    wanted = sorted(accounts or heard.keys() | noted.keys())
    counts = await reader.counts(wanted)
    return CoverageReport(
        counts=counts,
        accounts=tuple(
            AccountCoverage(
                account=account,
                states=counts.by_account.get(account, {}),
                last_event_at=heard.get(account),
                swept_at=noted[account].swept_at if account in noted else None,
                oldest_result_at=counts.oldest.get(account),
                problems=_problems(noted.get(account)),
            )
            for account in wanted
        ),
        objective=tuple([day async for day in notes.objective()]),
    )


def _problems(note: AccountNote | None) -> Mapping[str, str]:
    if note is None or note.outcome is None:
        return {}
    whole = {"": note.outcome.problem} if note.outcome.problem else {}
    return whole | {region: found.problem for region, found in note.outcome.regions.items() if found.problem}
