"""While Qualys takes no scans: who is told, and how the next probe is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hub.figures import circuit_figures
from hub.notification import Notification, NotificationKind
from spoke.errors import Retry, ScanhubError
from worker.last_words import last_words
from worker.world import World

log = structlog.get_logger()

SUBJECT = "qualys-circuit"
QUIET = timedelta(hours=1)
"""An outage that comes back within it is the same one to a person. Longer than the longest pause."""

PATIENCE = 5.0
"""Seconds that a worker which stops gives to what is being told."""

# It is told once: nobody else will.
_patiently = retry(
    retry=retry_if_exception_type(Retry),
    stop=stop_after_attempt(6),
    wait=wait_random_exponential(multiplier=2, max=60),
    reraise=True,
)


class Outage:
    """Tells of the circuit's changes, and waits for its probes.

    Args:
        world: Of one worker.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._telling: set[asyncio.Task[None]] = set()

    def turned(self) -> None:
        """The circuit has changed its state: a figure, and for all workers together one notification an outage."""
        circuit = self._world.circuit
        self._world.metrics.emit(**circuit_figures(not circuit.is_closed))
        if circuit.is_open:
            task = asyncio.get_running_loop().create_task(self._tell(circuit.reason))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def told(self) -> None:
        """Wait until what is being told has been told, but not for long."""
        await last_words(self._telling, seconds=PATIENCE)

    async def wait_for_probe(self, renew_credentials: Callable[[], Awaitable[None]]) -> None:
        """Until the pause is over; then the secret is read anew, and one message at a time may try.

        A secret that cannot be read keeps the circuit open: whoever renews the token may be about to write it.
        """
        await asyncio.sleep(self._world.circuit.pause.total_seconds())
        try:
            await renew_credentials()
        except ScanhubError as error:
            self._world.circuit.stay_open(error.text)
        else:
            self._world.circuit.probe()

    async def _tell(self, reason: str) -> None:
        world, since = self._world, self._world.clock.now()
        try:
            if await self._is_ours_to_tell(since):
                notification = Notification(kind=NotificationKind.CIRCUIT, function=None, reason=reason, since=since)
                await _patiently(world.notifier.notify)(notification)
        except ScanhubError as error:
            # The metric tells too; a notification that fails must not add to the outage.
            log.warning("nobody was told that qualys does not take our scans", reason=error.text)

    async def _is_ours_to_tell(self, since: datetime) -> bool:
        try:
            return await self._world.ledger.announce(SUBJECT, now=since, quiet=QUIET)
        except Retry:
            # It may have taken effect, and then nobody else tells. Twice is better than never.
            return True
