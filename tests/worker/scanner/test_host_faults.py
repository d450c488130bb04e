"""The driver on a machine that fails it: the disk, the binary, the kernel, and a worker that was killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.scans import ScanStatus
from spoke.errors import HostFault, ScannerCrashed, Unavailable
from tests.doubles.qscanner_disks import GIB, FakeDisk, fake_disk, small_disk
from tests.doubles.qscanner_rig import Rig, session, snapshot
from worker.scanner import disk
from worker.scanner.directories import ScanDirectory
from worker.scanner.driver import LEAST_SESSION, QScanner
from worker.scanner.process import ScannerProcess
from worker.scanner.run import Patience

PYTHON = Path(sys.executable).resolve()
REPOSITORY = Path(__file__).parents[3]
SMALL = 8 * 1024 * 1024


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDisk:
    return fake_disk(monkeypatch)


@pytest.fixture
def small_work(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real work directory of 8 MiB, on which a quarter has to be free."""
    monkeypatch.setattr(disk, "FLOOR", SMALL // 4)
    with small_disk(rig.work, f"size={SMALL},mode=700") as work:
        yield work


async def scan(scanner: QScanner, name: str, **changes: str) -> None:
    async with scanner.scan(snapshot(name, **changes), session()):
        pass


async def test_a_disk_that_a_scan_really_filled_is_a_host_fault_and_empty_again(rig: Rig, small_work: Path) -> None:
    scanner = await rig.prepare()
    with pytest.raises(HostFault, match=r"the disk is full \([0-3] MiB free in .*/scans\): scan failed"):
        await scan(scanner, "fill")
    assert rig.scan_directories() == []
    status = os.statvfs(small_work)
    assert status.f_bavail * status.f_frsize > SMALL * 0.9


async def test_on_a_disk_that_is_really_full_no_scan_begins(rig: Rig, small_work: Path) -> None:
    scanner = await rig.prepare()
    ballast = small_work / "ballast"
    ballast.write_bytes(b"x" * (SMALL - SMALL // 6))
    with pytest.raises(HostFault, match=r"the disk is short: [01] MiB free in .*/scans, a scan needs 2 MiB"):
        await scan(scanner, "exit-0")
    ballast.unlink()
    await scan(scanner, "exit-0")


async def test_a_disk_that_is_really_out_of_inodes_is_short(rig: Rig) -> None:
    with small_disk(rig.work, "size=2g,nr_inodes=400,mode=700") as work:  # memory is taken only by what is written
        assert not disk.look(work).is_short
        for number in range(390):
            (work / str(number)).touch()
        seen = disk.look(work)
        assert seen.is_short
        assert seen.found.endswith("inodes")


@pytest.mark.parametrize("name", ["exit-1-enospc", "exit-5-enospc", "exit-13-enospc", "exit-34-enospc"])
async def test_a_scanner_that_calls_a_full_disk_full_is_believed(rig: Rig, fake: FakeDisk, name: str) -> None:
    scanner = await rig.prepare()
    fake.free = GIB - 4096
    with pytest.raises(HostFault, match=r"the disk is full \(1024 MiB free in .*\): scan failed"):
        await scan(scanner, name)


@pytest.mark.usefixtures("fake")
async def test_a_scanner_that_calls_an_empty_disk_full_stops_no_worker(rig: Rig) -> None:
    scanner = await rig.prepare()
    for code in (1, 5, 34):
        with pytest.raises(
            ScannerCrashed, match=r"it says that the disk is full, which is not so now \(40\.0 GiB free"
        ) as raised:
            await scan(scanner, f"exit-{code}-enospc")
        assert "no space left on device" in raised.value.detail
    async with scanner.scan(snapshot("exit-13-enospc"), session()) as scanned:
        assert (scanned.status, scanned.reasons) == (ScanStatus.PARTIAL, ("scan_type_failed:13",))


async def test_the_disk_is_looked_at_before_the_files_of_the_scan_are_gone(
    rig: Rig, fake: FakeDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def status(_directory: Path) -> os.statvfs_result:
        fake.free = 0 if any((rig.work / "scans").glob("slot-*")) else 40 * GIB
        return fake.status(_directory)

    scanner = await rig.prepare()
    monkeypatch.setattr(os, "statvfs", status)
    with pytest.raises(HostFault, match=r"the disk is full \(0 MiB free"):
        await scan(scanner, "exit-1-enospc")


async def test_a_second_image_waits_for_room_and_takes_no_process(rig: Rig, fake: FakeDisk) -> None:
    fake.free = 15 * GIB
    scanner = await rig.prepare()
    for name in ("hold.one", "hold.two"):
        rig.gate(f"go-{name}")
    first = asyncio.create_task(scan(scanner, "hold.one", package_type="Image"))
    await rig.bell.rung()
    with capture_logs() as logs:
        second = asyncio.create_task(scan(scanner, "hold.two", package_type="Image"))
        while not any(entry["event"] == "scan waits for room on the disk" for entry in logs):
            await asyncio.sleep(0)
    assert len(rig.scan_directories()) == 1
    rig.open_gate("go-hold.one")
    await rig.bell.rung()
    assert first.done() or len(rig.processes()) == 1
    rig.open_gate("go-hold.two")
    await asyncio.gather(first, second)


async def test_a_scan_that_waits_for_room_may_be_cancelled(rig: Rig, fake: FakeDisk) -> None:
    fake.free = 15 * GIB
    scanner = await rig.prepare()
    first = asyncio.create_task(scan(scanner, "hang", package_type="Image"))
    await rig.bell.rung()
    with capture_logs() as logs:
        second = asyncio.create_task(scan(scanner, "hang", package_type="Image"))
        while not logs:
            await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert not first.done()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await scan(scanner, "exit-0", package_type="Image")


async def test_a_session_that_ran_out_while_the_scan_waited_is_not_used(rig: Rig) -> None:
    scanner = await rig.prepare()
    old = replace(session(), expires_at=rig.clock.now() + LEAST_SESSION - timedelta(seconds=1))
    with pytest.raises(Unavailable, match="waited for room until its AWS session ended"):
        async with scanner.scan(snapshot("exit-0"), old):
            pass
    async with scanner.scan(snapshot("exit-0"), replace(old, expires_at=rig.clock.now() + LEAST_SESSION)):
        pass


async def test_a_file_beyond_the_limit_ends_the_scan_and_not_the_worker(rig: Rig) -> None:
    scanner = await rig.prepare()
    rig.gate()
    task = asyncio.create_task(scan(scanner, "huge"))
    await rig.bell.rung()
    rig.open_gate()
    with pytest.raises(ScannerCrashed, match=r"died by SIGXFSZ \(a file over 12 GiB\)$"):
        await task


async def test_a_binary_that_vanished_is_a_host_fault(rig: Rig) -> None:
    scanner = await rig.prepare()
    rig.binary.unlink()
    with pytest.raises(HostFault, match=r"the scanner vanished: .*/qscanner: No such file or directory"):
        await scan(scanner, "exit-0")
    assert rig.scan_directories() == []


async def test_a_binary_replaced_in_mid_life_is_not_run(rig: Rig) -> None:
    scanner = await rig.prepare()
    await scan(scanner, "exit-0")
    other = rig.executable("other", version="qscanner version 4.9.0-2\n")  # as long as before
    status = rig.binary.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(rig.binary)
    with pytest.raises(HostFault, match="is not the file that was checked at start"):
        await scan(scanner, "exit-0")
    assert rig.scan_directories() == []


async def test_a_binary_written_to_in_mid_life_is_not_run(rig: Rig) -> None:
    scanner = await rig.prepare()
    status = rig.binary.stat()
    rig.binary.write_bytes(rig.binary.read_bytes())
    os.utime(rig.binary, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(HostFault, match="is not the file that was checked at start"):
        await scan(scanner, "exit-0")


async def test_a_binary_that_was_only_read_is_still_the_same(rig: Rig) -> None:
    scanner = await rig.prepare()
    rig.binary.read_bytes()
    rig.binary.chmod(0o555)
    await scan(scanner, "exit-0")


async def test_an_interpreter_that_vanished_is_a_host_fault(rig: Rig) -> None:
    interpreter = rig.directory / "interpreter"
    interpreter.symlink_to(PYTHON)
    lines = rig.binary.read_text(encoding="utf-8").splitlines(keepends=True)
    rig.binary.write_text("".join([f"#!{interpreter} -IBS\n", *lines[1:]]), encoding="utf-8")
    scanner = await rig.prepare()
    interpreter.unlink()
    with pytest.raises(HostFault, match="does not start: it, or the interpreter"):
        await scan(scanner, "exit-0")
    assert rig.scan_directories() == []


async def test_a_cancelled_scan_does_not_wait_long_for_a_process_that_hangs_in_the_kernel(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ScannerProcess] = []
    scanner = await rig.prepare(patience=Patience(version=30, grace=0, kill=600, hurried=0.1))
    start = ScannerProcess.__init__

    def remembered(process: ScannerProcess, *args: object, **options: object) -> None:
        start(process, *args, **options)  # type: ignore[arg-type]  # handed through
        started.append(process)

    monkeypatch.setattr(ScannerProcess, "__init__", remembered)
    task = asyncio.create_task(scan(scanner, "hang"))
    await rig.bell.rung()
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(os, "killpg", lambda _group, _signal: None)
        patched.setattr(signal, "pidfd_send_signal", lambda _handle, _signal: None)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["the scanner outlives SIGKILL"]
    os.kill(started[0].pid, signal.SIGKILL)
    assert started[0]._process.wait() == -signal.SIGKILL


async def test_only_a_cancelled_scan_is_in_a_hurry_to_remove_its_files(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float | None] = []
    release = ScanDirectory.release

    def watched(place: ScanDirectory, *, limit: float | None = None) -> None:
        limits.append(limit)
        release(place, limit=limit)

    scanner = await rig.prepare(patience=Patience(version=30, grace=30, kill=30, hurried=0.0))
    monkeypatch.setattr(ScanDirectory, "release", watched)
    await scan(scanner, "exit-0")
    task = asyncio.create_task(scan(scanner, "tidy"))
    await rig.bell.rung()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limits == [None, 0.0]
    assert len(rig.scan_directories()) == 1
    await scan(scanner, "exit-0")  # in the same slot: what was left goes first
    assert rig.scan_directories() == []


WORKER = """
import asyncio
import sys
from pathlib import Path

from tests.doubles.qscanner_rig import Rig, session, snapshot


async def main(directory, work):
    rig = Rig(directory)
    rig.work = work
    scanner = await rig.prepare()

    async def scan(name):
        async with scanner.scan(snapshot(name), session()):
            pass

    scans = [asyncio.create_task(scan(name)) for name in ("stubborn", "hang")]
    for _ in scans:
        await rig.bell.rung()
    sys.stderr.write("both run\\n")
    await asyncio.gather(*scans)


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


async def test_what_a_worker_killed_in_mid_scan_left_is_gone_once_the_next_is_ready(rig: Rig) -> None:
    directory = rig.directory / "killed"
    directory.mkdir()
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, str(directory), str(rig.work)),
        cwd=REPOSITORY,
        env={"PATH": os.defpath},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert worker.stderr is not None
        assert await worker.stderr.readline() == b"both run\n"
    finally:
        worker.kill()
        await worker.wait()
    assert len(rig.scan_directories()) == 2
    assert len(rig.processes()) == 3  # the stubborn one has a child
    await rig.prepare()
    assert rig.scan_directories() == []
    assert rig.processes() == []
