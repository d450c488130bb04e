"""A sweep: every account once, by however many processes, until all are done."""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from hub.sweep import summary
from hub.sweep.claims import go_over_safely, sweep_account
from hub.sweep.course import Course, SweepWorld
from hub.sweep.gone import settle_closed
from hub.sweep.patience import together, with_hub
from hub.sweep.progress import Progress, SweepObserver
from hub.sweep.report import Plan, SweepReport
from hub.sweep.watch import Stopped, log_progress, paused_by, watch
from hub.sweeps import AccountDone, AccountHeld, SweepRun, SweepScope

log = structlog.get_logger()

ADOPT_WITHIN = timedelta(hours=36)
"""A run that was interrupted longer ago is not gone on with: what it found by then is too old."""

ACCOUNTS_A_PLACE = 2
"""Accounts at work for each place that may be listed: some of them wait, or are being claimed."""

LONGEST_WAIT = 10.0
"""Seconds between two questions for accounts that another process has in hand."""


class Sweep:
    """One process's part in a sweep.

    Args:
        world: Its ports.
        observer: Is told as it goes on.
        calls: Counts all AWS calls of this process; without it those are told that the sweep itself knows of.
        shuffle: Puts the accounts in another order, so that processes that begin together meet seldom.
    """

    def __init__(
        self,
        world: SweepWorld,
        *,
        observer: SweepObserver | None = None,
        calls: Callable[[], int] | None = None,
        shuffle: Callable[[list[str]], None] = random.shuffle,
    ) -> None:
        self._world = world
        self._observer = observer
        self._calls = calls
        self._shuffle = shuffle

    async def run(
        self, scope: SweepScope, accounts: Collection[str], *, dry_run: bool = False, is_organization: bool = False
    ) -> SweepReport:
        """Go over these accounts, or on with an unfinished run of the same scope.

        Cancelled, it gives up its claims; the run stays unfinished and is gone on with by the next sweep of its scope.

        Args:
            scope: What is gone over; of accounts and organizational units it only says what was asked for.
            accounts: The active accounts that are meant by it.
            dry_run: List and decide, but claim, write, send and note nothing. A pause does not matter then.
            is_organization: `accounts` are all active ones by AWS Organizations' own word: what is known of others is
                then gone, if the scope is the whole.

        Raises:
            Misconfigured: The hub may not do its part, or has no credentials: no account can be gone over.
            Throttled, Unavailable: Ledger, register, queue or bucket do not answer, in spite of patience.
        """
        world = self._world
        started_at = world.clock.now()
        order = sorted(set(accounts))
        self._shuffle(order)
        plan = Plan() if dry_run else None
        # Now, since later the queue holds what this sweep itself has sent.
        depth = await with_hub(world.queue.depth)
        course = Course.of(world, scope, plan=plan, is_backlog=depth.visible > 0)
        progress = Progress(
            len(order), clock=world.clock, shared_calls=lambda: course.lookups.calls, all_calls=self._calls
        )
        run: SweepRun | None = None
        stopped = ""
        if not dry_run:
            pause = await with_hub(world.register.paused)
            if pause is not None:
                return _report(scope, None, progress, started_at, world, len(order), stopped=paused_by(pause))
            run = await with_hub(lambda: world.register.begin_sweep(scope, now=started_at, adopt_within=ADOPT_WITHIN))
            # The register keeps whole milliseconds: a run of now seems a part of one older.
            is_resumed = started_at - run.started_at >= timedelta(milliseconds=1)
            log.info("sweep begins", sweep=run.id, accounts=len(order), resumed=is_resumed)
        try:
            await self._watched(_Round(order, run, course, progress), closed=is_organization and scope.is_whole)
        except Stopped as stop:
            stopped = stop.text
            log.warning("sweep stopped", sweep=run and run.id, reason=stopped)
        if self._observer is not None:
            self._observer.progressed(progress.look())
        report = _report(scope, run, progress, started_at, world, len(order), plan=plan, stopped=stopped)
        return report if run is None or stopped else await self._finished(report, run, progress)

    async def _watched(self, accounts: "_Round", *, closed: bool) -> None:
        """Go over all accounts, with the watch beside.

        Raises:
            Stopped: The service was paused.
        """
        world = self._world
        watching = asyncio.create_task(
            watch(accounts.progress, accounts.run, world.register, world.clock, self._observer)
        )
        working = asyncio.create_task(accounts.all(closed=closed))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                watching.result()
            working.result()
        finally:
            working.cancel()
            watching.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _finished(self, report: SweepReport, run: SweepRun, progress: Progress) -> SweepReport:
        """Store the summary, then end the run: ended in between, the next sweep finds all done and stores it again."""
        world = self._world
        key = await with_hub(lambda: summary.store(run.id, report, world.objects))
        await with_hub(
            lambda: world.register.finish_sweep(
                run, report.counts, accounts=report.listed_accounts, now=world.clock.now()
            )
        )
        log_progress("sweep done", progress)
        return replace(report, summary_key=key)


