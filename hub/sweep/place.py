"""One account and region: listed, looked up, decided, written down, queued."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.decision import Why
from hub.sweep.listing import Place, list_place
from hub.sweep.pace import AT_ONCE
from hub.sweep.patience import in_tens, unbroken, with_hub
from hub.sweep.report import Plan
from hub.sweep.roll import Roll
from hub.sweep.verdicts import Decided, settle
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, ScanhubError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFound:
    """What came of one place.

    Attributes:
        region: Its name.
        began: When its list began (aware, UTC).
        listed: What is there; None where it could not be listed to its end: what is missing then means nothing.
        has_versions: Whether `listed` has every version that is swept.
        versions_problem: Why it has not, in one line; empty where it has, or where nobody wants them.
        problem: All that went wrong, in one line; empty where all went well.
    """

    region: str
    began: datetime
    listed: Collection[FunctionArn] | None = None
    has_versions: bool = False
    versions_problem: str = ""
    problem: str = ""


async def sweep_place(place: Place, course: Course) -> PlaceFound:
    """Go over one place.

    Raises:
        Misconfigured: The ledger or the queue may not be used.
        Throttled, Unavailable: They do not answer, in spite of patience.
    """
    began = course.world.clock.now()
    try:
        listing = await list_place(place, course)
    except Misconfigured:
        raise
    except ScanhubError as error:
        return _unlisted(place, began, error.text, course)
    began = listing.began
    listed = Roll(one.function for one in listing.entries)
    without_versions = listing.versions_problem
    due = await settle(listing.entries, place, course)
    # To send may take hours, at the pace set: of the rest nothing is kept for that.
    del listing
    unsent = ""
    if course.plan is None:
        unsent = await _queue(due, course, place)
    else:
        _note(due, course.plan, place)
    problem = "; ".join(filter(None, (without_versions and f"versions: {without_versions}", unsent)))
    place.tally.failed += bool(problem)
    return PlaceFound(
        region=place.region,
        began=began,
        listed=listed,
        has_versions=course.world.settings.sweep_versions and not without_versions,
        versions_problem=without_versions,
        problem=problem,
    )


def _unlisted(place: Place, began: datetime, problem: str, course: Course) -> PlaceFound:
    if place.account in course.world.settings.exclude_accounts:
        problem = ""  # an account in which nothing is to be scanned need not have our role
    else:
        log.warning("place not listed", account=place.account, region=place.region, reason=problem)
    place.tally.failed += bool(problem)
    return PlaceFound(region=place.region, began=began, problem=problem)


async def _queue(due: Sequence[Decided], course: Course, place: Place) -> str:
    """Queue what is due, at the pace set. Returns why some of it was not taken, in one line, or an empty text."""
    unsent = 0
    for start in range(0, len(due), AT_ONCE):
        batch = due[start : start + AT_ONCE]
        await course.pace.wait(len(batch))
        unsent += await unbroken(_send(batch, course, place))
    return f"the queue did not take {unsent} of {len(due)} requests" if unsent else ""


async def _send(batch: Sequence[Decided], course: Course, place: Place) -> int:
    """Send first, then note it: broken off in between, a message too many is there, and no function waits in vain."""
    requests = {wording.request(one.listed.function, _why(one)): one for one in batch}
    place.tally.calls += 1
    refused = set(await with_hub(partial(course.world.queue.send_all, list(requests))))
    sent = [one for request, one in requests.items() if request not in refused]
    now = course.world.clock.now()
    notes = [wording.queued(one.listed, one.standing, _why(one), now) for one in sent]
    place.tally.calls += len(notes)
    await in_tens(
        [
            # False: a worker has written meanwhile, who knows better than the list.
            partial(course.world.ledger.replace, note, seen=one.standing)
            for one, note in zip(sent, notes, strict=True)
        ]
    )
    place.tally.queued.update(_why(one) for one in sent)
    return len(refused)


def _note(due: Sequence[Decided], plan: Plan, place: Place) -> None:
    for one in due:
        plan.add(one.listed.function, _why(one))
        place.tally.queued[_why(one)] += 1


def _why(one: Decided) -> Why:
    if one.decision.why is None:
        raise AssertionError("what is queued is queued for a reason")
    return one.decision.why
