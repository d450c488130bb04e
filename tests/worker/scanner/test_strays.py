import os
from pathlib import Path

import pytest

from worker.scanner import strays

MARK = b"/var/lib/scanhub/scans/slot-0-1795252270"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What proc(5) shows, as plain files."""
    monkeypatch.setattr(strays, "PROCESSES", tmp_path)
    for name in ("self", "net", "sys", "1x", "meminfo"):
        process(tmp_path, name, b"TMPDIR=" + MARK)
    return tmp_path


def process(proc: Path, pid: str, environment: bytes) -> None:
    (proc / pid).mkdir()
    (proc / pid / "environ").write_bytes(environment)


def found() -> list[int]:
    return sorted(strays.find(Path(os.fsdecode(MARK))))


def test_processes_alone_are_looked_at_and_not_this_one(proc: Path) -> None:
    process(proc, "4711", b"PATH=/usr/bin\0TMPDIR=" + MARK + b"/tmp\0")
    process(proc, "4712", b"PATH=/usr/bin\0TMPDIR=/var/lib/scanhub/scans/slot-1\0")
    process(proc, str(os.getpid()), b"TMPDIR=" + MARK)
    assert found() == [4711]


def test_one_that_has_ended_or_may_not_be_read_hides_no_other(proc: Path) -> None:
    (proc / "99").mkdir()
    (proc / "100").mkdir()
    (proc / "100" / "environ").mkdir()  # opened, but a read fails
    process(proc, "101", b"HOME=" + MARK)
    assert found() == [101]


@pytest.mark.parametrize("before", [0, strays._AT_ONCE - 7, strays._AT_ONCE, 5 * strays._AT_ONCE - 1])
def test_the_mark_is_found_wherever_it_lies_in_a_long_environment(proc: Path, before: int) -> None:
    process(proc, "7", b"x" * before + MARK + b"\0" + b"y" * 70_000)
    assert found() == [7]


def test_nothing_is_left_open(proc: Path) -> None:
    for pid in range(200, 230):
        process(proc, str(pid), MARK)
    before = os.listdir("/proc/self/fd")  # noqa: PTH208  # a count
    assert len(found()) == 30
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208  # same
