"""Fairness between accounts: none may have all slots of a worker."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.message import Source
from spoke.errors import AccountBusy


class Places:
    """At most so many journeys of one account at once; a few more wait in hand, in the order in which they came.

    What waits takes no slot, so that others may be received meanwhile; its heartbeat goes on.

    Args:
        per_account: Journeys of one account at once.
        waiting_room: Messages that may wait, of all accounts together. A quarter of it is the sweep's own: changes of
            its account would otherwise take every place before it, again and again.

    Attributes:
        patient: Whether any number may wait: in a drain, where somebody else sees to it that they do not become many.
        changed: Set whenever a message begins to wait, or has ceased to: there may be room for another.
    """

    def __init__(self, *, per_account: int, waiting_room: int) -> None:
        self.patient = False
        self.changed = asyncio.Event()
        self._per_account = per_account
        swept = max(1, waiting_room // 4)
        self._waiting_room = {Source.CHANGES: waiting_room - swept, Source.SWEEP: swept}
        self._waiting: Counter[Source] = Counter()
        self._users: Counter[str] = Counter()
        self._places: dict[str, asyncio.Semaphore] = {}

    @property
    def waiting(self) -> int:
        """Messages that wait for a place."""
        return self._waiting.total()

    @asynccontextmanager
    async def taken(self, account: str, source: Source) -> AsyncIterator[None]:
        """A place for one journey of this account, for the time of the context.

        Args:
            account: Twelve digits.
            source: From which queue its message came.

        Raises:
            AccountBusy: There is none, and no room to wait for one.
        """
        place = self._places.setdefault(account, asyncio.Semaphore(self._per_account))
        if place.locked() and not self.patient and self._waiting[source] >= self._waiting_room[source]:
            raise AccountBusy(f"account {account} has its {self._per_account} scans, and enough messages wait")
        self._users[account] += 1
        try:
            await self._wait_for(place, source)
            try:
                yield
            finally:
                place.release()
        finally:
            self._users[account] -= 1
            if not self._users[account]:
                # A thousand accounts come and go.
                del self._users[account], self._places[account]

    async def _wait_for(self, place: asyncio.Semaphore, source: Source) -> None:
        if not place.locked():
            await place.acquire()
            return
        self._waiting[source] += 1
        self.changed.set()
        try:
            await place.acquire()
        finally:
            self._waiting[source] -= 1
            self.changed.set()
