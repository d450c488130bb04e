"""Many seeds, in several processes."""

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.simulation.run import run

CHUNK = 25
"""Seeds that a process takes at a time; afterwards the garbage is collected, which would cost more in between."""

LAST_LINES = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed at which an invariant did not hold."""

    seed: int
    theme: str
    violation: str
    invariant: int
    lines: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What became of some seeds."""

    seeds: int = 0
    virtual: float = 0.0
    cpu: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        self.seeds += other.seeds
        self.virtual += other.virtual
        self.cpu += other.cpu
        self.counts.update(other.counts)
        self.failures.extend(other.failures)


def run_chunk(seeds: Sequence[int]) -> Report:
    """Run these seeds in this process."""
    report = Report()
    began = time.process_time()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for seed in seeds:
            outcome = run(seed)
            report.seeds += 1
            report.virtual += outcome.virtual
            report.counts.update(outcome.counts)
            report.counts[f"theme: {outcome.theme}"] += 1
            if outcome.violation is not None:
                lines = tuple(outcome.trace.text(LAST_LINES))
                report.failures.append(
                    Failure(seed, outcome.theme, str(outcome.violation), outcome.violation.invariant, lines)
                )
    finally:
        if was_enabled:
            gc.enable()
        gc.collect()
    report.cpu = time.process_time() - began
    return report


def chunks(first: int, count: int) -> list[range]:
    """The seeds in portions."""
    return [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]


def reports(first: int, count: int, jobs: int) -> Iterator[Report]:
    """Run the seeds in so many processes."""
    portions = chunks(first, count)
    if jobs == 1:
        yield from map(run_chunk, portions)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(run_chunk, portion) for portion in portions]
        try:
            for future in as_completed(running):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
