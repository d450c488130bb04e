"""How each figure is taken. Every measure sees to it that what it counted is what it means to count."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from bench import scanner
from bench.control import Cloud
from bench.figures import Figure, Tell, percentile
from bench.organization import covered, functions
from bench.places import ROOT
from bench.worker_process import Worker
from spoke.arn import FunctionArn

ROUNDS = 5
"""Of each figure of CPU time the cheapest round counts: what else the machine does can make a round dearer, never
cheaper. The baseline is taken alike."""

BASELINE_EVENTS = 30
COVERED_EVENTS = 600
SCANNED_EVENTS = 50
"""In each round."""

WARM_UP_EVENTS = 100
"""Before anything is counted: connections, role sessions and botocore's models are there in a worker that has run for a
minute."""

ARRIVALS = 40
LONGEST_PAUSE = 1.2
"""Seconds between an idle worker and the next arrival, at random: longer than a turn in which both queues are asked."""

SEED = 20261122
SLOTS = 10
"""A receive's worth."""

HELD_SLOTS = 64
HELD_FIRST = 8
HELD_THEN = 56
"""Messages in hand for the figure of memory: as many as one worker can scan at once."""

LONG_SCAN = 30.0
LONG_SCANS = 8
SETTLING = 120.0
"""Seconds after which what should long have been settled is taken as hanging."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measure needs."""

    cloud: Cloud
    directory: Path
    tell: Tell


def baseline(bench: Bench) -> float:
    """CPU seconds of the baseline for one covered event."""
    count = ROUNDS * BASELINE_EVENTS
    bench.tell(f"baseline: {ROUNDS} x {BASELINE_EVENTS} covered events, one at a time with boto3")
    arns = list(functions("baseline", count))
    bench.cloud.store(covered(iter(arns), scanner.PROFILE))
    bench.cloud.reset()
    bench.cloud.send(arns)
    run = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "bench.baseline", bench.cloud.endpoint, str(ROUNDS), str(BASELINE_EVENTS)],
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    calls = bench.cloud.calls()
    if bench.cloud.state()["deleted"] != count or calls["lambda:GetFunction"] != count:
        raise AssertionError(f"the baseline did something else: {calls}")
    rounds: list[float] = json.loads(run.stdout)
    return min(rounds)


def events_and_arrivals(bench: Bench, of_baseline: float) -> list[Figure]:
    """The figures of one worker with ten slots and a scanner that takes no time."""
    script = scanner.install(bench.directory / "instant", seconds=0)
    with Worker(bench.cloud, bench.directory / "instant-worker", scanner=script, slots=SLOTS) as worker:
        idle_before = worker.resident()
        warm = list(functions("warm-up", WARM_UP_EVENTS))
        bench.tell(f"warm-up: {WARM_UP_EVENTS} events scanned")
        _worked_off(bench, worker, warm, ending="EventsStored")
        figures = [*_covered_events(bench, worker, of_baseline), _scanned_events(bench, worker)]
        figures.append(_arrivals(bench, worker, script))
        idle = max(idle_before, worker.resident())
    memory = Figure(
        name="resident memory, idle",
        value=idle,
        limit=120,
        unit="MB",
        strict=True,
        beside=f"{idle_before:.1f} MB at the start, {idle:.1f} MB after all of the above",
    )
    return [*figures, memory]


def _worked_off(bench: Bench, worker: Worker, arns: list[FunctionArn], *, ending: str) -> tuple[float, dict[str, int]]:
    """Send an event for each, wait until all are done: the CPU seconds of the worker, and the calls that it made."""
    cloud = bench.cloud
    cloud.reset()
    ended, begun = worker.endings(), worker.cpu()
    cloud.send(arns)
    cloud.until_idle(len(arns), seconds=SETTLING)
    spent, calls = worker.cpu() - begun, cloud.calls()
    new = worker.endings_since(ended, count=len(arns))
    if new != {ending: len(arns)}:
        raise AssertionError(f"{len(arns)} events were to end as {ending}; they ended as {dict(new)}")
    return spent, calls


def _covered_events(bench: Bench, worker: Worker, of_baseline: float) -> list[Figure]:
    bench.tell(f"covered: {ROUNDS} x {COVERED_EVENTS} events of functions whose result is fresh")
    arns = list(functions("covered", COVERED_EVENTS))
    bench.cloud.store(covered(iter(arns), scanner.PROFILE))
    rounds = [_worked_off(bench, worker, arns, ending="EventsCovered") for _ in range(ROUNDS)]
    spent = min(spent for spent, _ in rounds)
    calls = Counter[str]()
    for _, made in rounds:
        calls.update(made)
    if any(name.startswith(("lambda:", "sts:")) for name in calls):
        raise AssertionError(f"covered events need no call to the spoke: {calls}")
    each, events = spent / COVERED_EVENTS, ROUNDS * COVERED_EVENTS
    return [
        Figure(
            name="CPU of the worker per covered event",
            value=each * 1000,
            limit=1,
            unit="ms",
            beside=f"baseline {of_baseline * 1000:.1f} ms",
        ),
        Figure(
            name="the same, as a share of the baseline",
            value=each / of_baseline,
            limit=0.1,
            beside=f"1/{of_baseline / each:.0f}",
        ),
        Figure(
            name="AWS calls per covered event, full batches",
            value=calls.total() / events,
            limit=0.4,
            beside=", ".join(f"{count / events:.3f} {name.partition(':')[2]}" for name, count in calls.most_common(3)),
        ),
    ]


