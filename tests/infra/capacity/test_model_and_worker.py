"""The model beside the worker itself: `worker.service.Service` on its in-memory adapters, in virtual time."""

import asyncio
import random
import statistics
from collections.abc import Sequence
from datetime import timedelta

import pytest

from hub.message import Source
from infra.capacity.durations import Draw, Lognormal
from infra.capacity.model import run as model
from infra.capacity.record import Record
from tests.infra.capacity.scenarios import scenario
from tests.virtual_time import run
from tests.worker.worlds import TestWorld, event, function, request, running, snapshot
from worker.memory.scanner import Script

SECONDS = 60.0
ACCOUNTS = 50


class Observed:
    """What one worker did with a stream of changes and a sweep, in seconds from the beginning."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.swept_at: list[float] = []


async def _work(arrivals: Sequence[float], seconds: Sequence[float], swept: int, until: float | None) -> Observed:
    world, observed = TestWorld(max_concurrent_scans=4), Observed()
    loop = asyncio.get_running_loop()

    for number in range(swept):
        arn = function(f"swept-{number}", account=f"{210_000_000_000 + number % ACCOUNTS}")
        world.spoke.put(snapshot(arn))
        world.scanner.script(arn, Script(duration=timedelta(seconds=SECONDS)))
        await world.sweep.send(request(arn), group=arn.account)

    async def come() -> None:
        for number, (at, takes) in enumerate(zip(arrivals, seconds, strict=True)):
            await asyncio.sleep(at - loop.time())
            arn = function(f"changed-{number}", account=f"{210_000_000_000 + number % ACCOUNTS}")
            world.spoke.put(snapshot(arn))
            world.scanner.script(arn, Script(duration=timedelta(seconds=takes)))
            await world.changes.send(event(arn, at=world.clock.now()), group=arn.account)

    async with running(world.service(sweep=True)):
        await come()
        while world.changes.messages or (until is None and world.sweep.messages):
            await asyncio.sleep(1)
        if until is not None:
            await asyncio.sleep(until - loop.time())
    start = min(message.sent_at for message in (trip.message for trip in world.watch.trips))
    for trip in world.watch.trips:
        if trip.stored_at is not None:
            if trip.message.source is Source.CHANGES:
                observed.latencies.append((trip.stored_at - trip.message.sent_at).total_seconds())
            else:
                observed.swept_at.append((trip.stored_at - start).total_seconds())
    return observed


def worker(
    arrivals: Sequence[float] = (), seconds: Sequence[float] = (), *, swept: int = 0, until: float | None = None
) -> Observed:
    """Of one task with four slots."""
    return run(_work(arrivals, seconds, swept, until))


def drawn(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # a simulation, no secret


def in_turn(seconds: Sequence[float]) -> Draw:
    """Draws these, one after the other."""
    left = iter(seconds)
    return lambda _chance: next(left)


def arrivals_of(count: int, rate: float) -> tuple[float, ...]:
    chance, at, moments = drawn(5), 0.0, []
    for _ in range(count):
        at += chance.expovariate(rate)
        moments.append(at)
    return tuple(moments)


def model_latencies(record: Record) -> tuple[float, float, float]:
    median, p95 = record.latencies.quantiles(0.5, 0.95)
    return record.latencies.mean, median, p95


def test_a_stream_of_changes_waits_in_the_model_as_it_does_at_the_worker() -> None:
    """The same moments of arrival, the same seconds of each scan; 85 % of the slots are busy, so that queues form."""
    chance = drawn(6)
    seconds = [Lognormal(SECONDS)(chance) for _ in range(300)]
    arrivals = arrivals_of(300, 4 * 0.85 / SECONDS)
    observed = worker(arrivals, seconds)
    record = model(scenario(arrivals=arrivals, durations=in_turn(seconds), seconds=arrivals[-1] + 3600), 1)
    assert len(observed.latencies) == record.latencies.count == 300
    assert statistics.fmean(observed.latencies) > SECONDS * 1.2, "a queue forms"
    mean, median, p95 = model_latencies(record)
    assert mean == pytest.approx(statistics.fmean(observed.latencies), rel=0.02)
    assert median == pytest.approx(statistics.median(observed.latencies), rel=0.03)
    assert p95 == pytest.approx(statistics.quantiles(observed.latencies, n=20)[-1], rel=0.05)


def test_a_sweep_takes_as_long_in_the_model_as_it_does_at_the_worker() -> None:
    """120 functions in three of four slots: a quarter is out of a sweep's reach while there is no change."""
    observed = worker(swept=120)
    record = model(scenario(due=120, until_swept=True), 1)
    assert len(observed.swept_at) == 120
    assert record.ended_at == pytest.approx(max(observed.swept_at), rel=0.03)


def test_both_together_share_the_slots_in_the_model_as_they_do_at_the_worker() -> None:
    """A third of the slots is busy with changes: they find a slot at once, and the sweep keeps its half."""
    arrivals = arrivals_of(80, 4 / 3 / SECONDS)
    observed = worker(arrivals, [SECONDS] * 80, swept=100)
    record = model(scenario(arrivals=arrivals, due=100, until_swept=False, seconds=2 * 3600), 1)
    mean, _, p95 = model_latencies(record)
    assert mean == pytest.approx(statistics.fmean(observed.latencies), rel=0.04)
    assert p95 == pytest.approx(statistics.quantiles(observed.latencies, n=20)[-1], rel=0.10)
    assert record.ended_at == pytest.approx(max(observed.swept_at), rel=0.05)


def test_under_too_many_changes_the_sweep_goes_on_as_slowly_in_the_model_as_at_the_worker() -> None:
    chance = drawn(7)
    seconds = [Lognormal(SECONDS)(chance) for _ in range(400)]
    arrivals = tuple(number * 10.0 for number in range(400))
    until = 4100.0
    observed = worker(arrivals, seconds, swept=200, until=until)
    by_then = sum(at <= 3900 for at in observed.swept_at)
    record = model(scenario(arrivals=arrivals, durations=Lognormal(SECONDS), due=200, seconds=3900), 1)
    assert by_then > 10, "it goes on, below a tenth of the slots"
    assert record.swept == pytest.approx(by_then, rel=0.25)
