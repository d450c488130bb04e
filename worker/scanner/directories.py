"""Where scans have their files: a private directory for each, and a cache directory for each slot.

::

    <work dir>/scans/slot-0-<random>/{out,home,tmp,scrubbed}    lives as long as its scan
    <work dir>/cache/slot-0/                                    stays, is never used by two scans at once
    <work dir>/cache/slot-0.lock                                held (flock) by the scan that has the slot

The name of a scan's directory tells its slot. So whoever holds a slot's lock knows that any other directory with this
slot's name was left by a worker that died, and that a scanner which still runs in there must go first.
"""

import fcntl
import itertools
import os
import re
import secrets
import stat
import time
from pathlib import Path

import structlog

from spoke.errors import HostFault, Misconfigured
from worker.scanner import strays

log = structlog.get_logger()

MOST_SLOTS = 4096
_NAME = re.compile(r"slot-(?P<slot>\d{1,4})-[0-9a-f]{16}")


class WorkDirectory:
    """The work directory of this machine's workers; several may share it.

    Args:
        root: `SCANHUB_WORK_DIR`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.scans = root / "scans"
        self.cache = root / "cache"

    def prepare(self) -> None:
        """Make it, with mode 0700.

        Raises:
            Misconfigured: It cannot be made or written, or it belongs to somebody else.
        """
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for directory in (self.scans, self.cache):
                directory.mkdir(mode=0o700, exist_ok=True)
                status = directory.lstat()
                # In a shared /tmp somebody else may have been faster.
                if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                    raise Misconfigured(f"SCANHUB_WORK_DIR: {directory} is not a directory of this user")
                directory.chmod(0o700)
            probe = self.scans / f".{secrets.token_hex(8)}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise Misconfigured(f"SCANHUB_WORK_DIR: {error.filename or self._root}: {error.strerror}") from error

    def clean(self) -> int:
        """Remove what dead workers left, and end the scanners that they left running.

        Returns:
            How many directories were removed.
        """
        removed = 0
        slots = {int(match["slot"]) for entry in self.scans.iterdir() if (match := _NAME.fullmatch(entry.name))}
        for slot in sorted(slots):
            lock = self._lock(slot)
            if lock is not None:
                try:
                    removed += self._clean_slot(slot)
                finally:
                    os.close(lock)
        return removed

    def take_slot(self) -> tuple[int, int]:
        """The lowest free slot, cleaned: its number, and the descriptor that holds its lock until it is closed.

        Raises:
            HostFault: There is none, or the disk refuses it.
        """
        try:
            for slot in itertools.takewhile(lambda number: number < MOST_SLOTS, itertools.count()):
                lock = self._lock(slot)
                if lock is not None:
                    try:
                        self._clean_slot(slot)
                    except BaseException:
                        os.close(lock)
                        raise
                    return slot, lock
        except OSError as error:
            raise HostFault(f"no directory for a scan: {error.filename}: {error.strerror}") from error
        raise HostFault(f"all {MOST_SLOTS} slots in {self.cache} are taken")

    def _lock(self, slot: int) -> int | None:
        path = self.cache / f"slot-{slot}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _clean_slot(self, slot: int) -> int:
        removed = 0
        for path in [path for path in self.scans.glob(f"slot-{slot}-*") if _NAME.fullmatch(path.name)]:
            ended = strays.end(path)
            try:
                remove(path)
            except OSError as error:
                # It costs disk, but hinders no scan: every scan has a directory of its own.
                log.warning("what a dead worker left cannot be removed", directory=path.name, why=str(error))
                continue
            removed += 1
            log.warning("removed the directory of a scan whose worker died", directory=path.name, processes=ended)
        return removed


class ScanDirectory:
    """The directory of one scan, and the slot that it holds.

    `claim` makes it; `release` may follow at any point, also when `claim` failed midway or never ran.
    """

    def __init__(self, work: WorkDirectory) -> None:
        self._work = work
        self._lock: int | None = None
        self.slot = -1
        self.path = Path()

    @property
    def out(self) -> Path:
        """For the scanner's files."""
        return self.path / "out"

    @property
    def home(self) -> Path:
        """Its `HOME`."""
        return self.path / "home"

    @property
    def tmp(self) -> Path:
        """Its `TMPDIR`."""
        return self.path / "tmp"

    @property
    def scrubbed(self) -> Path:
        """For our own redacted copies of its files."""
        return self.path / "scrubbed"

    @property
    def cache(self) -> Path:
        """The slot's cache directory."""
        return self._work.cache / f"slot-{self.slot}"

    def claim(self) -> None:
        """Take a slot and make the directories, all with mode 0700. Blocks: for a thread.

        Raises:
            HostFault: The disk refuses.
        """
        self.slot, self._lock = self._work.take_slot()
        self.path = self._work.scans / f"slot-{self.slot}-{secrets.token_hex(8)}"
        try:
            self.cache.mkdir(mode=0o700, exist_ok=True)
            for directory in (self.path, self.out, self.home, self.tmp, self.scrubbed):
                directory.mkdir(mode=0o700)
        except OSError as error:
            raise HostFault(f"no directory for a scan: {error.filename}: {error.strerror}") from error

    def release(self, *, limit: float | None = None) -> None:
        """Remove the directory and give the slot back. Blocks: for a thread. What cannot be removed is logged.

        Args:
            limit: Seconds after which the rest is left to whoever takes the slot next; None: however long it takes.
        """
        if self._lock is None:
            return
        try:
            remove(self.path, limit=limit)
        except TimeoutError:
            log.warning("a scan's directory is left to the next one in its slot", directory=self.path.name)
        except OSError as error:
            log.exception("a scan's directory stays behind", directory=self.path.name, file=error.filename)
        finally:
            os.close(self._lock)
            self._lock = None


def remove(directory: Path, *, limit: float | None = None) -> None:
    """Remove a directory whatever lies in it: read-only, without permissions, nested deeper than a path can name.

    Links are removed, not followed. Instead of descending, it lifts the inner directories up to the top one by one, so
    that no path grows longer than three names. Nothing may write in there any more.

    Args:
        directory: May be absent.
        limit: Seconds.

    Raises:
        TimeoutError: After `limit` seconds something was left.
        OSError: Something is not ours to remove.
    """
    deadline = None if limit is None else time.monotonic() + limit
    if not os.path.lexists(directory):
        return
    lifted = itertools.count()
    mark = secrets.token_hex(8)
    directory.chmod(0o700)
    while entries := _list(directory):
        for entry in entries:
            _check(deadline)
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            # Moving a directory changes its `..`, so it must be writable itself.
            Path(entry.path).chmod(0o700)
            for inner in _list(entry.path):
                _check(deadline)
                if inner.is_dir(follow_symlinks=False):
                    Path(inner.path).chmod(0o700)
                    Path(inner.path).rename(directory / f"{mark}-{next(lifted)}")
                else:
                    Path(inner.path).unlink()
            Path(entry.path).rmdir()
    directory.rmdir()


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise TimeoutError


def _list(directory: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return list(entries)
