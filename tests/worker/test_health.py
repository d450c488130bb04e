import asyncio
import errno
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests import virtual_time
from worker.health import Health, Unwatched
from worker.vitals import FILE, INTERVAL, STALE, HealthState, Verdict, boot_id, judge


class Machine:
    """A monotonic clock that follows the loop, and moves on by itself when the loop is stuck."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stuck = 0.0
        self.health = Health(path, monotonic=self.monotonic, now=lambda: datetime(2026, 11, 22, 1, 10, tzinfo=UTC))

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.stuck + 1000

    def verdict(self) -> Verdict:
        return judge(self.path, monotonic=self.monotonic(), boot=boot_id())

    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.path.read_text())
        return read

    def siblings(self) -> list[str]:
        return sorted(entry.name for entry in self.path.parent.iterdir())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        writing = asyncio.create_task(self.health.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.wait({writing})
            assert writing.cancelled()


def play(tmp_path: Path, story: Callable[[Machine], Awaitable[None]]) -> Path:
    async def main() -> None:
        machine = Machine(tmp_path / FILE)
        async with machine.running():
            await story(machine)

    virtual_time.run(main())
    return tmp_path


def test_it_is_written_at_once_and_every_few_seconds(tmp_path: Path) -> None:
    async def story(machine: Machine) -> None:
        assert machine.document() == {
            "schemaVersion": 1,
            "pid": os.getpid(),
            "boot": boot_id(),
            "monotonic": 1000.0,
            "at": "2026-11-22T01:10:00.000+00:00",
            "state": "working",
            "reason": "",
        }
        for _ in range(100):
            await asyncio.sleep(INTERVAL)
            assert machine.monotonic() - machine.document()["monotonic"] <= INTERVAL
            assert machine.verdict().healthy

    play(tmp_path, story)


def test_a_loop_that_is_stuck_becomes_unhealthy_and_is_well_again_when_it_turns(tmp_path: Path) -> None:
    async def story(machine: Machine) -> None:
        await asyncio.sleep(100)
        machine.stuck += STALE + 15  # as long as no await comes, nothing of the loop runs: as in a call that blocks
        verdict = machine.verdict()
        assert not verdict.healthy
        assert "the loop has not turned for" in verdict.text
        await asyncio.sleep(INTERVAL + 0.1)
        assert machine.verdict().healthy

    play(tmp_path, story)


def test_it_is_private_and_replaced_as_a_whole(tmp_path: Path) -> None:
    async def story(machine: Machine) -> None:
        first = machine.path.stat()
        assert first.st_mode & 0o777 == 0o600
        held = machine.path.open()
        await asyncio.sleep(INTERVAL)
        # Who had it open still reads what it was.
        assert json.load(held)["monotonic"] == 1000
        held.close()
        assert machine.siblings() == [FILE]

    umask = os.umask(0)
    try:
        play(tmp_path, story)
    finally:
        os.umask(umask)


def test_a_change_is_told_at_the_next_turn_and_there_is_no_way_back(tmp_path: Path) -> None:
    async def story(machine: Machine) -> None:
        machine.health.say(HealthState.STOPPING)
        await asyncio.sleep(0.001)
        assert machine.document()["state"] == "stopping"
        machine.health.say(HealthState.WORKING)
        machine.health.say(HealthState.UNHEALTHY, "the scanner's binary is gone")
        machine.health.say(HealthState.STOPPING)
        machine.health.say(HealthState.UNHEALTHY, "what came of it")
        await asyncio.sleep(0.001)
        assert machine.verdict().text.endswith("is unhealthy: the scanner's binary is gone")
        await asyncio.sleep(100)
        assert not machine.verdict().healthy

    play(tmp_path, story)


def test_a_worker_that_ended_in_good_order_leaves_nothing(tmp_path: Path) -> None:
    async def story(_machine: Machine) -> None:
        await asyncio.sleep(1)

    assert list(play(tmp_path, story).iterdir()) == []


def test_the_file_of_another_worker_in_the_same_directory_is_left_alone(tmp_path: Path) -> None:
    other = {"pid": 1, "state": "working"}

    async def story(machine: Machine) -> None:
        await asyncio.sleep(1)
        machine.path.write_text(json.dumps(other))

    assert json.loads((play(tmp_path, story) / FILE).read_text()) == other


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_an_end_without_a_readable_file_is_no_fault(tmp_path: Path, content: str | None) -> None:
    async def story(machine: Machine) -> None:
        if content is None:
            machine.path.unlink()
        else:
            machine.path.write_text(content)

    play(tmp_path, story)


class FullDisk:
    """A disk on which files may be made, and nothing be written into them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, short: bool) -> None:
        self.is_full = False
        real = os.write

        def write(descriptor: int, content: bytes) -> int:
            if not self.is_full:
                return real(descriptor, content)
            if short:
                return real(descriptor, content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("worker.health.os.write", write)


@pytest.mark.parametrize("short", [True, False])
def test_a_full_disk_neither_ends_the_worker_nor_makes_it_look_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    disk = FullDisk(monkeypatch, short=short)

    async def story(machine: Machine) -> None:
        await asyncio.sleep(10)
        disk.is_full = True
        await asyncio.sleep(30)
        # A moment's want of space is no reason to replace the task.
        assert machine.verdict().healthy
        assert machine.siblings() == [FILE]
        await asyncio.sleep(STALE)
        assert not machine.verdict().healthy
        disk.is_full = False
        await asyncio.sleep(INTERVAL)
        assert machine.verdict().healthy

    with capture_logs() as logged:
        play(tmp_path, story)
    assert [line["event"] for line in logged] == ["health not written", "health written again"]
    assert logged[0]["reason"] == "No space left on device"


def test_an_unhealthy_worker_on_a_full_disk_takes_the_healthy_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch, short=False)

    async def story(machine: Machine) -> None:
        await asyncio.sleep(10)
        disk.is_full = True
        machine.health.say(HealthState.UNHEALTHY, "the disk is short")
        await asyncio.sleep(0.001)
        assert machine.verdict() == Verdict(healthy=False, text=f"no worker has written {machine.path}")

    play(tmp_path, story)


