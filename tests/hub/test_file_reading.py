import asyncio
import threading
from typing import BinaryIO

import pytest

from hub import file_reading, reading, results
from hub.results import Results
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus
from spoke.errors import ResultUnwritable
from tests.hub.samples import PROFILE, SCAN_ID, SNAPSHOT, STORED, scanned
from tests.hub.storage import TTL, store
from tests.virtual_time import run
from worker.memory.objects import MemoryObjects


async def test_large_files_are_read_in_a_thread_one_scan_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_reading, "IN_A_THREAD", 100)
    monkeypatch.setattr(file_reading, "ONE_AT_A_TIME", 100)
    threads: list[int] = []
    loop, first, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def held(scan: Scanned, profile: ScanProfile) -> reading.Reading:
        threads.append(threading.get_ident())
        loop.call_soon_threadsafe(first.set)
        go_on.wait()
        return reading.read(scan, profile)

    monkeypatch.setattr(results, "read", held)
    stored = Results(MemoryObjects(), now=lambda: STORED)
    stores = [
        asyncio.create_task(
            stored.store(snapshot=SNAPSHOT, profile=PROFILE, scan_id=f"{SCAN_ID}{n}", scanned=scanned(), ttl=TTL)
        )
        for n in range(3)
    ]
    await first.wait()
    # Threads start in the order asked for: once this one ran, any second scan would have begun as well.
    await asyncio.to_thread(int)
    begun = len(threads)
    go_on.set()
    await asyncio.gather(*stores)
    assert begun == 1
    assert len(threads) == 3
    assert threading.get_ident() not in threads


def test_small_files_need_no_thread_and_so_run_in_virtual_time() -> None:
    assert run(store(MemoryObjects(), scanned())).status is ScanStatus.SUCCESS


def unreadable() -> BinaryIO:
    raise FileNotFoundError(2, "No such file or directory", "/scratch/slot-1/out/a-Report.sarif.json")


async def test_a_file_that_cannot_be_opened_is_a_fault_of_the_result() -> None:
    scan = scanned({}, artifacts=(Artifact(ArtifactName.SARIF, 10, unreadable),))
    with pytest.raises(ResultUnwritable, match="No such file"):
        await store(MemoryObjects(), scan)
    scan = scanned({}, artifacts=(Artifact(ArtifactName.STDERR, 10, unreadable),))
    with pytest.raises(ResultUnwritable, match="No such file"):
        await store(MemoryObjects(), scan)
