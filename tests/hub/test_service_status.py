from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from hub.message import Depth, Source
from hub.scans import ScanProfile
from hub.service_notes import Pause, WorkerNote
from hub.service_status import look
from hub.standstill import NOTE_LIVES
from hub.sweeps import ScopeNote, SweepCounts, SweepRun, SweepScope
from tests.ledger_samples import HOUR, MINUTE, NOW, SECOND

OLD, NEW = (ScanProfile("qscanner", version, "get-report", ("pkg",)) for version in ("4.7.0", "4.8.0"))
PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/ops/ada", reason="maintenance", at=NOW)


@dataclass
class Queue:
    """Lies as it was put."""

    lies: Depth
    in_dead_letters: int = 0

    async def depth(self) -> Depth:
        return self.lies

    async def parked(self) -> int:
        return self.in_dead_letters


@dataclass
class Register:
    """Says what it was told."""

    notes: Sequence[WorkerNote] = ()
    runs: Sequence[SweepRun] = ()
    pause: Pause | None = None
    read: list[str] = field(default_factory=list)

    async def workers(self) -> AsyncIterator[WorkerNote]:
        for note in self.notes:
            yield note

    async def paused(self) -> Pause | None:
        return self.pause

    async def sweeps(self) -> AsyncIterator[SweepRun]:
        for run in self.runs:
            self.read.append(run.id)
            yield run


QUEUES = {
    Source.CHANGES: Queue(Depth(visible=3, in_flight=2, delayed=1), in_dead_letters=4),
    Source.SWEEP: Queue(Depth(visible=900, in_flight=0, delayed=0)),
}


def worker(name: str, *, heard: timedelta = MINUTE, profile: ScanProfile = NEW, running: int = 1) -> WorkerNote:
    return WorkerNote(
        id=name,
        version="0.1.0",
        profile=profile,
        slots=4,
        running=running,
        started_at=NOW - HOUR,
        seen_at=NOW - heard,
    )


WHOLE = SweepScope()
PARTS = (
    SweepScope(accounts=("210987654321",)),
    SweepScope(ous=("ou-ab12-cd34ef56",)),
    SweepScope(regions=("us-east-1",)),
    SweepScope(exclude=("legacy-*",)),
)


def run(name: str, scope: SweepScope = WHOLE, *, finished: bool = True, noted: timedelta | None = None) -> SweepRun:
    return SweepRun(
        id=name,
        scope_id=scope.id,
        whole_scope_id=scope.whole_id,
        scope=ScopeNote.of(scope),
        started_at=NOW - HOUR,
        finished_at=NOW if finished else None,
        counts=SweepCounts(functions=7),
        at=NOW - noted if noted is not None else None,
    )


async def test_queues_have_depth_age_and_parked() -> None:
    told = await look(QUEUES, Register(), now=NOW, ages={Source.SWEEP: 90 * MINUTE}, notes=["no metrics"])
    changes, sweep = told.queues[Source.CHANGES], told.queues[Source.SWEEP]
    assert (changes.depth.visible, changes.parked, changes.oldest) == (3, 4, None)
    assert (sweep.depth.visible, sweep.parked, sweep.oldest) == (900, 0, 90 * MINUTE)
    assert (told.at, told.notes, told.pause) == (NOW, ("no metrics",), None)


async def test_a_worker_that_was_not_heard_for_three_minutes_is_silent_and_counts_for_nothing() -> None:
    living, at_the_limit = worker("b", running=2), worker("a", heard=NOTE_LIVES)
    dead = worker("dead", heard=NOTE_LIVES + timedelta(seconds=1), profile=OLD, running=4)
    told = await look({}, Register([living, dead, at_the_limit]), now=NOW, ages={})
    assert told.workers == (at_the_limit, living)
    assert told.silent == (dead,)
    assert told.running == 3
    assert (told.versions, told.scanners) == (["0.1.0"], ["qscanner 4.8.0"])


