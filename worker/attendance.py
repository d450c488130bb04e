"""Says in the register that this worker is there, and hears from it whether the service is paused.

So many calls a minute, whatever the load: four looks and one word. Whatever goes wrong with them costs a line in the
log, never the work.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from hub.service_notes import Pause, WorkerNote
from spoke.errors import words_of
from worker.last_words import last_words
from worker.load import Load
from worker.world import World

log = structlog.get_logger()

LOOK = 15.0
"""Seconds between two looks at whether the service is paused."""

WORD = 60.0
"""Seconds between two words that the worker is there, if nothing changes."""

PATIENCE = 5.0
"""Seconds for one call."""

HEEDED = timedelta(seconds=LOOK)
"""By then every worker has seen a pause: what is given back for it before would go from one to the next."""


class Attendance:
    """One worker's word in the register.

    Args:
        world: Of this worker.
        load: What it has in hand.
        on_change: Called when the service was paused, or takes work again.

    Attributes:
        pause: Who has paused the service, and why; None while it takes work. Where the register does not answer, what
            it said last.
    """

    def __init__(self, world: World, load: Load, *, on_change: Callable[[], object]) -> None:
        self.pause: Pause | None = None
        self._world = world
        self._load = load
        self._on_change = on_change
        self._id = secrets.token_hex(8)
        self._started_at = world.clock.now()
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._is_over = False
        self._told: set[str] = set()
        self._running: asyncio.Task[None] | None = None

    @property
    def is_paused(self) -> bool:
        """Whether the service is to take no work."""
        return self.pause is not None

    def begin(self) -> None:
        """Check in, and go on until `left`."""
        self._running = asyncio.get_running_loop().create_task(self._run())

    def changed(self) -> None:
        """Something is otherwise with this worker: say so at once."""
        self._news.set()

    async def looked(self) -> None:
        """Wait until the register was asked for the first time, whatever came of it."""
        await self._looked.wait()

    async def resumed(self) -> None:
        """Wait until the service is not paused."""
        await self._resumed.wait()

    async def left(self) -> None:
        """Take the note away, but do not wait for that for long."""
        self._is_over = True
        self._news.set()
        if self._running is not None:
            await last_words([self._running])

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        say_at = loop.time()
        while not self._is_over:
            look_at = loop.time() + LOOK
            await self._look()
            self._looked.set()
            while not self._is_over:
                if self._news.is_set() or loop.time() >= say_at:
                    self._news.clear()
                    say_at = loop.time() + WORD
                    await self._say()
                if (left := look_at - loop.time()) <= 0:
                    break
                try:
                    async with asyncio.timeout(left):
                        await self._news.wait()
                except TimeoutError:
                    break
        # Never beside a word that is still under way: it would put the note back.
        async with self._forgiven("this worker cannot check out"):
            await self._world.register.check_out(self._id)

    async def _look(self) -> None:
        async with self._forgiven("the pause cannot be looked up"):
            pause = await self._world.register.paused()
            if pause != self.pause:
                self._heed(pause)

    def _heed(self, pause: Pause | None) -> None:
        turned, self.pause = (pause is None) != (self.pause is None), pause
        if not turned:
            return
        if pause is not None:
            self._resumed.clear()
            log.warning("the service is paused; nothing is received", by=pause.by, reason=pause.reason)
        else:
            self._resumed.set()
            log.info("the service takes work again")
        self._on_change()
        self.changed()

    async def _say(self) -> None:
        world = self._world
        note = WorkerNote(
            id=self._id,
            version=world.version,
            profile=world.scanner.profile,
            slots=world.settings.max_concurrent_scans,
            running=self._load.begun,
            circuit="" if world.circuit.is_closed else world.circuit.reason,
            paused=self.is_paused,
            started_at=self._started_at,
            seen_at=world.clock.now(),
        )
        async with self._forgiven("this worker cannot check in"):
            await world.register.check_in(note)

    @asynccontextmanager
    async def _forgiven(self, trouble: str) -> AsyncIterator[None]:
        """One call: what is wrong with it is told once, until such a call succeeds again."""
        try:
            async with asyncio.timeout(PATIENCE):
                yield
        except Exception as error:  # noqa: BLE001  # no scan may suffer for it
            if trouble not in self._told:
                log.warning(trouble, reason=words_of(error))
            self._told.add(trouble)
        else:
            self._told.discard(trouble)
