"""Results that nobody can renew: they are too old, or of another scan profile, and their functions cannot be listed."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hub.coverage import RESULTS, Coverage, CoverageState
from hub.standing import CoverageRow, Standing
from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.decision import renewal
from hub.sweep.lookups import KEYS_A_CALL
from hub.sweep.patience import in_tens, with_hub
from hub.sweep.place import PlaceFound
from hub.sweep.tally import Tally
from spoke.arn import FunctionArn

Hindrance = Callable[[CoverageRow], str]
"""Why a sweep did not list a function, as the end of a sentence; empty where it did, or where it says nothing of it."""


def of_account(problem: str) -> Hindrance:
    """Nothing of the account could be listed."""
    return lambda _: _unlisted(problem)


def of_places(found: Mapping[str, PlaceFound], course: Course) -> Hindrance:
    """Some regions of an account were gone over."""

    def hindrance(row: CoverageRow) -> str:
        place = found.get(row.function.region)
        if place is None:
            # Who asks for some regions says nothing of the others.
            return "" if course.scope.regions else f"its region {row.function.region} is not swept"
        if place.listed is None:
            return _unlisted(place.problem)
        if row.function in place.listed or row.function.unqualified not in place.listed or place.has_versions:
            return ""
        if not course.world.settings.sweep_versions:
            return "versions are not swept"
        return _unlisted(place.versions_problem)

    return hindrance


async def outlive(rows: Sequence[CoverageRow], hindrance: Hindrance, course: Course, tally: Tally) -> int:
    """Write down of each result that is not good any more that it is so, and why it is not renewed.

    Only results are looked up: what has none says already why. What is known to be outlived for the same reason is
    left as it is; what somebody has written meanwhile stands. In a dry run nothing is written.

    Returns:
        How many there are, with those that were known.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    why = {row.function: text for row in rows if _may_be(row.state, row.reason) and (text := hindrance(row))}
    known = {row.function for row in rows if row.function in why and _is_known(row, why[row.function])}
    asked = [function for function in why if function not in known]
    number = len(known)
    for start in range(0, len(asked), KEYS_A_CALL):
        number += await _outlived(asked[start : start + KEYS_A_CALL], why, course, tally)
    return number


async def _outlived(
    functions: Sequence[FunctionArn], why: Mapping[FunctionArn, str], course: Course, tally: Tally
) -> int:
    standings = await with_hub(partial(course.lookups.ask, functions))
    notes = [
        (note, standing)
        for function, standing in standings.items()
        if (note := _note(standing, why[function], course)) is not None
    ]
    # The index that the rows are from may be a moment behind.
    news = [(note, standing) for note, standing in notes if note.reason != standing.reason]
    if course.plan is not None:
        return len(notes)
    tally.calls += len(news)
    written = await in_tens([partial(course.world.ledger.replace, note, seen=standing) for note, standing in news])
    return len(notes) - len(news) + sum(written)


def _note(standing: Standing, hindrance: str, course: Course) -> Coverage | None:
    now = course.world.clock.now()
    if not _may_be(standing.state, standing.reason) or (why := renewal(standing, course.rules, now)) is None:
        return None
    return wording.outlived(standing, why, hindrance, now)


def _may_be(state: CoverageState, reason: str) -> bool:
    """Whether there is a result that counts, or one of which it was said that it does not."""
    return state in RESULTS or (state is CoverageState.STALE and wording.is_outlived(reason))


def _is_known(row: CoverageRow, hindrance: str) -> bool:
    return row.state is CoverageState.STALE and row.reason.endswith(f", and {hindrance}")


def _unlisted(problem: str) -> str:
    """Without what differs from one sweep to the next: each change would be a write for every function."""
    # What was being done, and AWS's code for what came of it. Its message may name a session or a request.
    told = "no answer" if problem.startswith("no answer") else ": ".join(problem.split(": ")[:2])
    return f"the sweep could not list it: {told}"