async def test_while_a_deployment_is_under_way_both_versions_are_told() -> None:
    notes = [worker("a", profile=OLD), replace(worker("b"), version="0.2.0", circuit="Qualys refuses the token")]
    told = await look({}, Register(notes), now=NOW, ages={})
    assert told.versions == ["0.1.0", "0.2.0"]
    assert told.scanners == ["qscanner 4.7.0", "qscanner 4.8.0"]
    assert told.circuit == "Qualys refuses the token"


async def test_the_last_sweep_is_the_newest_that_has_finished() -> None:
    register = Register(runs=[run("3", finished=False, noted=10 * SECOND), run("2"), run("1")], pause=PAUSE)
    told = await look({}, register, now=NOW, ages={})
    assert told.last_sweep is not None
    assert told.running_sweep is not None
    assert (told.last_sweep.id, told.running_sweep.id) == ("2", "3")
    assert told.last_full_sweep is told.last_sweep
    assert told.pause is PAUSE
    assert register.read == ["3", "2"], "no more is read than is needed"


@pytest.mark.parametrize("part", PARTS, ids=["accounts", "units", "regions", "patterns"])
async def test_after_a_sweep_of_a_part_it_looks_on_for_the_last_one_of_the_whole(part: SweepScope) -> None:
    register = Register(
        runs=[run("5", part), run("4", part, finished=False), run("3", finished=False), run("2"), run("1")]
    )
    told = await look({}, register, now=NOW, ages={})
    assert told.last_sweep is not None
    assert told.last_full_sweep is not None
    assert (told.last_sweep.id, told.last_full_sweep.id) == ("5", "2")
    assert (told.running_sweep, told.unfinished_sweep) == (None, None)
    assert register.read == ["5", "4", "3", "2"], "no more is read than is needed"


async def test_sweeps_of_parts_make_no_whole() -> None:
    told = await look(
        {}, Register(runs=[run(str(number), part) for number, part in enumerate(PARTS)]), now=NOW, ages={}
    )
    assert told.last_sweep is not None
    assert (told.last_sweep.id, told.last_full_sweep) == ("0", None)


async def test_an_interrupted_sweep_before_a_finished_one_does_not_run() -> None:
    told = await look({}, Register(runs=[run("2"), run("1", finished=False)]), now=NOW, ages={})
    assert told.last_sweep is not None
    assert (told.last_sweep.id, told.running_sweep, told.unfinished_sweep) == ("2", None, None)


@pytest.mark.parametrize(
    ("at", "works"),
    [
        (replace(run("1", finished=False), started_at=NOW - MINUTE), True),
        (replace(run("1", finished=False), started_at=NOW - MINUTE - SECOND), False),
        (run("1", finished=False, noted=MINUTE), True),
        (run("1", finished=False, noted=MINUTE + SECOND), False),
        (run("1", finished=False, noted=-SECOND), True),
    ],
    ids=["begun", "begun, and silent", "noted", "noted, and silent", "noted by a clock ahead of ours"],
)
async def test_a_sweep_that_nobody_has_noted_for_a_minute_does_not_run(at: SweepRun, works: bool) -> None:
    told = await look({}, Register(runs=[at]), now=NOW, ages={})
    assert (told.running_sweep, told.unfinished_sweep) == ((at, None) if works else (None, at))


async def test_one_that_runs_beside_a_newer_one_that_has_finished_or_was_interrupted_is_seen() -> None:
    goes_on = run("1", PARTS[3], finished=False, noted=5 * SECOND)
    after = await look({}, Register(runs=[run("2", PARTS[0]), goes_on]), now=NOW, ages={})
    assert (after.running_sweep, after.unfinished_sweep) == (goes_on, None)
    broken = run("2", PARTS[0], finished=False, noted=HOUR)
    beside = await look({}, Register(runs=[broken, goes_on]), now=NOW, ages={})
    assert (beside.running_sweep, beside.unfinished_sweep) == (goes_on, broken)


async def test_without_anything_nothing_is_made_up() -> None:
    told = await look({}, Register(), now=NOW, ages={})
    assert (told.last_sweep, told.last_full_sweep, told.running_sweep) == (None, None, None)
    assert (told.workers, told.silent) == ((), ())
    assert (told.running, told.circuit, told.versions, told.scanners) == (0, "", [], [])
