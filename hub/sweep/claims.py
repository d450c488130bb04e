"""The claim on an account: taken before it is gone over, kept meanwhile, given up when the sweep is ended."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import structlog

from hub.sweep.account import go_over
from hub.sweep.course import Course
from hub.sweep.patience import LAST_WORDS, with_hub
from hub.sweep.tally import Tally
from hub.sweeps import AccountClaimed, AccountDone, AccountHeld, AccountOutcome, SweepRun
from spoke.errors import LeaseLost, Retry, ScanhubError, Unexpected

log = structlog.get_logger()

DURATION = timedelta(minutes=5)
"""For so long an account is ours after the last renewal. After it, another process may go on where this one died."""

RENEWAL = DURATION.total_seconds() / 3
"""Seconds between two renewals."""

AFTER_A_LOSS = timedelta(seconds=15)
"""After so long an account is asked for again that another process has taken over."""


async def sweep_account(
    account: str, run: SweepRun, course: Course, tally: Tally
) -> AccountOutcome | AccountDone | AccountHeld:
    """Go over one account if nobody else does, and note what was found.

    Returns:
        What we have found; or that it was done before; or that somebody else has it in hand.

    Raises:
        Misconfigured: The hub may not be used, or we have no credentials at all.
        Throttled, Unavailable: The hub does not answer, in spite of patience.
    """
    register, clock = course.world.register, course.world.clock
    tally.calls += 1
    claim = await with_hub(lambda: register.claim_account(run, account, now=clock.now(), duration=DURATION))
    if not isinstance(claim, AccountClaimed):
        return claim
    keeper = _Keeper(claim, course)
    try:
        outcome = await keeper.while_kept(go_over_safely(account, course, tally))
        tally.calls += 1
        await with_hub(lambda: register.complete_account(keeper.claim, outcome, now=clock.now()))
    except LeaseLost as error:
        log.warning("account taken over by another process", account=account, reason=error.text)
        return AccountHeld(account=account, until=clock.now() + AFTER_A_LOSS)
    except BaseException:
        await _released(keeper.claim, course)
        raise
    return outcome


async def go_over_safely(account: str, course: Course, tally: Tally) -> AccountOutcome:
    """As `go_over`, but a mistake of our own costs one account, not the sweep.

    Raises:
        ScanhubError: As `go_over`.
    """
    try:
        return await go_over(account, course, tally)
    except ScanhubError:
        raise
    except Exception as error:
        log.exception("unexpected error", account=account)
        tally.failed += 1
        problem = Unexpected(f"unexpected {type(error).__name__}; the log has more")
        return AccountOutcome(problem=problem.text, counts=tally.counts(accounts=1))


async def _released(claim: AccountClaimed, course: Course) -> None:
    try:
        async with asyncio.timeout(LAST_WORDS):
            await course.world.register.release_account(claim)
    except (ScanhubError, TimeoutError) as error:
        # It ends by itself.
        log.warning("account not released", account=claim.account, reason=str(error))


class _Keeper:
    """Prolongs a claim beside the work."""

    def __init__(self, claim: AccountClaimed, course: Course) -> None:
        self.claim = claim
        self._course = course

    async def while_kept(self, work: Coroutine[Any, Any, AccountOutcome]) -> AccountOutcome:
        """The work's result.

        Raises:
            LeaseLost: The claim was lost; the work was ended.
            Exception: What the work raised.
        """
        working = asyncio.create_task(work)
        keeping = asyncio.create_task(self._keep())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()
            return working.result()
        finally:
            working.cancel()
            keeping.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def _keep(self) -> None:
        register, clock = self._course.world.register, self._course.world.clock
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                self.claim = await register.renew_account(self.claim, now=clock.now(), duration=DURATION)
            except Retry as error:
                log.warning("claim not renewed yet", account=self.claim.account, reason=error.text)
