"""Task protection: on while a scan runs, off when nothing has run for a while, and never in a scan's way.

Whoever deploys or scales in would otherwise end a scan of an hour in its last minute: the message is given back and
nothing is lost, but the hour is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from spoke.errors import Retry, ScanhubError, Unavailable
from worker.ports import Protection

log = structlog.get_logger()

SPAN = timedelta(minutes=30)
"""Asked for at a time, and renewed every third of it: should the endpoint fail at the end of a scan, a deployment waits
no longer than this. CloudFormation gives one up after three hours."""

QUIET = 15.0
"""Seconds without a scan after which protection ends. Between two scans of a full queue it stays."""

PATIENCE = 1.0
"""Seconds that a first scan waits for protection at the most."""

CALL_TIME_OUT = 10.0
"""Seconds for one call, should the adapter's own time-out fail."""

LAST_TIME_OUT = 3.0
"""Seconds for giving up protection at the end, of the few that are left between drain and kill."""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
"""Seconds between tries while the endpoint fails: doubled from the first to the longest."""


class Unprotected:
    """Where nobody could end the task before its time; implements `worker.ports.Protection`."""

    async def protect(self, span: timedelta) -> None:
        """Nothing."""

    async def release(self) -> None:
        """Nothing."""


class Guardian:
    """Keeps one worker's task protected while scans run.

    All calls are made by `run`, one at a time; `scanning` only counts. An endpoint that fails is told once in the log,
    and once when it is back.

    Args:
        protection: The port.
        span: For how long protection is asked for at a time.
    """

    def __init__(self, protection: Protection, span: timedelta = SPAN) -> None:
        self._protection = protection
        self._span = span
        self._scans = 0
        self._changed = asyncio.Event()
        # Unset while protection is off, may be had, and somebody is there to ask for it: then a scan waits a moment.
        self._settled = asyncio.Event()
        self._settled.set()
        self._is_down = False
        self._pause = FIRST_PAUSE
        # Moments of the loop's clock, which may begin at any figure.
        self._idle_since = -float("inf")
        self._retry_at = -float("inf")
        self._renew_at = -float("inf")
        self._sure_until = -float("inf")
        self._maybe_until = -float("inf")

    @asynccontextmanager
    async def scanning(self) -> AsyncIterator[None]:
        """Around one scan. Entering waits a second at the most, and not at all once protection is on or cannot be had.

        It raises nothing of its own.
        """
        self._scans += 1
        self._changed.set()
        try:
            if not self._settled.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        await self._settled.wait()
            yield
        finally:
            self._scans -= 1
            self._idle_since = asyncio.get_running_loop().time()
            self._changed.set()

    async def run(self) -> None:
        """Hold protection as long as it is needed; runs until cancelled, then gives it up.

        With nobody to ask it ends at once: a log that told of protection would be wrong.
        """
        if isinstance(self._protection, Unprotected):
            return
        self._settled.clear()
        try:
            while True:
                self._changed.clear()
                pause = await self._turn()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
        finally:
            # No scan waits for one who is gone.
            self._settled.set()
            if asyncio.get_running_loop().time() < self._maybe_until:
                await self._call(self._protection.release(), LAST_TIME_OUT)

    async def _turn(self) -> float | None:
        """Do what is due; returns the seconds until more is, None if only a scan can change that."""
        clock = asyncio.get_running_loop().time
        if self._scans:
            if clock() >= max(self._renew_at, self._retry_at):
                await self._protect()
            return max(0.0, max(self._renew_at, self._retry_at) - clock())
        if clock() >= self._maybe_until:
            return None
        due = max(self._idle_since + QUIET, self._retry_at)
        if clock() >= due:
            await self._release()
            return 0.0
        return due - clock()

    async def _protect(self) -> None:
        now, span = asyncio.get_running_loop().time(), self._span.total_seconds()
        was_on, before = now < self._sure_until, self._maybe_until
        self._maybe_until = now + CALL_TIME_OUT + span
        fault = await self._call(self._protection.protect(self._span), CALL_TIME_OUT)
        if fault is None:
            self._sure_until, self._renew_at = now + span, now + span / 3
            if not was_on:
                log.info("task protected while scans run", minutes=round(span / 60))
        elif isinstance(fault, Retry) and not isinstance(fault, Unavailable):
            # Refused: what held before holds on, and nothing more.
            self._maybe_until = before
        self._settled.set()

    async def _release(self) -> None:
        # A scan that begins while this is under way waits until it can be protected anew.
        self._settled.clear()
        # From here on it may be off, also if the answer is lost: the next scan asks for it anew.
        self._sure_until = self._renew_at = -float("inf")
        if await self._call(self._protection.release(), CALL_TIME_OUT) is None:
            self._maybe_until = -float("inf")
            log.info("task no longer protected")
        else:
            self._settled.set()

    async def _call(self, call: Awaitable[None], time_out: float) -> Exception | None:
        limit = asyncio.timeout(time_out)
        try:
            async with limit:
                await call
        except Exception as error:  # noqa: BLE001  # whatever is wrong with protection, scans go on without it
            reason = error.text if isinstance(error, ScanhubError) else f"{type(error).__name__}: {error}"
            if limit.expired():
                reason = f"no answer within {time_out:.0f} s"
            if not self._is_down:
                log.warning("task protection cannot be set; scans go on without it", reason=reason)
            self._is_down = True
            self._retry_at = asyncio.get_running_loop().time() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            return error
        if self._is_down:
            log.info("task protection can be set again")
        self._is_down, self._pause, self._retry_at = False, FIRST_PAUSE, -float("inf")
        return None
