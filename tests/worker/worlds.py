"""A whole world in memory: one worker, its queues, accounts with functions, a scanner by script."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from pydantic import SecretStr

from hub.coverage import Coverage
from hub.message import Message, Source
from hub.results import Results
from hub.scans import ScanKey
from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.own_requests import scan_request
from spoke.snapshot import FunctionSnapshot
from tests.virtual_time import run
from worker.journey import journey
from worker.memory.clock import START, LoopClock
from worker.memory.ledger import MemoryLedger
from worker.memory.metrics import MemoryMetrics
from worker.memory.notifier import MemoryNotifier
from worker.memory.objects import MemoryObjects
from worker.memory.queue import MemoryQueue
from worker.memory.register import MemoryRegister
from worker.memory.scanner import MemoryScanner, Script
from worker.memory.spoke import MemorySpoke
from worker.service import Service
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.world import World

ACCOUNT = "210000000001"
REGION = "eu-central-1"
CODE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
NEWER_CODE = "Gtq8B2vZ4bqUo1WkH0cO5l0nHlLq3Jk2m4nXx1m5D3E="

LONG = Script(duration=timedelta(hours=2))

P = ParamSpec("P")


def settings(**changes: Any) -> Settings:
    """The settings of a worker in a test."""
    values: dict[str, Any] = {
        "changes_queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
        "changes_dlq_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes-dlq",
        "ledger_table": "scanhub-ledger",
        "results_bucket": "scanhub-results",
        "qualys_secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
        "external_id": SecretStr("an-external-id"),
        "max_concurrent_scans": 4,
        "work_dir": Path("/nowhere"),
    }
    return Settings(**{**values, **changes})


def function(name: str = "payments", *, account: str = ACCOUNT, region: str = REGION) -> FunctionArn:
    return FunctionArn("aws", region, account, name)


def snapshot(arn: FunctionArn | None = None, **changes: Any) -> FunctionSnapshot:
    values: dict[str, Any] = {
        "code_sha256": CODE,
        "last_modified": START - timedelta(minutes=5),
        "runtime": "python3.13",
    }
    return FunctionSnapshot(arn=arn or function(), **{**values, **changes})


def event(
    arn: FunctionArn | None = None,
    *,
    name: str = "UpdateFunctionCode20150331v2",
    account: str | None = None,
    code: str | None = CODE,
    at: datetime = START,
    last_modified: datetime = START - timedelta(minutes=5),
) -> str:
    """A CloudTrail event as EventBridge delivers it; `code` None leaves the response out, as with DeleteFunction."""
    arn = arn or function()
    response = None
    if code is not None:
        response = {
            "functionName": arn.name,
            "functionArn": str(arn),
            "codeSha256": code,
            "lastModified": f"{last_modified:%Y-%m-%dT%H:%M:%S}.000+0000",
            "state": "Active",
            "lastUpdateStatus": "InProgress",
        }
    return json.dumps(
        {
            "version": "0",
            "id": "3a1b2c3d-0000-4000-8000-000000000001",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.lambda",
            "account": account or arn.account,
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "region": arn.region,
            "resources": [],
            "detail": {
                "eventVersion": "1.11",
                "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "eventSource": "lambda.amazonaws.com",
                "eventName": name,
                "awsRegion": arn.region,
                "requestParameters": {"functionName": arn.name},
                "responseElements": response,
                "eventID": "3a1b2c3d-0000-4000-8000-000000000002",
                "eventType": "AwsApiCall",
                "recipientAccountId": account or arn.account,
            },
        }
    )


def request(arn: FunctionArn | None = None, *, force: bool = False) -> str:
    return scan_request(arn or function(), reason="manual", force=force)


@dataclass
class Watch:
    """Remembers every stage of every message, and may act when one is reached."""

    stages: list[tuple[str, Stage]] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)

    def moved(self, trip: Trip) -> None:
        self.stages.append((trip.message.id, trip.stage))
        if trip.stage is Stage.ENDED:
            self.trips.append(trip)


class TestWorld:
    """Everything by name. Needs a running loop; made for `tests.virtual_time.run`."""

    __test__ = False

    def __init__(self, **changes: Any) -> None:
        self.settings = settings(**changes)
        self.clock = LoopClock()
        visibility = timedelta(seconds=self.settings.visibility_timeout)
        self.changes = MemoryQueue(source=Source.CHANGES, clock=self.clock, visibility=visibility)
        self.sweep = MemoryQueue(source=Source.SWEEP, clock=self.clock, visibility=visibility)
        self.ledger = MemoryLedger()
        self.objects = MemoryObjects()
        self.spoke = MemorySpoke(self.clock)
        self.scanner = MemoryScanner(self.clock)
        self.notifier = MemoryNotifier()
        self.metrics = MemoryMetrics()
        self.register = MemoryRegister(self.clock)
        self.watch = Watch()
        self.renewed: list[datetime] = []
        self.world = World(
            settings=self.settings,
            clock=self.clock,
            spoke=self.spoke,
            ledger=self.ledger,
            results=Results(self.objects),
            scanner=self.scanner,
            notifier=self.notifier,
            metrics=self.metrics,
            register=self.register,
            version="1.2.3",
            observer=self.watch,
        )

    def service(self, *, sweep: bool = False, renew: Callable[[], Awaitable[None]] | None = None) -> Service:
        queues = {Source.CHANGES: self.changes} | ({Source.SWEEP: self.sweep} if sweep else {})
        return Service(queues, self.world, renew_credentials=renew or self._renew)

    async def _renew(self) -> None:
        self.renewed.append(self.clock.now())

    async def coverage(self, arn: FunctionArn | None = None) -> Coverage:
        coverage = await self.ledger.coverage(arn or function())
        assert coverage is not None
        return coverage

    def endings(self) -> Sequence[tuple[str, str]]:
        """Kind and reason of every journey that has ended, in that order."""
        return [(trip.ending.kind.value, trip.ending.reason) for trip in self.watch.trips if trip.ending is not None]


def message(body: str, *, number: int = 1, receive_count: int = 1, now: datetime = START) -> Message:
    return Message(f"message-{number}", body, f"handle-{number}-{receive_count}", receive_count, now, now)


async def travel(world: TestWorld, body: str, **delivery: Any) -> tuple[Ending, Trip]:
    trip = Trip(message(body, **delivery))
    ending = await journey(trip, world.world)
    return ending, trip


async def travel_again(world: TestWorld, body: str, times: int) -> tuple[Ending, Trip]:
    """So many deliveries of one message, a quarter of an hour apart; the last one's end."""
    for receive_count in range(1, times):
        ending, _ = await travel(world, body, receive_count=receive_count, now=world.clock.now())
        assert ending.kind is EndingKind.GIVEN_BACK, f"the delivery {receive_count} ended: {ending}"
        await asyncio.sleep(1000)
    return await travel(world, body, receive_count=times, now=world.clock.now())


