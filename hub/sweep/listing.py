"""What there is in one account and region, listed to its end."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.sweep.course import Course
from hub.sweep.decision import Listed
from hub.sweep.patience import with_spoke
from hub.sweep.silence import Question, Wait
from hub.sweep.slots import Slot
from hub.sweep.tally import Tally
from spoke.errors import Misconfigured, ScanhubError
from spoke.snapshot import FunctionSnapshot

SLOW = 1.0
"""Seconds that a call may well take which is made through half the world, and retried once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One account and region.

    Attributes:
        account: Twelve digits.
        region: Its name.
        slot: The right to work on it.
        tally: Of the account.
    """

    account: str
    region: str
    slot: Slot
    tally: Tally


@dataclass(slots=True, kw_only=True)
class Listing:
    """One list.

    Attributes:
        began: When the first page was asked for (aware, UTC).
        entries: Functions, and the versions that are swept: those that run other code than their function.
        versions_problem: Why the versions are not known; empty where they are, or where nobody wants them.
    """

    began: datetime
    entries: list[Listed] = field(default_factory=list)
    versions_problem: str = ""


def versions_last(functions: int, calls_per_second: float) -> float:
    """Seconds that it may take to learn the versions of so many functions: two calls for each, one after another."""
    return 2 * functions * max(SLOW, 1 / calls_per_second)


async def list_place(place: Place, course: Course) -> Listing:
    """Every page, and with the setting the versions that aliases point to.

    That the versions cannot be learned is told in the listing: the functions are swept all the same.

    Raises:
        Silent: No answer came for as long as is waited.
        ScanhubError: What the account, or the way there, said at the last.
    """

    # A list that broke off cannot be gone on with: it begins anew. The silence before it counts on.
    async def once() -> Listing:
        listing = Listing(began=course.world.clock.now())
        pages = aiter(course.world.estate.functions(place.account, place.region))
        while (page := await _next(pages, place, wait)) is not None:
            place.tally.calls += 1
            listing.entries += map(Listed.of, page)
        return listing

    with course.silence.waited(Question.FUNCTIONS, place.account, place.region) as wait:
        listing = await with_spoke(once)
    if listing.entries and course.world.settings.sweep_versions:
        await _add_versions(listing, place, course)
    return listing


async def _next(
    pages: AsyncIterator[Sequence[FunctionSnapshot]], place: Place, wait: Wait
) -> Sequence[FunctionSnapshot] | None:
    async with wait.answer(place.slot):
        return await anext(pages, None)


async def _add_versions(listing: Listing, place: Place, course: Course) -> None:
    functions = [one.function for one in listing.entries]

    async def once() -> Sequence[FunctionSnapshot]:
        place.tally.calls += 1
        return await course.world.estate.versions(functions)

    try:
        versions = await course.silence.answer(
            Question.VERSIONS,
            place.account,
            place.region,
            place.slot,
            once,
            besides=versions_last(len(functions), course.world.settings.sweep_calls_per_second),
        )
    except Misconfigured:
        raise
    except ScanhubError as error:
        listing.versions_problem = error.text
        await place.slot.regain()
        return
    own = {one.function: one.fingerprint for one in listing.entries}
    for version in map(Listed.of, versions):
        # The same code is scanned once, under the function's own name.
        if version.fingerprint is None or version.fingerprint != own.get(version.function.unqualified):
            listing.entries.append(version)
