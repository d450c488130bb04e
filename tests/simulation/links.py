"""The worker's ports, each over one worker's line to what all workers share."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import BinaryIO

from hub.coverage import Coverage
from hub.message import Depth, Message, Parking, Source
from hub.metric_table import check
from hub.notification import Notification
from hub.scans import Claim, Claimed, Effect, Lease, ScanKey, ScanRecord, ScanSummary
from hub.sightings import Sighting
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, NoAccess, Throttled
from spoke.snapshot import FunctionSnapshot
from tests.simulation.line import Line
from tests.simulation.oracle import Oracle
from tests.simulation.plan import Rates
from tests.simulation.shared import Bell, RestlessQueue
from tests.simulation.truth import Organization
from worker.memory.clock import LoopClock
from worker.memory.ledger import MemoryLedger
from worker.memory.notifier import MemoryNotifier
from worker.memory.objects import MemoryObjects
from worker.memory.register import MemoryRegister

STRETCH = 120.0
"""Seconds by which a poll that brought nothing is prolonged while every queue is quiet: as good as many empty polls,
and far cheaper."""


class LinkedQueue:
    """The port `Queue`."""

    def __init__(
        self,
        line: Line,
        clock: LoopClock,
        queue: RestlessQueue,
        oracle: Oracle,
        rates: Rates,
        others: Sequence[RestlessQueue],
        bell: Bell,
    ) -> None:
        self._line = line
        self._clock = clock
        self._queue = queue
        self._oracle = oracle
        self._rates = rates
        self._others = others
        self._bell = bell

    @property
    def source(self) -> Source:
        return self._queue.source

    async def receive(self, limit: int, *, wait: float) -> Sequence[Message]:
        await self._line.request("queue", "receive")
        if self._line.happens(self._rates.early_empty):
            self._oracle.trace.count("fault: early empty receive")
            return ()
        received = await self._queue.receive(limit, wait=wait)
        if not received:
            if wait:
                await self._bell.heard_within(max(0.0, min(STRETCH, *(one.seconds_until_next for one in self._others))))
            return ()
        self._oracle.taken(self._line.name, received)
        await self._line.answer("queue", "receive")
        received = [replace(message, received_at=self._clock.now()) for message in received]
        self._oracle.received(self._line.name, received)
        return received

    async def extend(self, messages: Sequence[Message], visibility: timedelta) -> Sequence[Message]:
        await self._line.request("queue", "extend")
        tried = [one for one in messages if not self._line.happens(self._rates.partial_batch)]
        if len(tried) < len(messages):
            self._line.fault("extend", "partial batch")
        failed = [*await self._queue.extend(tried, visibility), *(one for one in messages if one not in tried)]
        await self._line.answer("queue", "extend")
        self._oracle.extended(self._line.name, messages, failed)
        return failed

    async def give_back(self, message: Message, delay: timedelta) -> None:
        self._oracle.settling(self._line.name, message)
        await self._line.request("queue", "give back")
        await self._queue.give_back(message, delay)
        self._oracle.given_back(self._line.name, message, delay)
        await self._line.answer("queue", "give back")

    async def delete(self, messages: Sequence[Message]) -> Sequence[Message]:
        for message in messages:
            self._oracle.settling(self._line.name, message)
        await self._line.request("queue", "delete")
        tried = [one for one in messages if not self._line.happens(self._rates.partial_batch)]
        if len(tried) < len(messages):
            self._line.fault("delete", "partial batch")
        there = {one.id for one in self._queue.messages}
        failed = await self._queue.delete(tried)
        left = {one.id for one in self._queue.messages}
        for message in tried:
            self._oracle.deleted(self._line.name, message, effective=message.id in there and message.id not in left)
        await self._line.answer("queue", "delete")
        return [*failed, *(one for one in messages if one not in tried)]

    async def park(self, message: Message, parking: Parking) -> None:
        self._oracle.settling(self._line.name, message)
        await self._line.request("queue", "park")
        if self._line.happens(self._rates.partial_batch):
            # Sent to the dead-letter queue, not deleted here: two calls, and the second failed.
            self._queue.parked.append((message.body, parking))
            self._oracle.parked(self._line.name, message, parking, effective=False)
            self._line.fault("park", "half parked")
            await self._line.request("queue", "park")
        there = {one.id for one in self._queue.messages}
        await self._queue.park(message, parking)
        left = {one.id for one in self._queue.messages}
        effective = message.id in there and message.id not in left
        self._oracle.parked(self._line.name, message, parking, effective=effective)
        await self._line.answer("queue", "park")

    async def send(self, body: str, *, group: str) -> None:
        await self._line.call("queue", "send", lambda: self._queue.send(body, group=group))

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return await self._line.call("queue", "send all", lambda: self._queue.send_all(requests))

    async def depth(self) -> Depth:
        return await self._line.call("queue", "depth", self._queue.depth)


class LinkedLedger:
    """The port `Ledger`."""

    def __init__(self, line: Line, ledger: MemoryLedger, oracle: Oracle) -> None:
        self._line = line
        self._ledger = ledger
        self._oracle = oracle

    async def look_up(self, keys: Collection[ScanKey]) -> Mapping[ScanKey, ScanRecord]:
        return await self._line.call("ledger", "look up", lambda: self._ledger.look_up(keys))

    async def claim(
        self, key: ScanKey, *, message_id: str, now: datetime, duration: timedelta, force: bool = False
    ) -> Claim:
        await self._line.request("ledger", "claim")
        claim = await self._ledger.claim(key, message_id=message_id, now=now, duration=duration, force=force)
        if isinstance(claim, Claimed):
            self._oracle.claimed(self._line.name, claim.lease)
        await self._line.answer("ledger", "claim")
        return claim

    async def renew(self, lease: Lease, *, now: datetime, duration: timedelta) -> Lease:
        return await self._line.call("ledger", "renew", lambda: self._ledger.renew(lease, now=now, duration=duration))

    async def release(self, lease: Lease) -> None:
        await self._line.call("ledger", "release", lambda: self._ledger.release(lease))

    async def release_all(self, function: FunctionArn, *, message_id: str) -> None:
        self._oracle.parting(self._line.name, message_id)
        await self._line.call(
            "ledger", "release all", lambda: self._ledger.release_all(function, message_id=message_id)
        )

    async def commit(self, lease: Lease, summary: ScanSummary, coverage: Coverage, *, owed: Collection[Effect]) -> bool:
        return await self._line.call(
            "ledger", "commit", lambda: self._ledger.commit(lease, summary, coverage, owed=owed)
        )

    async def mark_done(self, key: ScanKey, effects: Collection[Effect], *, scan_id: str) -> None:
        await self._line.call("ledger", "mark done", lambda: self._ledger.mark_done(key, effects, scan_id=scan_id))

    async def note_failure(self, message_id: str, failure: Failure) -> Sequence[Failure]:
        return await self._line.call("ledger", "note failure", lambda: self._ledger.note_failure(message_id, failure))

    async def announce(self, subject: str, *, now: datetime, quiet: timedelta) -> bool:
        return await self._line.call("ledger", "announce", lambda: self._ledger.announce(subject, now=now, quiet=quiet))

    async def record(self, coverage: Coverage) -> bool:
        return await self._line.call("ledger", "record", lambda: self._ledger.record(coverage))

    async def coverage(self, function: FunctionArn) -> Coverage | None:
        return await self._line.call("ledger", "coverage", lambda: self._ledger.coverage(function))

    async def coverages(self) -> AsyncIterator[Coverage]:
        await self._line.request("ledger", "coverages")
        async for one in self._ledger.coverages():
            yield one

    async def sight(self, sighting: Sighting) -> bool:
        return await self._line.call("ledger", "sight", lambda: self._ledger.sight(sighting))

    async def sightings(self) -> AsyncIterator[Sighting]:
        await self._line.request("ledger", "sightings")
        async for one in self._ledger.sightings():
            yield one


def linked_register(line: Line, clock: LoopClock, register: MemoryRegister) -> MemoryRegister:
    """The ports `Register` and `SweepRegister`: one process's adapter, which goes over its line to everybody's table.

    The line lies behind the adapter: it knows itself what to do about an answer that was lost.
    """

    async def on_call(operation: str, *, after: bool) -> None:
        await (line.answer if after else line.request)("ledger", operation.replace("_", " "))

    return MemoryRegister(clock, on_call, beside=register)


class LinkedObjects:
    """The port `Objects`."""

    def __init__(self, line: Line, objects: MemoryObjects, oracle: Oracle) -> None:
        self._line = line
        self._objects = objects
        self._oracle = oracle

    async def check(self) -> None:
        await self._line.call("objects", "check bucket", self._objects.check)

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        await self._line.request("objects", "put")
        await self._objects.put(key, content, size=size, content_type=content_type)
        self._oracle.stored(self._line.name, key)
        await self._line.answer("objects", "put")

    async def get(self, key: str) -> bytes | None:
        return await self._line.call("objects", "get", lambda: self._objects.get(key))


class LinkedNotifier:
    """The port `Notifier`."""

    def __init__(self, line: Line, notifier: MemoryNotifier, oracle: Oracle) -> None:
        self._line = line
        self._notifier = notifier
        self._oracle = oracle

    async def notify(self, notification: Notification) -> None:
        await self._line.request("notifier", "notify")
        await self._notifier.notify(notification)
        self._oracle.notified(self._line.name, notification)
        await self._line.answer("notifier", "notify")


class LinkedSpoke:
    """The port `Spoke`: in front of it AWS's own adapter, whose clock is the worker's."""

    def __init__(self, line: Line, clock: LoopClock, organization: Organization, oracle: Oracle) -> None:
        self._line = line
        self._clock = clock
        self._organization = organization
        self._oracle = oracle

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        self._oracle.describing(self._line.name, function)
        await self._line.request("spoke", "describe")
        try:
            snapshot = self._organization.describe(function, _now())
        except (NoAccess, Throttled):
            self._oracle.refused(self._line.name, function.account)
            raise
        self._oracle.admitted(self._line.name, function.account)
        await self._line.answer("spoke", "describe")
        return snapshot

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        await self._line.request("spoke", "scan credentials")
        credentials = self._organization.scan_credentials(snapshot, _now(), self._clock.now())
        await self._line.answer("spoke", "scan credentials")
        return credentials

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        await self._line.request("spoke", "tag")
        try:
            written = self._organization.tag(function, tags, present)
        except (Gone, NoAccess):
            # A refusal for good is an answer, too: the tags were tried.
            self._oracle.tagged(self._line.name, function, tags)
            raise
        if written:
            self._oracle.tagged(self._line.name, function, tags)
        await self._line.answer("spoke", "tag")
        return written


class LinkedMetrics:
    """The port `Metrics`: it cannot fail."""

    def __init__(self, line: Line, oracle: Oracle) -> None:
        self._line = line
        self._oracle = oracle

    def emit(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], **properties: str) -> None:
        check(values, dimensions)
        self._oracle.measured(self._line.name, values, properties)


class LinkedProtection:
    """The port `Protection`: an agent on the worker's own machine, which sometimes fails."""

    def __init__(self, line: Line, oracle: Oracle) -> None:
        self._line = line
        self._oracle = oracle

    async def protect(self, span: timedelta) -> None:
        await self._line.request("protection", "protect")
        self._oracle.protected(self._line.name, until=_now() + span.total_seconds())
        await self._line.answer("protection", "protect")

    async def release(self) -> None:
        await self._line.request("protection", "unprotect")
        self._oracle.protected(self._line.name, until=None)
        await self._line.answer("protection", "unprotect")


def _now() -> float:
    return asyncio.get_running_loop().time()