class _Round:
    """The way over the accounts, some at once."""

    def __init__(self, accounts: Sequence[str], run: SweepRun | None, course: Course, progress: Progress) -> None:
        self.run = run
        self.progress = progress
        self._accounts = accounts
        self._course = course
        self._held: list[AccountHeld] = []

    async def all(self, *, closed: bool) -> None:
        """Every account; then those again that others had in hand; then those that are closed."""
        await self._some(self._accounts)
        while self._held:
            held, self._held = self._held, []
            now = self._course.world.clock.now()
            until = min((one.until - now).total_seconds() for one in held)
            await asyncio.sleep(min(max(until, 1.0), LONGEST_WAIT))
            await self._some([one.account for one in held])
        # Without a single active account the organization's word is not to be believed: somebody asks from there.
        if closed and self._accounts:
            await self._closed()

    async def _some(self, accounts: Sequence[str]) -> None:
        # A few tasks that take the next account each, not a task an account: there may be ten thousand.
        left = iter(accounts)
        places = self._course.world.settings.sweep_places
        await together(self._one_by_one(left) for _ in range(min(ACCOUNTS_A_PLACE * places, len(accounts))))

    async def _one_by_one(self, accounts: Iterator[str]) -> None:
        for account in accounts:
            await self._one(account)

    async def _one(self, account: str) -> None:
        tally = self.progress.begin()
        if self.run is None:
            self.progress.settle(account, await go_over_safely(account, self._course, tally), tally)
            return
        outcome = await sweep_account(account, self.run, self._course, tally)
        if isinstance(outcome, AccountHeld):
            self.progress.drop(tally)
            self._held.append(outcome)
        elif isinstance(outcome, AccountDone):
            self.progress.settle_known(account, outcome.outcome, tally)
        else:
            self.progress.settle(account, outcome, tally)

    async def _closed(self) -> None:
        """What is known of accounts that are not active any more."""
        world = self._course.world
        active = frozenset(self._accounts)
        began = self.run.started_at if self.run is not None else world.clock.now()
        tally = self.progress.begin()
        for account in await with_hub(lambda: _others(world, active)):
            await settle_closed(account, began, self._course, tally)
        self.progress.settle_closed(tally)


async def _others(world: SweepWorld, active: Collection[str]) -> Sequence[str]:
    return [note.account async for note in world.register.accounts() if note.account not in active]


def _report(
    scope: SweepScope,
    run: SweepRun | None,
    progress: Progress,
    started_at: datetime,
    world: SweepWorld,
    accounts: int,
    *,
    plan: Plan | None = None,
    stopped: str = "",
) -> SweepReport:
    now = world.clock.now()
    return SweepReport(
        run=run,
        scope=scope,
        counts=progress.counts,
        accounts=tuple(progress.results),
        listed_accounts=accounts,
        started_at=started_at if run is None else run.started_at,
        finished_at=now,
        duration=(now - started_at).total_seconds(),
        dry_run=plan is not None,
        planned=() if plan is None else tuple(plan.named),
        planned_unnamed=0 if plan is None else plan.unnamed,
        stopped=stopped,
    )
