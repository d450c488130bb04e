from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub import standstill
from hub.scans import ScanProfile
from hub.service_notes import Pause, WorkerNote
from hub.standstill import Standstill
from tests import virtual_time
from worker.memory.clock import START, LoopClock, ManualClock
from worker.memory.register import MemoryRegister

PROFILE = ScanProfile("qscanner", "4.6.0", "get-report", ("pkg", "secret"))
PAUSE = Pause(by="arn:aws:sts::123456789012:assumed-role/operators/ada", reason="maintenance", at=START)


def note(name: str, *, paused: bool = False, running: int = 0, silent: timedelta = timedelta(0)) -> WorkerNote:
    return WorkerNote(
        id=name,
        version="0.1.0",
        profile=PROFILE,
        slots=4,
        running=running,
        paused=paused,
        started_at=START - timedelta(hours=1),
        seen_at=START - silent,
    )


class Notes:
    """A register of which only the workers matter; each look sees the next ones."""

    def __init__(self, *looks: list[WorkerNote]) -> None:
        self.looks = list(looks)

    async def workers(self) -> AsyncIterator[WorkerNote]:
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        for one in now:
            yield one


def waited(*looks: list[WorkerNote], patience: int) -> Standstill:
    register: standstill.PauseRegister = Notes(*looks)  # type: ignore[assignment]  # only the workers matter

    async def run() -> Standstill:
        every = timedelta(seconds=3)
        return await standstill.wait(register, LoopClock(), every=every, patience=timedelta(seconds=patience))

    return virtual_time.run(run())


def test_a_note_that_is_old_belongs_to_no_living_worker() -> None:
    dead = note("c", silent=timedelta(minutes=3, seconds=1))
    found = waited([note("a", paused=True, running=2), note("b", running=1), dead], patience=0)
    assert found == Standstill(workers=2, heeding=1, scans=3)
    assert not found.is_reached


def test_it_waits_until_each_has_heeded_it() -> None:
    looks = [
        [note("a"), note("b")],
        [note("a", paused=True), note("b")],
        [note("a", paused=True), note("b", paused=True)],
    ]
    assert waited(*looks, patience=300) == Standstill(workers=2, heeding=2, scans=0)


def test_it_waits_until_the_note_of_a_dead_one_is_old() -> None:
    found = waited([note("a", silent=timedelta(minutes=-5), paused=True), note("dead")], patience=300)
    assert found == Standstill(workers=1, heeding=1, scans=0)


def test_its_patience_ends() -> None:
    looks = [[note("deaf")]]
    assert not waited(*looks, patience=60).is_reached


def test_without_a_worker_nobody_takes_work() -> None:
    assert waited([], patience=0).is_reached


@pytest.mark.parametrize(("reason", "stands"), [("", "maintenance"), ("maintenance", "maintenance"), ("disk", "disk")])
async def test_a_pause_stays_unless_there_is_a_new_reason(reason: str, stands: str) -> None:
    register = MemoryRegister(ManualClock())
    assert await standstill.ask_to_pause(register, PAUSE) is None
    other = Pause(by="grace", reason=reason, at=START + timedelta(hours=1))
    assert await standstill.ask_to_pause(register, other) == PAUSE
    now = await register.paused()
    assert now is not None
    assert (now.reason, now.by) == (stands, "grace" if stands == "disk" else PAUSE.by)
