"""A worker on the embedded cloud, round by round: all that it scans is held until the test lets go of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.message import Source
from hub.scanned import Scanned
from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.own_requests import scan_request
from spoke.snapshot import FunctionSnapshot
from tests.e2e import quick_worker
from tests.worker.worlds import event
from worker import room
from worker.memory.scanner import MemoryScanner, Run, Script
from worker.ports import Clock, Queue
from worker.tally import Tally
from worker.trip import Stage, Trip
from worker.world import World

AT_REST = frozenset({Stage.SCAN, Stage.WAIT})
"""Stages that a message does not leave by itself while every scan is held."""

EMPTY_TURNS = 4
"""Turns in a row that gave nothing, after which there is nothing to be had: one that began before all was at rest, and
three more, so that the sweep has one after the changes had none: its share depends on that."""


class HeldScanner(MemoryScanner):
    """Each scan runs until it is let go.

    Attributes:
        on_hold: Called whenever one more is held.
    """

    def __init__(self, clock: Clock, *, default: Script) -> None:
        super().__init__(clock, default=default)
        self.on_hold: Callable[[], None] = _nobody_waits
        self._gates: dict[FunctionArn, asyncio.Event] = {}

    def let_go(self, run: Run) -> None:
        """It may end."""
        self._gates[run.function].set()

    async def _perform(self, script: Script, run: Run, snapshot: FunctionSnapshot) -> Scanned:
        gate = self._gates[run.function] = asyncio.Event()
        self.on_hold()
        await gate.wait()
        return await super()._perform(script, run, snapshot)


def _nobody_waits() -> None:
    """The room is not there yet."""


class WatchedRoom(room.Room):
    """Tells when the worker has all that it can have."""

    def __init__(self, running: Collection[Trip], world: World, *, sources: Collection[Source]) -> None:
        super().__init__(running, world, sources=sources)
        self.trips = running
        self._is_full = False
        self._empty_turns = 0
        self._turned = asyncio.Event()
        assert isinstance(world.scanner, HeldScanner)
        self._scanner = world.scanner
        self._scanner.on_hold = self._turned.set

    async def wait(self, source: Source) -> int:
        """As the room itself."""
        self._is_full = source is Source.CHANGES and self.free <= 0
        self._turned.set()
        count = await super().wait(source)
        self._is_full = False
        if not count:
            self._turn(0)
        return count

    def took(self, source: Source, count: int) -> None:
        """As the room itself."""
        super().took(source, count)
        self._turn(count)

    def look_again(self) -> None:
        """As the room itself: also whenever a journey has ended."""
        super().look_again()
        self._turned.set()

    def _turn(self, count: int) -> None:
        is_empty = not count and self._is_at_rest
        self._empty_turns = self._empty_turns + 1 if is_empty else 0
        self._turned.set()

    @property
    def _is_at_rest(self) -> bool:
        stages = [trip.stage for trip in self.trips]
        return all(stage in AT_REST for stage in stages) and stages.count(Stage.SCAN) == len(self._scanner.running)

    async def without(self, function: FunctionArn) -> None:
        """Until the journey of this function is over."""
        while any(trip.function == function for trip in self.trips):
            await self._turn_or_end()

    async def rest(self) -> None:
        """Until every message in hand is being scanned or waits for that, and the queues have nothing more for it."""
        self._empty_turns = 0
        while True:
            if self._is_at_rest and (self._empty_turns >= EMPTY_TURNS or (self._is_full and self.free <= 0)):
                return
            await self._turn_or_end()

    async def _turn_or_end(self) -> None:
        self._turned.clear()
        await self._turned.wait()


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is in the queues.

    Attributes:
        swept: Before the worker begins.
        changes: By the round in which they come, while its scans run.
    """

    swept: Sequence[FunctionArn] = ()
    changes: Mapping[int, Sequence[FunctionArn]] = field(default_factory=dict)


@contextmanager
def watched() -> Iterator[list[WatchedRoom]]:
    """Workers that are made meanwhile can be watched and held; their polls are short, to save time."""
    rooms: list[WatchedRoom] = []

    def made(running: Collection[Trip], world: World, *, sources: Collection[Source]) -> WatchedRoom:
        rooms.append(WatchedRoom(running, world, sources=sources))
        return rooms[-1]

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(quick_worker, "MemoryScanner", HeldScanner)
        monkeypatch.setattr("worker.service.Room", made)
        monkeypatch.setattr(room, "LONG_POLL", 0.0)
        monkeypatch.setattr(room, "SHARED_POLL", 0.0)
        yield rooms


Rounds = Sequence[Sequence[FunctionArn]]
"""The functions that ran together, in the order in which their scans began."""


async def rounds(settings: Settings, sent: Sent) -> Rounds:
    """Work until both queues are empty.

    The scans of a round are let go one by one in the order in which they began, as those do that take equally long;
    what begins in their slots is of the next round.
    """
    with watched() as made:
        return await _rounds(settings, sent, made)


async def _rounds(settings: Settings, sent: Sent, made: Sequence[WatchedRoom]) -> Rounds:
    async with quick_worker.opened(settings) as (service, scanner, hub):
        await _send(hub.queues[Source.SWEEP], sent.swept, lambda arn: scan_request(arn, reason="sweep"))
        (slots,) = made
        assert isinstance(scanner, HeldScanner)
        working = asyncio.create_task(service.run())
        seen: list[Sequence[FunctionArn]] = []
        while True:
            await _or_failed(slots.rest(), working)
            if changes := sent.changes.get(len(seen), ()):
                await _send(hub.queues[Source.CHANGES], changes, event)
                await _or_failed(slots.rest(), working)
            if not (held := scanner.running):
                break
            seen.append([run.function for run in held])
            for run in held:
                scanner.let_go(run)
                await _or_failed(_ended(slots, run.function), working)
        service.stop()
        await working
        depths = [await queue.depth() for queue in hub.queues.values()]
        assert not any(depth.visible + depth.in_flight + depth.delayed for depth in depths)
        assert max(Counter(run.function for run in scanner.runs).values(), default=1) == 1, "none was scanned twice"
    return seen


async def _ended(slots: WatchedRoom, function: FunctionArn) -> None:
    """The journey of this function is over, and whatever that made room for has begun."""
    await slots.without(function)
    await slots.rest()


async def _or_failed(work: Coroutine[Any, Any, None], working: asyncio.Task[Tally]) -> None:
    """Wait for it, but not for a worker that has ended."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, working}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        working.result()
        raise AssertionError("the worker has ended before its time")
    task.result()


async def _send(queue: Queue, functions: Sequence[FunctionArn], body: Callable[[FunctionArn], str]) -> None:
    assert not await queue.send_all([(body(arn), arn.account) for arn in functions])
