"""A sweep over accounts in memory, under virtual time."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub.coverage import Coverage, CoverageState
from hub.message import Source
from hub.scans import ScanStatus, ScanSummary
from hub.settings import Settings
from hub.sweep.course import SweepWorld
from hub.sweep.progress import SweepProgress
from hub.sweep.report import SweepReport
from hub.sweep.sweep import Sweep
from hub.sweeps import SweepScope
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from tests.worker.worlds import CODE, settings
from worker.memory.clock import START, LoopClock
from worker.memory.estate import MemoryEstate
from worker.memory.ledger import MemoryLedger
from worker.memory.objects import MemoryObjects
from worker.memory.queue import MemoryQueue
from worker.memory.register import MemoryRegister

PROFILE = "0f3c5a9d2b71"
SCOPE = SweepScope(profile_id=PROFILE)
REGIONS = ("ap-southeast-2", "eu-central-1", "us-east-1")
ACCOUNT = "210000000001"


def account(number: int) -> str:
    return f"2100{number:08}"


def function(name: str, *, account: str = ACCOUNT, region: str = "eu-central-1") -> FunctionArn:
    return FunctionArn("aws", region, account, name)


def snapshot(arn: FunctionArn, **changes: Any) -> FunctionSnapshot:
    """As ListFunctions tells of a function: without tags."""
    values: dict[str, Any] = {
        "code_sha256": CODE,
        "last_modified": START - timedelta(days=30),
        "runtime": "python3.13",
        "code_size": 41_317,
    }
    return FunctionSnapshot(arn=arn, **{**values, **changes})


def covered(one: FunctionSnapshot, *, fresh_until: datetime | None = None, profile_id: str = PROFILE) -> Coverage:
    at = one.last_modified + timedelta(minutes=2)
    summary = ScanSummary(
        scan_id="20251202T000200000Z-8a7b6c5d",
        status=ScanStatus.SUCCESS,
        manifest_key=f"scans/{one.arn.account}/{one.arn.region}/{one.arn.name}/20251202T000200000Z-8a7b6c5d/manifest.json",
        completed_at=at,
        fresh_until=fresh_until or START + timedelta(days=20),
        profile_id=profile_id,
    )
    return Coverage(
        function=one.arn,
        state=CoverageState.COVERED,
        at=at,
        as_of=one.last_modified,
        fingerprint=one.fingerprint,
        last_good=summary,
        runtime=one.runtime_name,
    )


@dataclass
class Onlooker:
    """Keeps what it is told."""

    looks: list[SweepProgress] = field(default_factory=list)

    def progressed(self, progress: SweepProgress) -> None:
        self.looks.append(progress)


class Calls:
    """Counts and delays the calls of all ports, and lets a test step in."""

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.made: Counter[str] = Counter()
        self.before: dict[str, Callable[[], Any]] = {}
        self.after: dict[str, Callable[[], Any]] = {}

    async def __call__(self, operation: str, *, after: bool) -> None:
        if not after:
            self.made[operation] += 1
            if self.latency:
                await asyncio.sleep(self.latency)
        step = (self.after if after else self.before).get(operation)
        if step is not None and (waits := step()) is not None:
            await waits

    async def of_place(self, operation: str, account: str, region: str, *, after: bool) -> None:  # noqa: ARG002  # the hook's form
        await self(operation, after=after)


@dataclass(frozen=True)
class Step:
    """One call to an account, before or after its effect."""

    operation: str
    account: str
    region: str
    after: bool


class OnEachStep:
    """Hands each step of the estate to a test."""

    def __init__(self, step: Callable[[Step], Awaitable[None]]) -> None:
        self._step = step

    async def __call__(self, operation: str, account: str, region: str, *, after: bool) -> None:
        await self._step(Step(operation, account, region, after))


class Rig:
    """Everything that outlives one process, and the means to start processes."""

    def __init__(self, *, latency: float = 0.0, **changes: Any) -> None:
        self.settings: Settings = settings(**{"sweep_per_minute": 0, **changes})
        self.clock = LoopClock()
        self.calls = Calls(latency)
        self.estate = MemoryEstate(on_call=self.calls.of_place)
        self.ledger = MemoryLedger(on_call=self.calls)
        self.register = MemoryRegister(self.clock, on_call=self.calls)
        self.queue = MemoryQueue(
            source=Source.SWEEP, clock=self.clock, visibility=timedelta(minutes=2), on_call=self.calls
        )
        self.objects = MemoryObjects(on_call=self.calls)

    def world(self, **changes: Any) -> SweepWorld:
        world = SweepWorld(
            estate=self.estate,
            ledger=self.ledger,
            register=self.register,
            queue=self.queue,
            objects=self.objects,
            settings=self.settings,
            clock=self.clock,
        )
        return replace(world, **changes)

    async def sweep(
        self,
        accounts: Collection[str] = (ACCOUNT,),
        *,
        scope: SweepScope = SCOPE,
        onlooker: Onlooker | None = None,
        **options: Any,
    ) -> SweepReport:
        """One process, a minute after the last, in the order of the account ids."""
        await asyncio.sleep(60)
        sweep = Sweep(self.world(), observer=onlooker, shuffle=lambda _: None)
        return await sweep.run(scope, accounts, **options)

    def has(self, *arns: FunctionArn, **changes: Any) -> list[FunctionSnapshot]:
        """The functions are there."""
        snapshots = [snapshot(arn, **changes) for arn in arns]
        for one in snapshots:
            self.estate.put(one)
        return snapshots

    async def knows(self, *coverages: Coverage) -> None:
        """The ledger has this, without anybody noticing how it got there."""
        hook, self.ledger.on_call = self.ledger.on_call, None
        for one in coverages:
            assert await self.ledger.record(one)
        self.ledger.on_call = hook

    async def coverage(self, arn: FunctionArn) -> Coverage:
        hook, self.ledger.on_call = self.ledger.on_call, None
        found = await self.ledger.coverage(arn)
        self.ledger.on_call = hook
        assert found is not None
        return found

    async def states(self, arns: Iterable[FunctionArn]) -> list[CoverageState]:
        return [(await self.coverage(arn)).state for arn in arns]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.queue.messages]

    @property
    def queued(self) -> list[str]:
        """The ARNs in the queue, sorted."""
        return sorted(body["detail"]["functionArn"] for body in self.bodies)