def _scanned_events(bench: Bench, worker: Worker) -> Figure:
    bench.tell(f"scanned: {ROUNDS} x {SCANNED_EVENTS} events, each with a scan that takes no time")
    rounds = [
        _worked_off(bench, worker, list(functions(f"scanned-{number}", SCANNED_EVENTS)), ending="EventsStored")
        for number in range(ROUNDS)
    ]
    spent, calls = min(rounds, key=lambda one: one[0])
    return Figure(
        name="CPU of the worker per scanned event",
        value=spent / SCANNED_EVENTS * 1000,
        limit=10,
        unit="ms",
        beside=f"{sum(calls.values()) / SCANNED_EVENTS:.1f} AWS calls, {scanner.PACKAGES} packages",
    )


def _arrivals(bench: Bench, worker: Worker, script: Path) -> Figure:
    bench.tell(f"arrivals: {ARRIVALS} events at random moments in idle queues")
    cloud, chance = bench.cloud, random.Random(SEED)  # noqa: S311  # pauses need no secrecy
    cloud.reset()
    ended = worker.endings()
    for number, arn in enumerate(functions("arrival", ARRIVALS)):
        time.sleep(chance.uniform(0.05, LONGEST_PAUSE))
        cloud.send([arn])
        cloud.until_idle(number + 1, seconds=SETTLING)
    new = worker.endings_since(ended, count=ARRIVALS)
    if new != {"EventsStored": ARRIVALS}:
        raise AssertionError(f"every arrival was to be scanned; they ended as {dict(new)}")
    waits = [scanner.begun_at(script, one["label"]) - one["sent_at"] for one in cloud.journal()]
    return Figure(
        name="arrival in an idle queue to scanner's start, p95",
        value=percentile(waits, 0.95) * 1000,
        limit=1000,
        unit="ms",
        strict=True,
        beside=f"median {median(waits) * 1000:.0f} ms, most {max(waits) * 1000:.0f} ms",
    )


def held_messages(bench: Bench) -> Figure:
    """Memory for each further message in hand, each of them scanned at the moment and of an account of its own."""
    script = scanner.install(bench.directory / "endless", seconds=3600)
    with Worker(
        bench.cloud, bench.directory / "endless-worker", scanner=script, slots=HELD_SLOTS, drain_timeout=0
    ) as worker:
        bench.tell(f"memory: {HELD_FIRST} messages in hand, then {HELD_THEN}")
        arns = list(functions("held", HELD_THEN))
        bench.cloud.reset()
        bench.cloud.send(arns[:HELD_FIRST])
        first = _held(bench, worker, script, HELD_FIRST)
        bench.cloud.send(arns[HELD_FIRST:])
        then = _held(bench, worker, script, HELD_THEN)
    return Figure(
        name="resident memory per further held message",
        value=(then - first) / (HELD_THEN - HELD_FIRST),
        limit=0.5,
        unit="MB",
        strict=True,
        beside=f"{first:.1f} MB with {HELD_FIRST}, {then:.1f} MB with {HELD_THEN}",
    )


def _held(bench: Bench, worker: Worker, script: Path, count: int) -> float:
    """The worker's memory once so many scans run."""
    end = time.monotonic() + SETTLING
    while scanner.begun(script) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{scanner.begun(script)} of {count} scans have begun")
        time.sleep(0.05)
    if bench.cloud.state()["held"] != count:
        raise AssertionError(f"{count} messages were to be held: {bench.cloud.state()}")
    return worker.resident()


def long_scans(bench: Bench) -> list[Figure]:
    """What the worker adds to scans of thirty seconds, eight at once."""
    script = scanner.install(bench.directory / "long", seconds=LONG_SCAN)
    with Worker(bench.cloud, bench.directory / "long-worker", scanner=script, slots=LONG_SCANS) as worker:
        bench.tell(f"long scans: {LONG_SCANS} at once, {LONG_SCAN:g} s each")
        spent, _ = _worked_off(bench, worker, list(functions("long", LONG_SCANS)), ending="EventsStored")
        # From the queue until the message is deleted: with the wait, the calls, the start and the storing.
        whole = [one["deleted_at"] - one["sent_at"] for one in bench.cloud.journal()]
    added = [wall - LONG_SCAN for wall in whole]
    return [
        Figure(
            name=f"wall time added to a {LONG_SCAN:g} s scan, {LONG_SCANS} at once",
            value=mean(added) / LONG_SCAN * 100,
            limit=1,
            unit="%",
            strict=True,
            beside=f"{mean(added) * 1000:.0f} ms from queue to deletion, most {max(added) * 1000:.0f} ms",
        ),
        Figure(
            name="CPU of the worker beside them",
            value=spent / max(whole) * 100,
            limit=1,
            unit="%",
            strict=True,
            beside=f"{spent * 1000:.0f} ms for all {LONG_SCANS}",
        ),
    ]
