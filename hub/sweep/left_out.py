"""What is known of an excluded account and could not be listed: nobody need enter it to know that it is excluded."""

from functools import partial

from hub import exclusion
from hub.coverage import Coverage, CoverageState
from hub.standing import CoverageRow, Standing
from hub.sweep.course import Course
from hub.sweep.patience import in_tens, with_hub
from hub.sweep.tally import Tally


async def settle_excluded(account: str, course: Course, tally: Tally) -> None:
    """Write down of everything that the ledger knows of an excluded account that it is excluded.

    Does nothing of an account that is not. What was listed is written down by then, and what is gone stays gone.

    Raises:
        Misconfigured: The ledger may not be used.
        Throttled, Unavailable: It does not answer, in spite of patience.
    """
    if course.plan is None and account in course.world.settings.exclude_accounts:
        # Broken off, the query begins anew: what was written by then is known by then.
        await with_hub(partial(_once, account, course, tally))


async def _once(account: str, course: Course, tally: Tally) -> None:
    tally.calls += 1
    async for page in course.world.ledger.rows(account):
        writes = [
            partial(course.world.ledger.replace, coverage, seen=_seen(row))
            for row in page
            if (coverage := _excluded(row, course)) is not None
        ]
        tally.calls += len(writes)
        await in_tens(writes)


def _excluded(row: CoverageRow, course: Course) -> Coverage | None:
    reason = exclusion.by_account(row.function, course.world.settings)
    is_known = row.state is CoverageState.EXCLUDED and row.reason == reason
    if reason is None or is_known or row.state is CoverageState.GONE:
        return None
    return Coverage(function=row.function, state=CoverageState.EXCLUDED, reason=reason, at=course.world.clock.now())


def _seen(row: CoverageRow) -> Standing:
    return Standing(function=row.function, state=row.state, at=row.at)
