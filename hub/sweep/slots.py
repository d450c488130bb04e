"""How many places are worked on at once: of all accounts together, and of one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SILENCE = 15.0
"""Seconds that a place may wait for its account before its slot is lent to others."""


class Slots:
    """Shares slots among accounts: one with many regions takes its part of them only, and one that hangs none.

    Args:
        total: Places at once.
    """

    def __init__(self, total: int) -> None:
        self._all = asyncio.Semaphore(total)
        self._share = max(1, total // 4)

    def of_account(self) -> "AccountSlots":
        """The slots that one account may have."""
        return AccountSlots(self._all, self._share)


class AccountSlots:
    """The slots of one account; see `Slots`."""

    def __init__(self, everybody: asyncio.Semaphore, share: int) -> None:
        self._all = everybody
        self._own = asyncio.Semaphore(share)

    @asynccontextmanager
    async def taken(self) -> "AsyncIterator[Slot]":
        """A slot, until the end of the block."""
        slot = Slot(self._all, self._own)
        await slot.take()
        try:
            yield slot
        finally:
            slot.leave()


class Slot:
    """The right to work on one place."""

    def __init__(self, everybody: asyncio.Semaphore, own: asyncio.Semaphore) -> None:
        self._all = everybody
        self._own = own
        self._is_held = False

    async def take(self) -> None:
        """Wait for a slot."""
        await self._own.acquire()
        try:
            await self._all.acquire()
        except BaseException:
            self._own.release()
            raise
        self._is_held = True

    def leave(self) -> None:
        """Give it up; does nothing where it is not held."""
        if self._is_held:
            self._is_held = False
            self._all.release()
            self._own.release()

    async def regain(self) -> None:
        """Wait for it where it is not held: before any work that does not need the answer that did not come."""
        if not self._is_held:
            await self.take()

    @asynccontextmanager
    async def lent_in_silence(self, after: float = SILENCE) -> AsyncIterator[None]:
        """Around a wait for the account: when it takes long, others have the slot until the answer is there.

        The slot is waited for then, for as long as others work: a time-out for the account belongs inside. What raises
        has no answer to work on: it does not wait, and gives the slot up; see `regain`.

        Args:
            after: Seconds.
        """
        timer = asyncio.get_running_loop().call_later(after, self.leave)
        try:
            yield
        except BaseException:
            self.leave()
            raise
        finally:
            timer.cancel()
        await self.regain()
