"""How far the workers have heeded a pause."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from hub.service_notes import Pause, WorkerNote
from spoke.clock import Clock

NOTE_LIVES = timedelta(minutes=3)
"""A worker writes its note about every minute; one that was silent for so long has died without a word."""


class PauseRegister(Protocol):
    """Of what the service writes down of itself, what a pause needs; see `worker.ports.Register`."""

    def workers(self) -> AsyncIterator[WorkerNote]:
        """The workers that have checked in within the last day, and not out."""
        ...

    async def pause(self, pause: Pause) -> None:
        """The service takes no work until `resume`."""
        ...

    async def resume(self) -> bool:
        """The service takes work again; returns whether it was paused."""
        ...

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """What the living workers say of themselves.

    Attributes:
        workers: How many there are.
        heeding: Of them, those that receive nothing for the pause's sake.
        scans: That still run in them.
    """

    workers: int
    heeding: int
    scans: int

    @property
    def is_reached(self) -> bool:
        """Whether nobody takes work any more; scans that had begun may still run."""
        return self.heeding == self.workers


async def look(register: PauseRegister, clock: Clock) -> Standstill:
    """How it stands now."""
    now = clock.now()
    notes = [note async for note in register.workers() if now - note.seen_at <= NOTE_LIVES]
    return Standstill(
        workers=len(notes), heeding=sum(note.paused for note in notes), scans=sum(note.running for note in notes)
    )


async def wait(register: PauseRegister, clock: Clock, *, every: timedelta, patience: timedelta) -> Standstill:
    """How it stands once nobody takes work any more, or when the patience ends."""
    end = clock.now() + patience
    while True:
        now = await look(register, clock)
        if now.is_reached or clock.now() >= end:
            return now
        await asyncio.sleep(every.total_seconds())


async def ask_to_pause(register: PauseRegister, wanted: Pause) -> Pause | None:
    """Pause the service; one that is paused already stays as it is, unless a new reason is given.

    Returns:
        The pause before, if there was one.
    """
    before = await register.paused()
    if before is None or (wanted.reason and wanted.reason != before.reason):
        await register.pause(wanted)
    return before
