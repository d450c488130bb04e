"""What the ledger knows and a list did not show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from hub.coverage import CoverageState
from hub.standing import CoverageRow
from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.listing import Place, list_place
from hub.sweep.patience import in_tens, with_hub
from hub.sweep.place import PlaceFound
from hub.sweep.slots import AccountSlots
from hub.sweep.tally import Tally
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, ScanhubError

log = structlog.get_logger()

Verdict = Callable[[CoverageRow], tuple[str, datetime] | None]
"""Why a function is gone, and when it was looked for; None where it is not, or where that is not known."""


async def settle_missing(
    rows: Sequence[CoverageRow], found: Mapping[str, PlaceFound], course: Course, tally: Tally
) -> None:
    """Write down which of these are gone, by what was found in their places.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    await _write(_gone(rows, partial(missing, found)), course, tally)


async def settle_closed(account: str, began: datetime, course: Course, tally: Tally) -> None:
    """Write down that everything of an account is gone which is not active in the organization any more.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    await _settle(account, partial(closed, began), course, tally)


def missing(found: Mapping[str, PlaceFound], row: CoverageRow) -> tuple[str, datetime] | None:
    """Whether a place was listed to its end without this function, or without this version."""
    place = found.get(row.function.region)
    # What is cheap to tell comes first: of what went long ago there may be more than of what is there.
    if place is None or place.listed is None or not _is_older(row, place.began) or row.function in place.listed:
        return None
    if row.function.unqualified not in place.listed:
        return "a sweep did not find it", place.began
    if not place.has_versions:
        # Somebody asked for this version by hand, or versions are not swept any more.
        return None
    return "no alias points to this version, or the function itself runs the same code", place.began


def closed(began: datetime, row: CoverageRow) -> tuple[str, datetime] | None:
    """Everything that was not written since the sweep began."""
    return ("its account is not active in the organization", began) if _is_older(row, began) else None


async def looked_again(
    account: str, before: PlaceFound, slots: AccountSlots, course: Course, tally: Tally
) -> PlaceFound:
    """As what was found before, but with what is there now; nothing is missing where that cannot be told."""
    async with slots.taken() as slot:
        try:
            listing = await list_place(Place(account=account, region=before.region, slot=slot, tally=tally), course)
        except Misconfigured:
            raise
        except ScanhubError as error:
            log.warning(
                "what is gone is left for the next sweep", account=account, region=before.region, reason=error.text
            )
            return replace(before, listed=None, problem=error.text)
    return replace(
        before,
        listed=frozenset(one.function for one in listing.entries),
        has_versions=before.has_versions and not listing.versions_problem,
        versions_problem=before.versions_problem or listing.versions_problem,
    )


def _is_older(row: CoverageRow, began: datetime) -> bool:
    """Whether it was written before the list began; who has written since has seen the function."""
    return row.state is not CoverageState.GONE and row.at < began


async def _settle(account: str, verdict: Verdict, course: Course, tally: Tally) -> None:
    # Broken off, the query begins anew: what was written by then is not there any more to be written twice.
    await with_hub(partial(_once, account, verdict, course, tally))


async def _once(account: str, verdict: Verdict, course: Course, tally: Tally) -> None:
    tally.calls += 1
    async for page in course.world.ledger.rows(account):
        await _write(_gone(page, verdict), course, tally)


def _gone(rows: Sequence[CoverageRow], verdict: Verdict) -> Sequence[tuple[FunctionArn, str, datetime]]:
    return [(row.function, *of) for row in rows if (of := verdict(row)) is not None]


async def _write(gone: Sequence[tuple[FunctionArn, str, datetime]], course: Course, tally: Tally) -> None:
    if course.plan is not None:
        tally.gone += len(gone)
        return
    now = course.world.clock.now()
    writes = [
        partial(course.world.ledger.record, wording.gone(function, reason, began=began, now=now))
        for function, reason, began in gone
    ]
    tally.calls += len(writes)
    tally.gone += sum(await in_tens(writes))
