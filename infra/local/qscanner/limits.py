"""What reading a package may cost, and what it has cost so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.qscanner.exit_codes import ExitCode, ScanFailed

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds for one scan, the archives within the package included.

    Lambda allows 250 MB unpacked (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), so a real
    package stays well below `total_bytes`.

    Attributes:
        entries: Files and folders.
        total_bytes: All files unpacked.
        file_bytes: One file unpacked.
        directory_bytes: The table of contents of one archive, which is read into memory.
        ratio: Unpacked to packed size of one file above 1 MiB. Deflate reaches 1,032 on zeros.
        depth: How deep archives may lie in archives; the package itself is at 0.
        text_bytes: Larger files are not searched for secrets, nor read as package metadata.
    """

    entries: int = 20_000
    total_bytes: int = 512 * MIB
    file_bytes: int = 128 * MIB
    directory_bytes: int = 16 * MIB
    ratio: int = 200
    depth: int = 3
    text_bytes: int = MIB


class Budget:
    """Counts what one scan has read, ends it at the first limit passed, and keeps its warnings."""

    def __init__(
        self, limits: Limits, *, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.warnings: list[str] = []
        self._entries = 0
        self._bytes = 0
        self._clock = clock
        self._ends_at = None if seconds is None else clock() + seconds

    def take_entries(self, count: int, where: str) -> None:
        """Count entries.

        Raises:
            ScanFailed: More than allowed, or no time is left.
        """
        self._entries += count
        if self._entries > self.limits.entries:
            raise over_limit(where, f"more than {self.limits.entries:,} entries")
        self.check_time()

    def take_bytes(self, size: int, packed: int, where: str) -> None:
        """Count a file's unpacked size.

        Raises:
            ScanFailed: It, the sum or its compression ratio is more than allowed, or no time is left.
        """
        limits = self.limits
        self._bytes += size
        if size > limits.file_bytes:
            raise over_limit(where, f"a file of {size:,} bytes")
        if self._bytes > limits.total_bytes:
            raise over_limit(where, f"more than {limits.total_bytes:,} bytes unpacked")
        if size > MIB and size > packed * limits.ratio:
            raise over_limit(where, f"a compression ratio above {limits.ratio}")
        self.check_time()

    def check_depth(self, depth: int, where: str) -> None:
        """Refuse an archive that lies too deep.

        Raises:
            ScanFailed: It does.
        """
        if depth > self.limits.depth:
            raise over_limit(where, f"archives nested deeper than {self.limits.depth}")

    def check_time(self) -> None:
        """Refuse to go on after the time given.

        Raises:
            ScanFailed: It is over.
        """
        if self._ends_at is not None and self._clock() > self._ends_at:
            raise ScanFailed(ExitCode.GENERIC, "scan timed out while collecting data (--scan-timeout)")

    def warn(self, text: str) -> None:
        """Keep a warning for the results; at most a hundred, so that a hostile package cannot fill the disk."""
        if len(self.warnings) < 100:
            self.warnings.append(text)


def over_limit(where: str, what: str) -> ScanFailed:
    """The end of a scan at a limit."""
    return ScanFailed(ExitCode.OVER_LIMIT, f"artifact refused, possibly a zip bomb: {where or 'package'}: {what}")
