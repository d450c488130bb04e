"""What the ledger knows and a list did not show."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from hub.coverage import CoverageState
from hub.standing import CoverageRow
from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.patience import in_tens, with_hub
from hub.sweep.place import PlaceFound
from hub.sweep.tally import Tally

Verdict = Callable[[CoverageRow], tuple[str, datetime] | None]
"""Why a function is gone, and when it was looked for; None where it is not, or where that is not known."""


async def settle_gone(account: str, found: Mapping[str, PlaceFound], course: Course, tally: Tally) -> None:
    """Write down what is gone from the places that were listed to their end: one query for the whole account.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    if any(place.listed is not None for place in found.values()):
        await _settle(account, partial(missing, found), course, tally)


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
    if place is None or place.listed is None or row.function in place.listed or not _is_older(row, place.began):
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


def _is_older(row: CoverageRow, began: datetime) -> bool:
    """Whether it was written before the list began; who has written since has seen the function."""
    return row.state is not CoverageState.GONE and row.at < began


async def _settle(account: str, verdict: Verdict, course: Course, tally: Tally) -> None:
    # Broken off, the query begins anew: what was written by then is not there any more to be written twice.
    await with_hub(partial(_once, account, verdict, course, tally))


async def _once(account: str, verdict: Verdict, course: Course, tally: Tally) -> None:
    tally.calls += 1
    async for page in course.world.ledger.rows(account):
        now = course.world.clock.now()
        gone = [(row.function, of) for row in page if (of := verdict(row)) is not None]
        if course.plan is not None:
            tally.gone += len(gone)
            continue
        writes = [
            partial(course.world.ledger.record, wording.gone(function, reason, began=began, now=now))
            for function, (reason, began) in gone
        ]
        tally.calls += len(writes)
        tally.gone += sum(await in_tens(writes))
