import fcntl
import itertools
import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from spoke.errors import HostFault, Misconfigured
from worker.scanner import directories
from worker.scanner.directories import ScanDirectory, WorkDirectory, remove


@pytest.fixture
def work(tmp_path: Path) -> WorkDirectory:
    work = WorkDirectory(tmp_path / "work")
    work.prepare()
    return work


def test_everything_is_private(work: WorkDirectory) -> None:
    place = ScanDirectory(work)
    place.claim()
    for directory in (
        work.scans,
        work.cache,
        place.path,
        place.out,
        place.home,
        place.tmp,
        place.scrubbed,
        place.cache,
    ):
        assert directory.stat().st_mode & 0o777 == 0o700
    place.release()


def test_a_slot_is_given_to_one_at_a_time_and_its_cache_stays(work: WorkDirectory) -> None:
    first, second, third = (ScanDirectory(work) for _ in range(3))
    first.claim()
    second.claim()
    assert (first.slot, second.slot) == (0, 1)
    (first.cache / "layer").touch()
    first.release()
    assert not first.path.exists()
    third.claim()
    assert third.slot == 0
    assert (third.cache / "layer").exists()
    assert third.path != first.path
    for place in (second, third):
        place.release()


def test_release_may_come_twice_or_without_a_claim(work: WorkDirectory) -> None:
    place = ScanDirectory(work)
    place.release()
    place.claim()
    place.release()
    place.release()
    assert list(work.scans.iterdir()) == []


def test_what_a_dead_worker_left_is_removed_what_a_living_one_has_is_not(work: WorkDirectory) -> None:
    place = ScanDirectory(work)
    place.claim()
    left = work.scans / f"slot-7-{'0' * 16}"
    (left / "tmp").mkdir(parents=True)
    foreign = work.scans / "notes"
    foreign.mkdir()
    assert work.clean() == 1
    assert {path.name for path in work.scans.iterdir()} == {place.path.name, "notes"}
    place.release()


def test_leftovers_that_cannot_be_removed_hinder_no_scan(work: WorkDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    left = work.scans / f"slot-0-{'0' * 16}"
    left.mkdir()

    def refuse(directory: Path, *, limit: float | None = None) -> None:
        assert limit is None
        raise PermissionError(1, "Operation not permitted", str(directory))

    monkeypatch.setattr(directories, "remove", refuse)
    place = ScanDirectory(work)
    place.claim()
    assert place.slot == 0
    place.release()  # logs, and gives the slot back all the same
    other = ScanDirectory(work)
    other.claim()
    assert other.slot == 0
    other.release()


def test_a_full_disk_is_a_host_fault(work: WorkDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: int = 0o777, *, parents: bool = False, exist_ok: bool = False) -> None:
        raise OSError(28, "No space left on device", str(path), mode, (parents, exist_ok))

    place = ScanDirectory(work)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        with pytest.raises(HostFault, match="No space left on device"):
            place.claim()
    place.release()
    other = ScanDirectory(work)
    other.claim()
    assert other.slot == 0
    other.release()


def test_a_lock_that_cannot_be_made_is_a_host_fault(work: WorkDirectory) -> None:
    (work.cache / "slot-0.lock").symlink_to("/etc/passwd")
    with pytest.raises(HostFault, match="no directory for a scan"):
        ScanDirectory(work).claim()


def test_a_lock_that_the_file_system_refuses_is_a_host_fault(
    work: WorkDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(_descriptor: int, _operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(HostFault, match="Operation not supported"):
        ScanDirectory(work).claim()


def test_a_slot_whose_cleaning_fails_is_given_back(work: WorkDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_work: WorkDirectory, _slot: int) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(WorkDirectory, "_clean_slot", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ScanDirectory(work).claim()
    place = ScanDirectory(work)
    place.claim()
    assert place.slot == 0
    place.release()


def test_slots_come_to_an_end(work: WorkDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "MOST_SLOTS", 1)
    place = ScanDirectory(work)
    place.claim()
    with pytest.raises(HostFault, match=r"slots in .* are taken"):
        ScanDirectory(work).claim()
    place.release()


def test_a_work_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"SCANHUB_WORK_DIR: .*/file: "):
        WorkDirectory(tmp_path / "file").prepare()


def test_a_planted_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "scans").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="scans is not a directory of this user"):
        WorkDirectory(tmp_path).prepare()


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_294_900_000)
    with pytest.raises(Misconfigured, match="is not a directory of this user"):
        WorkDirectory(tmp_path).prepare()


def test_open_permissions_are_closed(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans").chmod(0o777)
    WorkDirectory(tmp_path).prepare()
    assert (tmp_path / "scans").stat().st_mode & 0o777 == 0o700


def test_remove_lifts_what_is_too_deep_to_name(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(1500):  # deeper than Python recurses, and 15 times longer than a path may be
        os.mkdir("d" * 40, dir_fd=here)  # only relative to a descriptor can it be made at all
        deeper = os.open("d" * 40, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    remove(top)
    assert not top.exists()


def test_remove_takes_links_and_leaves_what_they_name(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    top = tmp_path / "top"
    (top / "inner" / "innermost").mkdir(parents=True)
    for directory in (top / "inner" / "innermost", top / "inner", top):
        (directory / "link").symlink_to(precious)
        (directory / "file").touch()
        directory.chmod(0o000)
    remove(top)
    assert not top.exists()
    assert (precious / "file").exists()
    remove(top)  # once more is no error


@pytest.mark.parametrize("nested", [False, True])
def test_remove_stops_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nested: bool) -> None:
    inner = tmp_path / "top" / "inner" if nested else tmp_path / "top"
    inner.mkdir(parents=True)
    for number in range(20):
        (inner / str(number)).touch()
    seconds = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))
    with pytest.raises(TimeoutError):
        remove(tmp_path / "top", limit=10)
    assert 5 < len(list(inner.iterdir())) < 20
    remove(tmp_path / "top")
    assert not (tmp_path / "top").exists()


def test_what_a_hurried_release_leaves_goes_before_the_slot_is_used_again(work: WorkDirectory) -> None:
    first, second = ScanDirectory(work), ScanDirectory(work)
    first.claim()
    with capture_logs() as logs:
        first.release(limit=0)
    assert [(entry["log_level"], entry["directory"]) for entry in logs] == [("warning", first.path.name)]
    assert first.path.exists()
    second.claim()
    assert (second.slot, first.path.exists()) == (0, False)
    second.release(limit=60)
    assert list(work.scans.iterdir()) == []
