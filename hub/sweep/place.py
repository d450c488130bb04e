"""One account and region: listed, looked up, decided, written down, queued."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from hub.coverage import CoverageState
from hub.standing import Standing
from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.decision import Decision, Listed, Verdict, Why, decide
from hub.sweep.listing import PATIENCE, Listing, Place, list_place
from hub.sweep.pace import AT_ONCE
from hub.sweep.patience import in_tens, unbroken, with_hub, with_spoke
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
        problem: One line; empty where all went well.
    """

    region: str
    began: datetime
    listed: frozenset[FunctionArn] | None = None
    has_versions: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Decided:
    listed: Listed
    standing: Standing | None
    decision: Decision


async def sweep_place(place: Place, course: Course) -> PlaceFound:
    """Go over one place.

    Raises:
        Misconfigured: The ledger or the queue may not be used.
        Throttled, Unavailable: They do not answer, in spite of patience.
    """
    began = course.world.clock.now()
    try:
        listing = await list_place(place, course)
    except TimeoutError:
        return _unlisted(place, began, f"no answer for {PATIENCE / 60:.0f} minutes", course)
    except Misconfigured:
        raise
    except ScanhubError as error:
        return _unlisted(place, began, error.text, course)
    decided = await _decided(listing, place, course)
    for one in decided:
        place.tally.decided(one.decision)
    problem = listing.versions_problem and f"versions: {listing.versions_problem}"
    if course.plan is None:
        await _exclude(decided, course, place)
        problem = await _queue(decided, course, place) or problem
    else:
        _note(decided, course, place)
    place.tally.failed += bool(problem)
    return PlaceFound(
        region=place.region,
        began=listing.began,
        listed=frozenset(one.function for one in listing.entries),
        has_versions=course.world.settings.sweep_versions and not listing.versions_problem,
        problem=problem,
    )


def _unlisted(place: Place, began: datetime, problem: str, course: Course) -> PlaceFound:
    if place.account in course.world.settings.exclude_accounts:
        problem = ""  # an account in which nothing is to be scanned need not have our role
    else:
        log.warning("place not listed", account=place.account, region=place.region, reason=problem)
    place.tally.failed += bool(problem)
    return PlaceFound(region=place.region, began=began, problem=problem)


async def _decided(listing: Listing, place: Place, course: Course) -> Sequence[_Decided]:
    functions = [one.function for one in listing.entries]
    standings = await with_hub(partial(course.lookups.ask, functions)) if functions else {}
    now = course.world.clock.now()

    def all_by(names: frozenset[str] | None) -> list[_Decided]:
        found = []
        for one in listing.entries:
            tagged = None if names is None else one.function.name in names
            standing = standings.get(one.function)
            found.append(_Decided(one, standing, decide(one, standing, course.rules, tagged=tagged, now=now)))
        return found

    decided = all_by(None)
    if not _are_tags_needed(decided, course):
        return decided
    names = await _names_tagged(place, course)
    return decided if names is None else all_by(names)


def _are_tags_needed(decided: Sequence[_Decided], course: Course) -> bool:
    if course.world.settings.sweep_all_tags and decided:
        return True
    return any(one.decision.verdict is Verdict.QUEUE or course.rules.is_by_tag(one.standing) for one in decided)


async def _names_tagged(place: Place, course: Course) -> frozenset[str] | None:
    """The names of the excluded; None where nobody can tell: then it is for the worker to see."""
    place.tally.calls += 1
    ask = partial(course.world.estate.excluded, place.account, place.region, course.world.settings.exclusion_tag)
    async with place.slot.lent_in_silence():
        try:
            async with asyncio.timeout(PATIENCE):
                return await with_spoke(ask)
        except Misconfigured:
            raise
        except (ScanhubError, TimeoutError) as error:
            _log_untagged(place, error, course)
    return None


def _log_untagged(place: Place, error: ScanhubError | TimeoutError, course: Course) -> None:
    if place.account in course.untagged:
        return
    course.untagged.add(place.account)
    log.warning(
        "tags not listed",
        account=place.account,
        region=place.region,
        reason=error.text if isinstance(error, ScanhubError) else "no answer",
        consequence="functions that are excluded by their tag are queued, and left out by the worker",
    )


async def _exclude(decided: Sequence[_Decided], course: Course, place: Place) -> None:
    """Write down who is left out, where that is not known yet."""
    now = course.world.clock.now()
    writes = []
    for one in decided:
        if one.decision.verdict is Verdict.EXCLUDED and not _is_known(one.standing, one.decision.reason):
            coverage = wording.excluded(one.listed, one.standing, one.decision.reason, now)
            writes.append(partial(course.world.ledger.replace, coverage, seen=one.standing))
    place.tally.calls += len(writes)
    await in_tens(writes)


def _is_known(standing: Standing | None, reason: str) -> bool:
    return standing is not None and standing.state is CoverageState.EXCLUDED and standing.reason == reason


async def _queue(decided: Sequence[_Decided], course: Course, place: Place) -> str:
    """Queue what is due, at the pace set. Returns why some of it was not taken, in one line, or an empty text."""
    due = [one for one in decided if one.decision.verdict is Verdict.QUEUE]
    unsent = 0
    for start in range(0, len(due), AT_ONCE):
        batch = due[start : start + AT_ONCE]
        await course.pace.wait(len(batch))
        unsent += await unbroken(_send(batch, course, place))
    return f"the queue did not take {unsent} of {len(due)} requests" if unsent else ""


async def _send(batch: Sequence[_Decided], course: Course, place: Place) -> int:
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


def _note(decided: Sequence[_Decided], course: Course, place: Place) -> None:
    for one in decided:
        if one.decision.verdict is Verdict.QUEUE and course.plan is not None:
            course.plan.add(one.listed.function, _why(one))
            place.tally.queued[_why(one)] += 1


def _why(one: _Decided) -> Why:
    if one.decision.why is None:
        raise AssertionError("what is queued is queued for a reason")
    return one.decision.why
