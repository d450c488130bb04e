"""What the ledger knows of an account beyond what a sweep has listed: one query tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hub.standing import CoverageRow
from hub.sweep.course import Course
from hub.sweep.gone import looked_again, missing, settle_missing
from hub.sweep.outlived import Hindrance, of_account, of_places, outlive
from hub.sweep.patience import together, with_hub
from hub.sweep.place import PlaceFound
from hub.sweep.slots import AccountSlots
from hub.sweep.tally import Tally


async def settle_refused(account: str, problem: str, course: Course, tally: Tally) -> None:
    """Write down what is outlived in an account of which nothing could be listed.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    beyond = await with_hub(partial(_read, account, {}, of_account(problem), course, tally))
    tally.outlived += beyond.outlived


async def settle_unlisted(
    account: str, found: Mapping[str, PlaceFound], slots: AccountSlots, course: Course, tally: Tally
) -> None:
    """Write down what is gone from the places that were listed to their end, and what is outlived elsewhere.

    Where something is missing, the place is listed once more. Whatever the ledger knew by then was there before that
    list began, whatever the clocks say; and no single list that is short by some mistake makes anything gone.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    is_excluded = account in course.world.settings.exclude_accounts
    if is_excluded and all(place.listed is None for place in found.values()):
        return  # all that is known of it becomes excluded

    def unlisted_in(places: Mapping[str, PlaceFound]) -> Hindrance:
        return _says_nothing if is_excluded else of_places(places, course)

    beyond = await with_hub(partial(_read, account, found, unlisted_in(found), course, tally))
    tally.outlived += beyond.outlived
    regions = sorted({row.function.region for row in beyond.missing})
    again = await together(looked_again(account, found[region], slots, course, tally) for region in regions)
    places = {place.region: place for place in again}
    await settle_missing(beyond.missing, places, course, tally)
    tally.outlived += await outlive(beyond.missing, unlisted_in(places), course, tally)


@dataclass(frozen=True, slots=True)
class _Beyond:
    missing: Sequence[CoverageRow]
    outlived: int


async def _read(
    account: str, found: Mapping[str, PlaceFound], hindrance: Hindrance, course: Course, tally: Tally
) -> _Beyond:
    """Of what was not listed, what may be gone; what is outlived is written down page by page, however much it is.

    Broken off, the query begins anew: what was written by then is known by then.
    """
    tally.calls += 1
    listed = frozenset().union(*(place.listed for place in found.values() if place.listed is not None))
    away: list[CoverageRow] = []
    outlived = 0
    async for page in course.world.ledger.rows(account, without=listed):
        away += [row for row in page if missing(found, row) is not None]
        outlived += await outlive(page, hindrance, course, tally)
    return _Beyond(away, outlived)


def _says_nothing(_: CoverageRow) -> str:
    return ""
