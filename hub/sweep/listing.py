"""What there is in one account and region, listed to its end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.sweep.course import Course
from hub.sweep.decision import Listed
from hub.sweep.patience import with_spoke
from hub.sweep.slots import Slot
from hub.sweep.tally import Tally
from spoke.errors import NoAccess
from spoke.snapshot import FunctionSnapshot

PATIENCE = 300.0
"""Seconds without an answer after which a place is given up."""


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


async def list_place(place: Place, course: Course) -> Listing:
    """Every page, and with the setting the versions that aliases point to.

    Raises:
        TimeoutError: No answer came for `PATIENCE` seconds.
        ScanhubError: What the account, or the way there, said at the last.
    """

    # A list that broke off cannot be gone on with: it begins anew.
    async def once() -> Listing:
        listing = Listing(began=course.world.clock.now())
        snapshots: list[FunctionSnapshot] = []
        pages = aiter(course.world.estate.functions(place.account, place.region))
        while (page := await _next(pages, place)) is not None:
            place.tally.calls += 1
            listing.entries += map(Listed.of, page)
            if course.world.settings.sweep_versions:
                snapshots += page
        if snapshots:
            await _add_versions(listing, snapshots, place, course)
        return listing

    return await with_spoke(once)


async def _next(pages: AsyncIterator[Sequence[FunctionSnapshot]], place: Place) -> Sequence[FunctionSnapshot] | None:
    async with asyncio.timeout(PATIENCE), place.slot.lent_in_silence():
        return await anext(pages, None)


async def _add_versions(listing: Listing, snapshots: Sequence[FunctionSnapshot], place: Place, course: Course) -> None:
    place.tally.calls += 1
    try:
        async with asyncio.timeout(PATIENCE), place.slot.lent_in_silence():
            versions = await course.world.estate.versions(snapshots)
    except NoAccess as error:
        listing.versions_problem = error.text
        return
    own = {one.function: one.fingerprint for one in listing.entries}
    for version in map(Listed.of, versions):
        # The same code is scanned once, under the function's own name.
        if version.fingerprint is None or version.fingerprint != own.get(version.function.unqualified):
            listing.entries.append(version)
