"""How fast changes were scanned, counted by each worker and added to the register's days once a minute."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date

import structlog

from hub.service_notes import ObjectiveDay
from spoke.changes import ChangeKind
from spoke.errors import words_of
from worker.last_words import last_words
from worker.ports import Clock, Register
from worker.trip import Ending, EndingKind, Trip

log = structlog.get_logger()

INTERVAL = 60.0
"""Seconds between two writes: so much a worker that is killed takes with it at the most."""

PATIENCE = 10.0
"""Seconds for one write."""

REMEMBERED = 1000
"""Messages, the newest: SQS may deliver one again though it was deleted, and it counts once."""

SCANNED = frozenset({EndingKind.STORED, EndingKind.COVERED, EndingKind.PARKED})
"""Endings by which a change that has a stored result was scanned; parked, if only its effects were given up."""


class Objective:
    """Counts changes until they are written down; one write a minute, whatever the load.

    Whatever goes wrong with a write costs a line in the log: the counts go with the next one.

    Args:
        register: Where the days are kept.
        clock: Tells the day.
        target: Seconds within which a change is to be scanned.
    """

    def __init__(self, register: Register, clock: Clock, *, target: int) -> None:
        self._register = register
        self._clock = clock
        self._target = target
        self._days: dict[date, ObjectiveDay] = {}
        self._counted: OrderedDict[str, None] = OrderedDict()
        self._is_over = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def count(self, trip: Trip, ending: Ending) -> None:
        """A message was settled: deleted or parked, so that it does not come again.

        Counted is a change that came by itself, not by the archive's replay, and that was scanned for this message or
        given up. What a scan for another message covers counts with that one.
        """
        change = trip.change
        if change is None or change.kind is ChangeKind.REQUESTED or change.replay is not None:
            return
        latency = trip.latency
        if ending.kind not in SCANNED or (latency is None and ending.kind is not EndingKind.PARKED):
            return
        if trip.message.id in self._counted:
            return
        self._counted[trip.message.id] = None
        if len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        seconds = latency.total_seconds() if latency is not None else None
        self._add(
            ObjectiveDay(
                day=self._clock.now().astimezone(UTC).date(),
                target=self._target,
                changes=1,
                within=int(seconds is not None and seconds <= self._target),
                failed=int(seconds is None),
                slowest=seconds or 0.0,
            )
        )

    def begin(self) -> None:
        """Write once a minute, until `settled`."""
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def settled(self) -> None:
        """Write what is left, but do not wait for that for long."""
        self._is_over.set()
        if self._running is not None:
            await last_words([self._running])

    async def _run(self) -> None:
        # To its end, not cancelled in the middle: a write that is broken off may count or not.
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._is_over.wait()
            await self._write()

    def _add(self, more: ObjectiveDay) -> None:
        known = self._days.get(more.day)
        if known is not None:
            more = replace(
                more,
                changes=known.changes + more.changes,
                within=known.within + more.within,
                failed=known.failed + more.failed,
                slowest=max(known.slowest, more.slowest),
            )
        self._days[more.day] = more

    async def _write(self) -> None:
        # What ends meanwhile counts with the next write.
        days, self._days = self._days, {}
        for day in days.values():
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._register.count_changes(day)
            except Exception as error:  # noqa: BLE001  # the figure is not worth the worker
                self._add(day)
                log.warning("changes not counted yet", changes=day.changes, reason=words_of(error))
