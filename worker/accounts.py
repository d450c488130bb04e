"""The member accounts as this worker may use them: each at a pace that it bears, none while it is paused.

An account whose role does not let us in, or that throttles, is paused as a whole. The pause grows while it goes on like
this, and ends with the first call that succeeds. Its messages are given back meanwhile, so one bad account costs the
others nothing.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from aiolimiter import AsyncLimiter

from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import AccountPaused, NoAccess, ScanhubError, Throttled
from spoke.snapshot import FunctionSnapshot
from worker import backoff
from worker.ports import Clock, Spoke

log = structlog.get_logger()

READS_A_SECOND = 10
"""GetFunction calls per account and region. Lambda allows 100 for all callers together (Lambda quotas)."""

WRITES_A_SECOND = 2
"""TagResource calls per account and region. All calls but GetFunction and Invoke share 15 (Lambda quotas), and the
customer's own deployments live on the same."""


LASTING = 12
"""Refusals in a row, some eighty minutes: then an account that denies access denies it to each of its messages. Asked
one by one, at the pauses' pace, a thousand messages would outlast the queue's memory."""


REMEMBERED = timedelta(hours=1)
"""After a pause, so long an account still counts as one that denies access while nobody asks it again: messages that
wait for its end come within half an hour. A worker that none of them reaches knows nothing of it any more after that,
and it may have been mended."""


@dataclass(slots=True)
class _Refusals:
    """How often in a row an account refused us, until when nothing is asked of it, and whether it denied access."""

    count: int
    paused_until: datetime
    error: ScanhubError
    has_denied: bool


class Accounts:
    """The port `Spoke` over another one, with pauses and pace.

    Args:
        spoke: Makes the calls.
        clock: Tells when a pause ends.
    """

    def __init__(self, spoke: Spoke, clock: Clock) -> None:
        self._spoke = spoke
        self._clock = clock
        self._refusals: dict[str, _Refusals] = {}
        self._reads: dict[tuple[str, str], AsyncLimiter] = {}
        self._writes: dict[tuple[str, str], AsyncLimiter] = {}

    @property
    def paused(self) -> int:
        """How many accounts are paused now."""
        now = self._clock.now()
        return sum(one.paused_until > now for one in self._refusals.values())

    @property
    def without_access(self) -> int:
        """How many accounts deny access, as far as this worker knows.

        From the first denial until a call succeeds, so also between a pause and the next try; an account that was only
        throttled is not among them.
        """
        now = self._clock.now()
        return sum(one.has_denied and now < one.paused_until + REMEMBERED for one in self._refusals.values())

    def admit(self, account: str) -> None:
        """Pass, unless the account is paused.

        Raises:
            AccountPaused: It is.
        """
        refusals = self._refusals.get(account)
        if refusals is not None and refusals.paused_until > self._clock.now():
            is_denied = isinstance(refusals.error, NoAccess) and refusals.count >= LASTING
            text = refusals.error.text if is_denied else f"account {account} is paused after a refusal"
            raise AccountPaused(text, until=refusals.paused_until, is_denied=is_denied)

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        """See `worker.ports.Spoke`; also `AccountPaused`."""
        await _turn(self._reads, function, READS_A_SECOND)
        async with self._heeded(function.account):
            return await self._spoke.describe(function)

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """See `worker.ports.Spoke`; also `AccountPaused`."""
        async with self._heeded(snapshot.arn.account):
            return await self._spoke.scan_credentials(snapshot)

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        """See `worker.ports.Spoke`; also `AccountPaused`."""
        await _turn(self._writes, function, WRITES_A_SECOND)
        # A role that may read but not tag serves us well enough.
        async with self._heeded(function.account, (Throttled,)):
            return await self._spoke.tag(function, tags, present=present)

    def refused(self, account: str, error: ScanhubError, *, asked_at: datetime) -> None:
        """A call that was made at `asked_at` met `NoAccess` or `Throttled`: pause the account.

        What was asked before the last refusal came does not make the pause longer: ten calls at once are one refusal.
        """
        now, standing = self._clock.now(), self._refusals.get(account)
        if standing is not None and asked_at < standing.paused_until:
            return
        count = standing.count + 1 if standing is not None else 1
        pause = backoff.of_account(count)
        has_denied = isinstance(error, NoAccess) or (standing is not None and standing.has_denied)
        self._refusals[account] = _Refusals(count, now + pause, error, has_denied)
        log.warning("account paused", account=account, reason=error.text, pause=round(pause.total_seconds()))

    @asynccontextmanager
    async def _heeded(
        self, account: str, refusals: tuple[type[ScanhubError], ...] = (NoAccess, Throttled)
    ) -> AsyncIterator[None]:
        self.admit(account)
        asked_at = self._clock.now()
        try:
            yield
        except refusals as error:
            self.refused(account, error, asked_at=asked_at)
            raise
        # Any other failure says nothing of the account as a whole.
        if self._refusals.pop(account, None) is not None:
            log.info("account answers again", account=account)


async def _turn(limiters: dict[tuple[str, str], AsyncLimiter], function: FunctionArn, rate: float) -> None:
    place = (function.account, function.region)
    limiter = limiters.get(place)
    if limiter is None:
        limiter = limiters[place] = AsyncLimiter(rate, 1)
    await limiter.acquire()
