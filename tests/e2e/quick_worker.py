"""A worker with the real loop and the real AWS adapters, and a scanner that takes no time: hundreds in seconds."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from hub import logs
from hub.metrics import EmbeddedMetrics
from hub.redaction import Redactor
from hub.service_notes import WorkerNote
from hub.settings import Settings, load
from hub.topic import Silence
from scanhub import __version__
from scanhub.spoke_wiring import spoke_roles
from scanhub.wiring import Hub, open_hub
from spoke.gateway import AwsSpoke
from worker.memory.scanner import PROFILE, MemoryScanner, Script
from worker.service import Service
from worker.tally import Tally
from worker.world import World

AT_ONCE = Script(duration=timedelta(0))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Service, MemoryScanner, Hub]]:
    """The worker, its scanner, whose scripts may be changed, and the hub."""
    # A command in this process has stdout and stderr for itself.
    logs.configure("WARNING", stream=io.StringIO(), redactor=Redactor(), terminal=False)
    async with open_hub(settings, os.environ) as hub:
        scanner = MemoryScanner(hub.clock, default=AT_ONCE)
        world = World(
            settings=settings,
            clock=hub.clock,
            spoke=AwsSpoke(hub.clients, await spoke_roles(settings, hub.clients, hub.clock, Redactor())),
            ledger=hub.ledger,
            results=hub.results,
            scanner=scanner,
            notifier=Silence(),
            metrics=EmbeddedMetrics(io.StringIO()),
            register=hub.register,
            version=__version__,
        )
        yield Service(hub.queues, world, renew_credentials=_nothing_to_renew), scanner, hub


async def drained() -> Tally:
    """Work until both queues are empty. A note of a worker stays behind, as of one that runs on."""
    async with opened(load()) as (service, _, hub):
        tally = await service.run(drain=True)
        await check_in(hub)
    return tally


@contextmanager
def running() -> Iterator[MemoryScanner]:
    """A worker in a thread of its own, until the context is left; what it scans with."""
    ready: Future[tuple[asyncio.AbstractEventLoop, Service, MemoryScanner]] = Future()

    async def work() -> None:
        async with opened(load()) as (service, scanner, _):
            ready.set_result((asyncio.get_running_loop(), service, scanner))
            await service.run()

    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(asyncio.run, work())
        loop, service, scanner = ready.result(timeout=30)
        try:
            yield scanner
        finally:
            loop.call_soon_threadsafe(service.stop)
            working.result(timeout=30)


async def check_in(hub: Hub, name: str = "quick-worker") -> None:
    """Leave the note of a worker that runs with this scanner: it tells a sweep what results are compared with."""
    now = hub.clock.now()
    note = WorkerNote(id=name, version=__version__, profile=PROFILE, slots=4, running=0, started_at=now, seen_at=now)
    await hub.register.check_in(note)


async def _nothing_to_renew() -> None:
    """There is no token."""
