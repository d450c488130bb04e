import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke.errors import HostFault
from tests.doubles.qscanner_disks import GIB, FakeDisk, fake_disk
from tests.doubles.qscanner_rig import snapshot
from tests.virtual_time import run
from worker.scanner import disk
from worker.scanner.disk import FLOOR, IMAGE, MIBIBYTE, RESULTS, UNZIPPED, Admission, expected, look

WORK = Path("/var/lib/scanhub")
ZIP = 600 * MIBIBYTE


class Disk:
    """Free bytes as the kernel would give them, and the scans that use them."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.begun: list[str] = []
        self.admission = Admission(self.measured, where=WORK)

    async def measured(self) -> int:
        await asyncio.sleep(0.001)  # as a thread would take it
        return self.free

    def scan(self, name: str, need: int, *, seconds: float = 1.0, writes: int = 0) -> asyncio.Task[None]:
        async def scan() -> None:
            async with self.admission.room(need, target=name):
                self.begun.append(name)
                self.free -= writes
                try:
                    await asyncio.sleep(seconds)
                finally:
                    self.free += writes

        return asyncio.create_task(scan(), name=name)


def at_once(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(main())


@pytest.mark.parametrize(
    ("changes", "need"),
    [
        ({"code_size": 5_000_000}, 5_000_000 + UNZIPPED + RESULTS),
        # What the layers' archives add is not known.
        ({"code_size": 5_000_000, "layers": ("arn:aws:lambda:eu-west-1:2:layer:x:1",)}, 2 * UNZIPPED + RESULTS),
        ({"code_size": 0}, 2 * UNZIPPED + RESULTS),
        ({"code_size": 10**12}, 2 * UNZIPPED + RESULTS),
        ({"package_type": "Image", "code_size": 0}, IMAGE),
        ({"package_type": "Image", "code_size": 0, "layers": ("x",)}, IMAGE),
    ],
)
def test_what_a_scan_may_need(changes: dict[str, Any], need: int) -> None:
    assert expected(snapshot("orders", **changes)) == need


def test_a_scan_that_does_not_fit_waits_until_another_ends() -> None:
    async def main() -> None:
        disk = Disk(15 * GIB)
        first, second = disk.scan("first", IMAGE, seconds=60), disk.scan("second", IMAGE)
        await asyncio.sleep(59)
        assert disk.begun == ["first"]
        await asyncio.gather(first, second)
        assert disk.begun == ["first", "second"]
        assert disk.admission.reserved == 0

    at_once(main)


def test_scans_that_fit_run_at_the_same_time() -> None:
    async def main() -> None:
        disk = Disk(2 * IMAGE)
        scans = [disk.scan(name, IMAGE) for name in ("first", "second", "third")]
        await asyncio.sleep(0.5)
        assert disk.begun == ["first", "second"]
        assert disk.admission.reserved == 2 * IMAGE
        await asyncio.gather(*scans)

    at_once(main)


def test_what_a_running_scan_has_written_already_still_counts_as_reserved() -> None:
    async def main() -> None:
        disk = Disk(16 * GIB)
        first = disk.scan("image", IMAGE, seconds=60, writes=6 * GIB)
        await asyncio.sleep(1)
        assert disk.free - (IMAGE - 6 * GIB) > ZIP  # it would fit, if one knew how much the image has written
        second = disk.scan("zip", ZIP)
        await asyncio.sleep(50)
        assert disk.begun == ["image"]
        await asyncio.gather(first, second)

    at_once(main)


def test_a_stream_of_small_scans_does_not_starve_a_large_one() -> None:
    async def main() -> None:
        disk = Disk(11 * GIB)
        scans = [disk.scan("zip-0", ZIP, seconds=10), disk.scan("zip-1", ZIP, seconds=30)]
        await asyncio.sleep(1)
        scans.append(disk.scan("image", IMAGE, seconds=10))
        for number in range(2, 40):
            await asyncio.sleep(0.5)
            scans.append(disk.scan(f"zip-{number}", ZIP, seconds=10))
        await asyncio.gather(*scans)
        assert disk.begun == ["zip-0", "zip-1", "image", *(f"zip-{number}" for number in range(2, 40))]

    at_once(main)


def test_a_scan_that_runs_alone_is_tried_on_a_disk_too_small_for_it() -> None:
    async def main() -> None:
        disk = Disk(FLOOR)
        await asyncio.gather(disk.scan("image", IMAGE), disk.scan("another", IMAGE))
        assert disk.begun == ["image", "another"]

    at_once(main)


def test_a_disk_below_the_floor_is_a_host_fault_for_each_that_comes() -> None:
    async def main() -> None:
        disk = Disk(FLOOR - 1)
        ends = await asyncio.gather(disk.scan("a", ZIP), disk.scan("b", ZIP), return_exceptions=True)
        assert [str(end) for end in ends] == [
            "the disk is short: 512 MiB free in /var/lib/scanhub, a scan needs 512 MiB"
        ] * 2
        assert {type(end) for end in ends} == {HostFault}
        assert disk.begun == []
        disk.free = FLOOR
        await disk.scan("c", ZIP)
        assert disk.begun == ["c"]

    at_once(main)


def test_below_the_floor_a_scan_waits_for_the_others_before_it_gives_up() -> None:
    async def main() -> None:
        disk = Disk(FLOOR)
        first = disk.scan("first", ZIP, seconds=60, writes=FLOOR)
        second = disk.scan("second", ZIP)
        await asyncio.gather(first, second)
        assert disk.begun == ["first", "second"]

    at_once(main)


@pytest.mark.parametrize("leaves", [0, 1])
def test_who_is_cancelled_while_it_waits_holds_nobody_up(leaves: int) -> None:
    async def main() -> None:
        disk = Disk(IMAGE + ZIP - 1)
        first = disk.scan("first", ZIP, seconds=60)
        await asyncio.sleep(1)
        waiting = [disk.scan("image-0", IMAGE), disk.scan("image-1", IMAGE)]
        last = disk.scan("last", ZIP)
        await asyncio.sleep(1)
        waiting[leaves].cancel()
        await asyncio.sleep(1)
        assert disk.begun == ["first"]
        waiting[1 - leaves].cancel()
        await last
        assert disk.begun == ["first", "last"]
        assert not first.done()
        await first
        assert [one.cancelled() for one in waiting] == [True, True]
        assert disk.admission.reserved == 0

    at_once(main)


def test_a_scan_cancelled_while_the_space_is_measured_reserves_nothing() -> None:
    async def main() -> None:
        disk = Disk(60 * GIB)
        task = disk.scan("gone", IMAGE)
        await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.wait([task])
        assert (disk.begun, disk.admission.reserved) == ([], 0)
        await disk.scan("next", IMAGE)

    at_once(main)


def test_a_scan_that_ends_while_the_space_is_measured_is_not_missed() -> None:
    async def main() -> None:
        answers = deque([20 * GIB, 15 * GIB, 20 * GIB])
        go, measuring = asyncio.Event(), asyncio.Event()

        async def free() -> int:
            if len(answers) == 2:  # for the second scan, with what was free before the first one ended
                measuring.set()
                await go.wait()
            return answers.popleft()

        admission = Admission(free, where=WORK)

        async def second() -> None:
            async with admission.room(IMAGE, target="second"):
                pass

        async with admission.room(IMAGE, target="first"):
            task = asyncio.create_task(second())
            await measuring.wait()
        go.set()
        await task  # under virtual time, one that sleeps for ever is an error
        assert not answers

    at_once(main)


def test_a_scan_that_fails_gives_its_room_back() -> None:
    async def main() -> None:
        disk = Disk(15 * GIB)
        with pytest.raises(ZeroDivisionError):
            async with disk.admission.room(IMAGE, target="fails"):
                raise ZeroDivisionError
        assert disk.admission.reserved == 0

    at_once(main)


@given(
    st.integers(1, 40),
    st.lists(
        st.tuples(st.sampled_from([314 * MIBIBYTE, ZIP, IMAGE]), st.integers(0, 100), st.integers(0, 50)), max_size=30
    ),
)
def test_scans_within_their_reservations_never_fill_the_disk_and_begin_in_order(
    gib: int, scans: list[tuple[int, int, int]]
) -> None:
    async def main() -> None:
        disk = Disk(gib * GIB)
        lowest = disk.free

        async def scan(name: str, need: int, percent: int, seconds: int) -> None:
            nonlocal lowest
            async with disk.admission.room(need, target=name):
                disk.begun.append(name)
                alone = disk.admission.reserved == need
                # One that is tried alone on a disk too small for it is on its own.
                written = min(need * percent // 100, disk.free) if alone else need * percent // 100
                for _ in range(4):
                    await asyncio.sleep(seconds / 4)
                    disk.free -= written // 4
                    lowest = min(lowest, disk.free)
                disk.free += written // 4 * 4

        names = [str(number) for number in range(len(scans))]
        tasks = []
        for name, (need, percent, seconds) in zip(names, scans, strict=True):
            tasks.append(asyncio.create_task(scan(name, need, percent, seconds)))
            await asyncio.sleep(seconds % 3)
        await asyncio.gather(*tasks)
        assert disk.begun == names
        assert disk.free == gib * GIB
        assert lowest >= 0

    at_once(main)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDisk:
    return fake_disk(monkeypatch)


@pytest.mark.parametrize(
    ("free", "size", "short"),
    [
        (0, 21 * GIB, True),
        (GIB - 4096, 20 * GIB, True),
        (GIB, 20 * GIB, False),
        (2 * GIB, 60 * GIB, True),  # 5 % are 3 GiB
        (3 * GIB, 60 * GIB, False),
        (IMAGE - 4096, 4000 * GIB, True),
        (IMAGE, 4000 * GIB, False),  # 5 % would be 200 GiB
    ],
)
def test_a_disk_is_short_by_its_free_space(fake: FakeDisk, tmp_path: Path, free: int, size: int, short: bool) -> None:
    fake.free, fake.size = free, size
    seen = look(tmp_path)
    assert seen.is_short is short
    assert seen.found.endswith(f" free in {tmp_path}")
    assert disk.free(tmp_path) == free


@pytest.mark.parametrize(
    ("free_files", "files", "short"),
    [(0, 4_000_000, True), (9_999, 4_000_000, True), (10_000, 4_000_000, False), (600, 10_000, False), (0, 0, False)],
)
def test_a_disk_is_short_by_its_free_inodes(
    fake: FakeDisk, tmp_path: Path, free_files: int, files: int, short: bool
) -> None:
    fake.free_files, fake.files = free_files, files
    seen = look(tmp_path)
    assert seen.is_short is short
    assert (f"40.0 GiB free in {tmp_path}, but {free_files} inodes" == seen.found) is short


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("number", "short"), [(errno.EDQUOT, True), (errno.ENOSPC, True), (errno.EOPNOTSUPP, False), (errno.EFBIG, False)]
)
def test_a_quota_is_found_by_asking_for_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, short: bool
) -> None:
    def refused(_descriptor: int, offset: int, size: int) -> None:
        assert (offset, size) == (0, disk.PROBE)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refused)
    seen = look(tmp_path)
    assert seen.is_short is short
    why = f", but it takes no 64 MiB: {os.strerror(number)}" if short else ""
    assert seen.found == f"40.0 GiB free in {tmp_path}{why}"
    assert list(tmp_path.iterdir()) == []


def test_a_work_directory_that_is_gone_is_a_host_fault(tmp_path: Path) -> None:
    for ask in (disk.free, look):
        with pytest.raises(HostFault, match=r"the disk does not answer: .*/gone: No such file"):
            ask(tmp_path / "gone")
