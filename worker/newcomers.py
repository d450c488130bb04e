"""Makes each account known from which something has come, beside the journeys and once in a worker's life."""

import asyncio
from collections import deque

import structlog

from spoke.errors import ScanhubError
from worker.ports import Clock, Register

log = structlog.get_logger()

LAST_WORDS = 2.0
"""Seconds that a worker which stops gives to what is being written."""

PATIENCE = 10.0
"""Seconds for one write. What hangs must not keep the other accounts waiting for ever."""


class Newcomers:
    """Writes accounts down, one at a time, so that they take no connection from the journeys but one.

    Whatever goes wrong with it costs a line in the log: the next message of that account tries again.

    Args:
        register: Where they are written.
        clock: For when that was.
    """

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock
        self._known: set[str] = set()
        self._waiting: deque[str] = deque()
        self._writing: asyncio.Task[None] | None = None

    def met(self, account: str) -> None:
        """Something has come from this account, or asks for a scan in it. Returns at once."""
        if account in self._known:
            return
        self._known.add(account)
        self._waiting.append(account)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def settled(self) -> None:
        """Wait until what was met is written, but not for long; then give it up."""
        if self._writing is not None:
            _, late = await asyncio.wait([self._writing], timeout=LAST_WORDS)
            for task in late:
                task.cancel()

    async def _write(self) -> None:
        # It goes on for others than the journey that began it.
        structlog.contextvars.clear_contextvars()
        try:
            while self._waiting:
                await self._try(self._waiting.popleft())
        finally:
            self._writing = None

    async def _try(self, account: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._register.know_account(account, now=self._clock.now())
        except Exception as error:  # noqa: BLE001  # no journey may suffer for it
            self._known.discard(account)
            why = error.text if isinstance(error, ScanhubError) else repr(error)
            log.warning("account not noted", account=account, reason=why)