def in_world(
    *, filled: int | None = None, **changes: Any
) -> Callable[[Callable[Concatenate[TestWorld, P], Awaitable[None]]], Callable[P, None]]:
    """Run the test in virtual time, in a world of its own.

    Args:
        filled: The world holds so many functions, and an event for each in the queue; see `fill`. None: it holds one
            function, `payments`, and no event.
        changes: Settings.
    """

    def decorate(test: Callable[Concatenate[TestWorld, P], Awaitable[None]]) -> Callable[P, None]:
        async def main(*arguments: P.args, **named: P.kwargs) -> None:
            world = TestWorld(**changes)
            if filled is None:
                world.spoke.put(snapshot())
            else:
                await fill(world, filled)
            await test(world, *arguments, **named)

        def wrapper(*arguments: P.args, **named: P.kwargs) -> None:
            run(main(*arguments, **named))

        wrapper.__name__, wrapper.__doc__ = test.__name__, test.__doc__
        # pytest hands over what it finds here; the world is not its own to give.
        _, *given = (whole := signature(test)).parameters.values()
        wrapper.__signature__ = whole.replace(parameters=given)  # type: ignore[attr-defined]  # of any callable (PEP 362)
        return wrapper

    return decorate


def key_of(world: TestWorld, code: str = CODE) -> ScanKey:
    return ScanKey(function(), snapshot(code_sha256=code).fingerprint, world.scanner.profile.id)


async def fill(world: TestWorld, count: int, *, prefix: str = "function") -> None:
    """So many functions, and an event for each in the queue."""
    for number in range(count):
        arn = function(f"{prefix}-{number}")
        world.spoke.put(snapshot(arn))
        await world.changes.send(event(arn), group=arn.account)


def receive_counts(world: TestWorld) -> list[int]:
    """Of every message in the queue of changes."""
    return sorted(message.receive_count for message in world.changes.messages)


def started(service: Service, *, drain: bool = False) -> asyncio.Task[object]:
    return asyncio.ensure_future(service.run(drain=drain))


@asynccontextmanager
async def running(service: Service, *, stops: int = 1) -> AsyncIterator[Service]:
    """The service runs meanwhile; then it is told to stop, so many times, and has ended."""
    task = started(service)
    # Not in a `finally`: what failed meanwhile is not to wait for a scan of two hours, nor to be hidden by its end.
    yield service
    for _ in range(stops):
        service.stop()
    await task


async def scans_running(world: TestWorld, count: int) -> None:
    while len(world.scanner.running) < count:
        await asyncio.sleep(0.1)
