"""Fairness between accounts: none may have all slots of a worker."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from hub.message import Source
from spoke.errors import AccountBusy


class Places:
    """At most so many journeys of one account at once; a few more wait in hand, in the order in which they came.

    What waits takes no slot, so that others may be received meanwhile; its heartbeat goes on. An account's last place
    is out of the sweep's reach, as a worker's last slots are: a change finds it free.

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
        self._accounts: dict[str, _Account] = {}

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
        places = self._accounts.setdefault(account, _Account(self._per_account))
        if places.are_full_for(source) and not self.patient and self._waiting[source] >= self._waiting_room[source]:
            raise AccountBusy(f"account {account} has its {self._per_account} scans, and enough messages wait")
        places.users += 1
        try:
            async with AsyncExitStack() as held:
                for one in places.of(source):
                    await self._wait_for(one, source)
                    held.callback(one.release)
                yield
        finally:
            places.users -= 1
            if not places.users:
                # A thousand accounts come and go.
                del self._accounts[account]

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


class _Account:
    """The places of one account.

    Attributes:
        users: Journeys that have a place, or wait for one.
    """

    def __init__(self, places: int) -> None:
        self.users = 0
        self._all = asyncio.Semaphore(places)
        self._swept = asyncio.Semaphore(max(1, places - 1))

    def of(self, source: Source) -> Sequence[asyncio.Semaphore]:
        """What a journey from this queue must have, in this order: who waits for the second keeps no change from it."""
        return (self._all,) if source is Source.CHANGES else (self._swept, self._all)

    def are_full_for(self, source: Source) -> bool:
        """Whether a journey from this queue would have to wait."""
        return any(one.locked() for one in self.of(source))
