"""The binary itself: there, whole, willing, and of which version."""

import errno
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hub.scans import ScanProfile
from spoke.errors import HostFault, Misconfigured
from worker.scanner.output import as_text
from worker.scanner.redaction import ScanRedaction
from worker.scanner.run import Patience, run

MOST_VERSION = 64
"""Characters; a version goes into keys and tags."""

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.][0-9A-Za-z.-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Binary:
    """The file that was checked.

    Attributes:
        path: Where it is.
        sha256: 64 hexadecimal digits.
        identity: Device, inode, size in bytes and time of the last write in ns.
    """

    path: Path
    sha256: str
    identity: tuple[int, int, int, int]

    def verify(self) -> None:
        """See that it still is that file, without reading it. Blocks: for a thread.

        A scan by another binary would be stored under a version that is not its own. What this cannot see is a change
        by somebody who resets the time, or one between this look and the start.

        Raises:
            HostFault: It vanished, or it was replaced or written to.
        """
        try:
            now = _identity(self.path.stat())
        except OSError as error:
            raise HostFault(f"the scanner vanished: {self.path}: {error.strerror}") from error
        if now != self.identity:
            raise HostFault(f"the scanner {self.path} is not the file that was checked at start: it was replaced")


@dataclass(frozen=True, slots=True)
class Engine:
    """The binary, and what it said of itself."""

    binary: Binary
    profile: ScanProfile


def check(path: Path, sha256: str | None) -> Binary:
    """See that the binary is the one meant. Blocks: for a thread.

    Args:
        path: Where it should be.
        sha256: What it should be, or None.

    Raises:
        Misconfigured: It is not there, not a file, not executable, or another.
    """
    try:
        if not path.exists():
            raise Misconfigured(
                f"SCANHUB_QSCANNER_PATH: there is no scanner at {path}; put the licensed qscanner binary there"
            )
        if not path.is_file():
            raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} is not a file")
        if not os.access(path, os.X_OK):
            raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} is not executable; chmod +x {path}")
        with path.open("rb") as binary:
            # Before it is read: what is written to it meanwhile shows at the first scan.
            identity = _identity(os.fstat(binary.fileno()))
            found = hashlib.file_digest(binary, "sha256").hexdigest()
    except OSError as error:
        raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} cannot be read: {error.strerror}") from error
    if sha256 is not None and found != sha256.lower():
        raise Misconfigured(f"SCANHUB_QSCANNER_SHA256: {path} has the SHA-256 {found}, not {sha256.lower()}")
    return Binary(path, found, identity)


async def probe_version(
    binary: Binary,
    *,
    environment: Mapping[str, str],
    directory: Path,
    redaction: ScanRedaction,
    patience: Patience,
) -> str:
    """What `--version` prints: the first number with a dot in the first line that says something, else that line.

    Neither its wording nor its stream is documented. A binary that prints nothing is known by its checksum instead:
    a version that never changes would keep old results fresh for ever.

    Args:
        binary: Checked.
        environment: Without credentials.
        directory: Private to this run.
        redaction: The worker's secrets.
        patience: How long it may take.

    Raises:
        Misconfigured: It cannot be started, does not answer, or fails.
    """
    path = binary.path
    try:
        ended = await run(
            [str(path), "--version"],
            environment=environment,
            directory=directory,
            redaction=redaction,
            limit=patience.version,
            # There is nothing that it could put in order.
            patience=replace(patience, grace=0),
        )
    except OSError as error:
        raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} does not start: {why_not_started(error)}") from error
    if ended.over_time:
        raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} --version did not end within {patience.version:g} s")
    both = f"{as_text(ended.stdout)}\n{as_text(ended.stderr)}"
    printed = [line.strip() for line in both.splitlines() if line.strip()]
    if ended.exit_code != 0:
        said = f": {printed[-1][:200]}" if printed else ""
        raise Misconfigured(f"SCANHUB_QSCANNER_PATH: {path} --version failed with exit code {ended.exit_code}{said}")
    return _version(printed[0]) if printed else f"sha256-{binary.sha256[:12]}"


def why_not_started(error: OSError) -> str:
    """What an error of exec(2) means for this binary."""
    if error.errno == errno.ENOEXEC:
        return f"{os.uname().machine} cannot run it (exec format error): is it for another architecture?"
    if error.errno == errno.ENOENT:
        return "it, or the interpreter or loader that it names, is not there"
    return error.strerror or str(error)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _version(line: str) -> str:
    match = _VERSION.search(line)
    return (match[0] if match else line)[:MOST_VERSION]
