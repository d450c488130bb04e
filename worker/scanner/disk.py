"""Room on the disk: which scan may begin, and whether a scanner that calls the disk full is to be believed."""

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from spoke.errors import HostFault
from spoke.snapshot import FunctionSnapshot

log = structlog.get_logger()

MIBIBYTE = 1024**2
GIBIBYTE = 1024**3

UNZIPPED = 250 * MIBIBYTE
"""Bytes of a zip function's code and its layers, unzipped, at the most (Lambda quotas)."""
IMAGE = 10 * GIBIBYTE
"""Bytes of an image at the most, uncompressed (Lambda quotas). Its compressed layers may come on top; but an image is
seldom as large as it may be, and twice as much would let a disk of 20 GiB hold not even one."""
RESULTS = 64 * MIBIBYTE
"""Bytes for the scanner's own files and our redacted copies of them."""
FLOOR = 512 * MIBIBYTE
"""Bytes without which no scan is tried at all: less than what one large zip function may need."""
PROBE = 64 * MIBIBYTE
"""Bytes that are asked for to see whether anything can be written at all."""
LEAST_FILES = 10_000
"""Free inodes below which a disk is short: a function with its dependencies unpacks as many."""


def expected(snapshot: FunctionSnapshot) -> int:
    """Bytes that a scan of it may need at once: what it downloads, unpacks and writes.

    The size of an image is not known from GetFunction (`CodeSize` is 0), so each counts as the largest. Of a zip
    function the size of the code alone is known; with layers, which are stored apart, or without a size (0) its
    archives count as large as what they may unpack to.
    """
    if snapshot.is_image:
        return IMAGE
    size = UNZIPPED if snapshot.layers or snapshot.code_size <= 0 else min(snapshot.code_size, UNZIPPED)
    return size + UNZIPPED + RESULTS


def free(directory: Path) -> int:
    """Bytes that this user may still write there. Blocks: for a thread.

    Raises:
        HostFault: The directory, or its disk, does not answer any more.
    """
    status = _status(directory)
    return status.f_bavail * status.f_frsize


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the disk showed.

    Attributes:
        is_short: Whether a scanner that calls it full is right.
        found: What was seen, for a person: `3.1 GiB free in /var/lib/scanhub`.
    """

    is_short: bool
    found: str


def look(directory: Path) -> Look:
    """Whether the disk is short. Blocks: for a thread.

    A write that failed leaves less free than it was large, and other scans may have ended since; hence the thresholds
    are far from zero. Short is a disk with less than 1 GiB or 5 % of it free, yet never one with room for an
    image (5 % of a huge disk are no shortage); one with less than 10,000 or 5 % of its inodes free, whichever is less;
    and one that refuses a probe of 64 MiB. The last alone shows a quota, which no figure of statvfs(3) tells, and which
    holds for us as for the scanner, both being one user.

    Raises:
        HostFault: As `free`.
    """
    status = _status(directory)
    room = status.f_bavail * status.f_frsize
    least = min(max(GIBIBYTE, status.f_blocks * status.f_frsize // 20), IMAGE)
    found = f"{_readable(room)} free in {directory}"
    if room < least:
        return Look(is_short=True, found=found)
    # Where inodes are made as needed (btrfs) both figures are 0, and this is never so.
    if status.f_favail < min(LEAST_FILES, status.f_files // 20):
        return Look(is_short=True, found=f"{found}, but {status.f_favail} inodes")
    refused = _refused(directory)
    if refused is not None:
        return Look(is_short=True, found=f"{found}, but it takes no {_readable(PROBE)}: {refused}")
    return Look(is_short=False, found=found)


class Admission:
    """Lets scans begin only where there is room for them, first come, first served.

    A scan may begin if what is free now holds what all running scans have reserved, and its own need as well. The
    reservation of a running scan counts in full until the scan's files are gone, also what it has written already and
    what is thus missing from the free space: how much that is only a walk through a tree would tell that an untrusted
    archive has made and that changes meanwhile. The error is always on the safe side: whatever part of their
    reservations the running scans have used, the rest of it still fits. It costs room only to the extent that scans use
    their reservations, which for images is seldom much.

    A scan that runs alone is always tried, if `FLOOR` is free: the most that an image may need is seldom what it needs.
    Whoever is in front and does not fit holds up those behind, also those that would fit: else a stream of small
    functions would keep a large image waiting for ever. It is looked again whenever a scan ends, for nothing else that
    this worker does makes room.

    Args:
        free: Gives the bytes free now.
        where: For an error's text.
    """

    def __init__(self, free: Callable[[], Awaitable[int]], *, where: Path) -> None:
        self._free = free
        self._where = where
        self._reserved: list[int] = []
        self._turn = asyncio.Lock()  # wakes its waiters in the order in which they came
        self._ended = asyncio.Event()

    @property
    def reserved(self) -> int:
        """Bytes, by all scans that run."""
        return sum(self._reserved)

    @asynccontextmanager
    async def room(self, need: int, *, target: str) -> AsyncIterator[None]:
        """Wait until there is room, and hold it until the context is left, by when the scan's files must be gone.

        Args:
            need: Bytes; see `expected`.
            target: What is scanned, for the log.

        Raises:
            HostFault: No scan runs, and there is not even room to try one.
        """
        async with self._turn:
            await self._fits(need, target)
            self._reserved.append(need)
        try:
            yield
        finally:
            self._reserved.remove(need)
            self._ended.set()

    async def _fits(self, need: int, target: str) -> None:
        waits = False
        while True:
            # First of all: a scan that ends while the space is measured must not be missed.
            self._ended.clear()
            alone, reserved = not self._reserved, self.reserved
            free = await self._free()
            if alone and free < FLOOR:
                raise HostFault(
                    f"the disk is short: {_readable(free)} free in {self._where}, a scan needs {_readable(FLOOR)}"
                )
            if alone or free - reserved >= need:
                return
            if not waits:
                waits = True
                log.info("scan waits for room on the disk", target=target, free=free, reserved=reserved, need=need)
            await self._ended.wait()


def _status(directory: Path) -> os.statvfs_result:
    try:
        return os.statvfs(directory)
    except OSError as error:
        raise HostFault(f"the disk does not answer: {directory}: {error.strerror}") from error


def _refused(directory: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=directory) as probe:
            os.posix_fallocate(probe.fileno(), 0, PROBE)
    except OSError as error:
        # Anything else (a file system that cannot reserve) is no shortage.
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return error.strerror
    return None


def _readable(size: int) -> str:
    if size < GIBIBYTE:
        return f"{size / MIBIBYTE:.0f} MiB"
    return f"{size / GIBIBYTE:.1f} GiB"
