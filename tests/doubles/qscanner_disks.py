"""Disks as a test needs them: one that says what the test says, and a small real one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

GIB = 1024**3
BLOCK = 4096


@dataclass
class FakeDisk:
    """What statvfs(3) answers, in bytes; an ordinary task's disk unless a test changes it."""

    free: int = 40 * GIB
    size: int = 60 * GIB
    free_files: int = 3_000_000
    files: int = 4_000_000

    def status(self, _directory: os.PathLike[str] | str) -> os.statvfs_result:
        # One in 20 blocks is kept for root, as ext4 does: free for root is more than free for us.
        for_root = self.free + self.size // 20
        return os.statvfs_result(
            (
                *(BLOCK, BLOCK, self.size // BLOCK, for_root // BLOCK, self.free // BLOCK),
                *(self.files, self.free_files + 1000, self.free_files, 0, 255),
            )
        )


def fake_disk(monkeypatch: pytest.MonkeyPatch) -> FakeDisk:
    """Stands in for every disk of this process; probes that reserve space are still real."""
    disk = FakeDisk()
    monkeypatch.setattr(os, "statvfs", disk.status)
    return disk


@contextmanager
def small_disk(directory: Path, options: str) -> Iterator[Path]:
    """A real file system in memory, mounted for as long as the context lasts. Only root may."""
    directory.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no real full disk here, the fake one has to do: {mounted.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["/usr/bin/env", "umount", str(directory)], check=True)
