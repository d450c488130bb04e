"""One table of what the worker's own code costs: no AWS, no scanner, in-memory adapters.

CPU time, not wall time, so that a busy machine does not show; the best of several rounds.
"""

import asyncio
import io
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub import logs
from hub.message import Source
from hub.results import Results
from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.clock import SystemClock
from spoke.events import read
from spoke.snapshot import FunctionSnapshot
from worker.memory.ledger import MemoryLedger
from worker.memory.metrics import MemoryMetrics
from worker.memory.notifier import MemoryNotifier
from worker.memory.objects import MemoryObjects
from worker.memory.queue import MemoryQueue
from worker.memory.scanner import MemoryScanner, Script
from worker.memory.spoke import MemorySpoke
from worker.service import Service
from worker.world import World

ROUNDS = 5
EVENTS = 500
CODE = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def main() -> None:
    """Measure and print."""
    logs.configure("ERROR", stream=io.StringIO(), terminal=False)
    body = event(function(0))
    parse = best(lambda: [json.loads(body) for _ in range(EVENTS)]) / EVENTS
    reading = best(lambda: [read(body) for _ in range(EVENTS)]) / EVENTS
    scanned, covered = zip(*(asyncio.run(journeys()) for _ in range(ROUNDS)), strict=True)
    table = Table(box=None, header_style="bold")
    for heading in ("WHAT", "CPU TIME", "AS A RATIO"):
        table.add_column(heading, justify="left" if heading == "WHAT" else "right")
    rows = [
        ("reading an event", reading, f"{reading / parse:.1f} x json.loads"),
        ("a scanned event, scanner and AWS not counted", min(scanned), f"{min(scanned) / reading:.0f} x reading it"),
        ("a covered event, AWS not counted", min(covered), f"{min(covered) / reading:.0f} x reading it"),
    ]
    for what, seconds, ratio in rows:
        table.add_row(what, f"{seconds * 1000:.3f} ms", ratio)
    Console().print(table)


def best(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest round."""
    return min(spent(work) for _ in range(ROUNDS))


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of one round."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


async def journeys() -> tuple[float, float]:
    """CPU seconds an event: first each function is scanned, then the same events come again."""
    clock = SystemClock()
    queue = MemoryQueue(source=Source.CHANGES, clock=clock, visibility=timedelta(seconds=120))
    spoke = MemorySpoke(clock)
    for number in range(EVENTS):
        spoke.put(FunctionSnapshot(arn=function(number), code_sha256=CODE, last_modified=clock.now()))
    world = World(
        settings=settings(),
        clock=clock,
        spoke=spoke,
        ledger=MemoryLedger(),
        results=Results(MemoryObjects()),
        scanner=MemoryScanner(clock, default=Script(duration=timedelta(0))),
        notifier=MemoryNotifier(),
        metrics=MemoryMetrics(),
    )
    return await drained(queue, world), await drained(queue, world)


async def drained(queue: MemoryQueue, world: World) -> float:
    """CPU seconds an event, from the queue to its deletion."""
    for number in range(EVENTS):
        arn = function(number)
        await queue.send(event(arn), group=arn.account)

    async def nothing_to_renew() -> None:
        """The token is never refused here."""

    begun = time.process_time()
    tally = await Service({Source.CHANGES: queue}, world, renew_credentials=nothing_to_renew).run(drain=True)
    assert sum(tally.endings.values()) == EVENTS
    return (time.process_time() - begun) / EVENTS


def function(number: int) -> FunctionArn:
    """One of many functions."""
    return FunctionArn("aws", "eu-central-1", "210000000001", f"function-{number}")


def event(arn: FunctionArn) -> str:
    """A recorded update of this function's code, as EventBridge delivers it."""
    recorded = Path(__file__).parent.parent / "tests/spoke/events/update_code_by_arn_with_layers.json"
    document = json.loads(recorded.read_text())
    detail = document["detail"]
    document["account"], document["region"] = arn.account, arn.region
    detail["requestParameters"]["functionName"] = arn.name
    response = {"functionName": arn.name, "functionArn": str(arn), "codeSha256": CODE, "layers": []}
    detail["responseElements"] |= response
    return json.dumps(document)


def settings() -> Settings:
    """Ten slots: a whole receive at once."""
    return Settings.model_validate(
        {
            "changes_queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
            "changes_dlq_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes-dlq",
            "ledger_table": "scanhub-ledger",
            "results_bucket": "scanhub-results",
            "qualys_secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
            "external_id": "an-external-id",
            "max_concurrent_scans": 10,
        }
    )


if __name__ == "__main__":
    main()
