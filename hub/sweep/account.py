"""One account: its regions, each gone over; what is gone or outlived; what was found."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import structlog

from hub.sweep.course import Course
from hub.sweep.left_out import settle_excluded
from hub.sweep.listing import Place
from hub.sweep.patience import together
from hub.sweep.place import PlaceFound, sweep_place
from hub.sweep.silence import Question
from hub.sweep.slots import AccountSlots
from hub.sweep.tally import Tally
from hub.sweep.unlisted import settle_refused, settle_unlisted
from hub.sweeps import AccountOutcome, RegionOutcome
from spoke.errors import Misconfigured, ScanhubError

log = structlog.get_logger()


async def go_over(account: str, course: Course, tally: Tally) -> AccountOutcome:
    """Go over every place of one account. What the account refuses is told in the outcome.

    Raises:
        Misconfigured: The ledger or the queue may not be used, or we have no credentials at all.
        Throttled, Unavailable: The ledger or the queue do not answer, in spite of patience.
    """
    outcome = await _gone_over(account, course, tally)
    await settle_excluded(account, course, tally)
    return replace(outcome, counts=tally.counts(accounts=1))


async def _gone_over(account: str, course: Course, tally: Tally) -> AccountOutcome:
    slots = course.slots.of_account()
    try:
        regions = await _regions(account, slots, course, tally)
    except Misconfigured:
        raise
    except ScanhubError as error:
        return await _refused(account, error.text, course, tally)
    found = await together(_place(account, region, slots, course, tally) for region in regions)
    await settle_unlisted(account, {place.region: place for place in found}, slots, course, tally)
    return AccountOutcome(
        regions={
            place.region: RegionOutcome(functions=len(place.listed or ()), problem=place.problem) for place in found
        }
    )


async def _regions(account: str, slots: AccountSlots, course: Course, tally: Tally) -> Sequence[str]:
    named = course.scope.regions or course.world.settings.sweep_regions
    if named:
        return sorted(set(named))
    tally.calls += 1
    ask = partial(course.world.estate.regions, account)
    async with slots.taken() as slot:
        return await course.silence.answer(Question.REGIONS, account, "", slot, ask)


async def _place(account: str, region: str, slots: AccountSlots, course: Course, tally: Tally) -> PlaceFound:
    async with slots.taken() as slot:
        return await sweep_place(Place(account=account, region=region, slot=slot, tally=tally), course)


async def _refused(account: str, problem: str, course: Course, tally: Tally) -> AccountOutcome:
    if account in course.world.settings.exclude_accounts:
        return AccountOutcome()  # where nothing is to be scanned, no role is needed
    log.warning("account not swept", account=account, reason=problem)
    tally.failed += 1
    await settle_refused(account, problem, course, tally)
    return AccountOutcome(problem=problem)
