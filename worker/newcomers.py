"""Makes each account known from which something has come, beside the journeys and once in a worker's life."""

import asyncio
from collections import deque
from collections.abc import Awaitable

import structlog

from spoke.errors import words_of
from worker.ports import Clock, Register
from worker.side_writer import SideWriter

log = structlog.get_logger()

PATIENCE = 10.0
"""Seconds for one write. What hangs must not keep the other accounts waiting for ever."""


class Newcomers:
    """Writes accounts down, one at a time.

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
        self._writer = SideWriter(self._next)

    def met(self, account: str) -> None:
        """Something has come from this account, or asks for a scan in it. Returns at once."""
        if account in self._known:
            return
        self._known.add(account)
        self._waiting.append(account)
        self._writer.begin()

    async def settled(self) -> None:
        """Wait until what was met is written, but not for long; then give it up."""
        await self._writer.settled()

    def _next(self) -> Awaitable[None] | None:
        return self._try(self._waiting.popleft()) if self._waiting else None

    async def _try(self, account: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._register.know_account(account, now=self._clock.now())
        except Exception as error:  # noqa: BLE001  # no journey may suffer for it
            self._known.discard(account)
            log.warning("account not noted", account=account, reason=words_of(error))
