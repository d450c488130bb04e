"""How the service is: queues, workers, pause, the last sweep."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from hub.message import Depth, Source
from hub.service_notes import Pause, WorkerNote
from hub.standstill import NOTE_LIVES
from hub.sweeps import SweepRun

SWEEP_NOTE_LIVES = timedelta(minutes=1)
"""A sweep notes how far it is every ten seconds; where it was silent for so long, nobody is at it any more."""


class Queue(Protocol):
    """Of a queue, what is asked; see `worker.ports.Queue`."""

    async def depth(self) -> Depth:
        """How much lies in it."""
        ...

    async def parked(self) -> int:
        """How many messages lie in its dead-letter queue, about."""
        ...


class Register(Protocol):
    """Of the register, what is asked; see `worker.ports.Register`."""

    def workers(self) -> AsyncIterator[WorkerNote]:
        """The workers that have checked in within the last day, and not out."""
        ...

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused."""
        ...

    def sweeps(self) -> AsyncIterator[SweepRun]:
        """The runs of the last 90 days, the newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One queue.

    Attributes:
        depth: What lies in it.
        parked: What lies in its dead-letter queue.
        oldest: How long the oldest message waits; None where nobody knows.
    """

    depth: Depth
    parked: int
    oldest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The whole.

    Attributes:
        at: When it was read (aware, UTC).
        queues: By source.
        workers: Those that live by their own word, the oldest first.
        silent: Notes of workers that were not heard for three minutes and have not checked out: they died, or cannot
            reach the ledger.
        pause: None where the service is not paused.
        last_sweep: The newest that has finished; None if none has in 90 days.
        last_full_sweep: The newest that has finished and left out nothing of the organization; None if none has in 90
            days.
        running_sweep: The newest that has not finished, and that somebody works on.
        unfinished_sweep: The newest of all, where it has not finished and nobody works on it any more: it was
            interrupted. The next sweep of its scope goes on with it.
        notes: What could not be found out, in one line each.
    """

    at: datetime
    queues: Mapping[Source, QueueStatus]
    workers: tuple[WorkerNote, ...] = ()
    silent: tuple[WorkerNote, ...] = ()
    pause: Pause | None = None
    last_sweep: SweepRun | None = None
    last_full_sweep: SweepRun | None = None
    running_sweep: SweepRun | None = None
    unfinished_sweep: SweepRun | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def running(self) -> int:
        """Scans that run."""
        return sum(worker.running for worker in self.workers)

    @property
    def circuit(self) -> str:
        """Why workers take no scans for Qualys's sake; empty where none says so."""
        return next((worker.circuit for worker in self.workers if worker.circuit), "")

    @property
    def versions(self) -> Sequence[str]:
        """Of scanhub, among the living workers; more than one while a deployment is under way."""
        return sorted({worker.version for worker in self.workers})

    @property
    def scanners(self) -> Sequence[str]:
        """Engine and version, among the living workers."""
        return sorted({f"{worker.profile.engine} {worker.profile.version}" for worker in self.workers})


async def look(
    queues: Mapping[Source, Queue],
    register: Register,
    *,
    now: datetime,
    ages: Mapping[Source, timedelta],
    notes: Sequence[str] = (),
) -> ServiceStatus:
    """Read it: two calls a queue, three to the register.

    Args:
        queues: By source.
        register: The register.
        now: Aware, UTC.
        ages: Of the oldest messages, as far as they are known.
        notes: What could not be found out before.

    Raises:
        Throttled, Unavailable, Misconfigured: A queue or the register cannot be read.
    """
    workers = sorted([note async for note in register.workers()], key=lambda note: (note.started_at, note.id))
    running, unfinished, last, full = None, None, None, None
    is_newest = True
    async for run in register.sweeps():
        is_first, is_newest = is_newest, False
        if run.finished_at is None:
            if now - run.heard_of_at <= SWEEP_NOTE_LIVES:
                running = running or run
            elif is_first:
                unfinished = run
            continue
        last = last or run
        if run.is_full:
            full = run
            break
    return ServiceStatus(
        at=now,
        queues={
            source: QueueStatus(depth=await queue.depth(), parked=await queue.parked(), oldest=ages.get(source))
            for source, queue in queues.items()
        },
        workers=tuple(note for note in workers if now - note.seen_at <= NOTE_LIVES),
        silent=tuple(note for note in workers if now - note.seen_at > NOTE_LIVES),
        pause=await register.paused(),
        last_sweep=last,
        last_full_sweep=full,
        running_sweep=running,
        unfinished_sweep=unfinished,
        notes=tuple(notes),
    )