def test_a_directory_that_is_gone_does_not_end_the_worker(tmp_path: Path) -> None:
    away = tmp_path.with_name("away")

    async def story(machine: Machine) -> None:
        os.rename(tmp_path, away)  # noqa: PTH104  # a rename in a test holds nobody up
        await asyncio.sleep(100)
        assert not machine.verdict().healthy
        os.rename(away, tmp_path)  # noqa: PTH104  # same
        await asyncio.sleep(INTERVAL)
        assert machine.verdict().healthy

    play(tmp_path, story)


def test_a_link_laid_where_the_draft_goes_is_not_followed(tmp_path: Path) -> None:
    async def story(machine: Machine) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        machine.path.with_name(f".{FILE}.{os.getpid()}").symlink_to(victim)
        await asyncio.sleep(2 * INTERVAL)
        assert victim.read_text() == "precious"

    play(tmp_path, story)


def test_where_nobody_asks_nothing_is_written(tmp_path: Path) -> None:
    Unwatched().say(HealthState.UNHEALTHY, "the disk is short")
    assert list(tmp_path.iterdir()) == []


def test_the_clocks_are_the_machines_own_by_default(tmp_path: Path) -> None:
    async def main() -> Verdict:
        task = asyncio.create_task(Health(tmp_path / FILE).run())
        await asyncio.sleep(0)
        verdict = judge(tmp_path / FILE, monotonic=time.monotonic(), boot=boot_id())
        task.cancel()
        await asyncio.wait({task})
        return verdict

    verdict = asyncio.run(main())
    assert verdict == Verdict(healthy=True, text=f"worker {os.getpid()} is working, as of 0 s ago")
