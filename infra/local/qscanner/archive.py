"""Reads a zip without unpacking it to disk by name: only what the inspector wants, archives in archives included."""

import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import KIB, MIB, Budget, over_limit

_ARCHIVES = (".zip", ".jar", ".war", ".ear")
_CHUNK = 64 * KIB
_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)
"""What zipfile raises on damaged input, by its source; OSError for a seek before the file's start."""


class Inspector(Protocol):
    """Looks at files. Paths are for display and matching, with `!/` between an archive and what lies in it."""

    def wants(self, path: str, size: int) -> bool:
        """Whether `file` is to be called."""
        ...

    def file(self, path: str, content: bytes) -> None:
        """One whole file."""
        ...

    def archive(self, path: str) -> None:
        """An archive that can be read; called before its files. The package itself has the path ''."""
        ...


class _Guarded:
    """A file that refuses to be read in one huge piece.

    zipfile reads the whole table of contents at once and makes an object of each of its entries, before anybody can
    count them.
    """

    def __init__(self, stream: IO[bytes], limit: int, where: str) -> None:
        self._stream = stream
        self._limit = limit
        self._where = where
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1, /) -> bytes:
        if size > self._limit:
            raise over_limit(self._where, f"a table of contents of {size:,} bytes")
        return self._stream.read(self._limit if size < 0 else size)


def is_archive(path: str) -> bool:
    """Whether a file is to be opened as an archive, by its name."""
    return path.lower().endswith(_ARCHIVES)


def safe_path(name: str) -> str:
    """An entry's name without roots, drives, `..`, control characters and odd slashes; '' if nothing is left."""
    printable = "".join(letter if letter.isprintable() else "_" for letter in name)
    parts = re.split(r"[/\\]+", re.sub(r"^[A-Za-z]:", "", printable))
    return "/".join(part for part in parts if part not in {"", ".", ".."})


def read_zip(stream: IO[bytes], inspector: Inspector, budget: Budget, *, path: str = "", depth: int = 0) -> None:
    """Show the inspector every regular file of a zip that it wants, and go into the archives in it.

    Links, devices and encrypted or oddly packed files that nobody wants are passed over.

    Raises:
        ScanFailed: No zip (5), damaged (7), packed in a way that Lambda does not allow (8), over a limit (9).
    """
    budget.check_depth(depth, path)
    where = path or "package"
    with _opened(stream, budget, where) as archive:
        entries = archive.infolist()
        budget.take_entries(len(entries), path)
        inspector.archive(path)
        for entry in entries:
            name = safe_path(entry.filename)
            if entry.is_dir() or not name or not _is_regular(entry):
                continue
            inner = f"{path}!/{name}" if path else name
            budget.take_bytes(entry.file_size, entry.compress_size, inner)
            if is_archive(name):
                with _content(archive, entry, inner) as content:
                    read_inner(content, inspector, budget, path=inner, depth=depth + 1)
            elif inspector.wants(inner, entry.file_size):
                with _content(archive, entry, inner) as content:
                    inspector.file(inner, content.read())


def read_inner(stream: IO[bytes], inspector: Inspector, budget: Budget, *, path: str, depth: int) -> None:
    """Like `read_zip`, for an archive among other files: one that cannot be read is a warning, a bomb is not."""
    try:
        read_zip(stream, inspector, budget, path=path, depth=depth)
    except ScanFailed as failure:
        if failure.code not in {ExitCode.NOT_AN_ARCHIVE, ExitCode.DAMAGED, ExitCode.UNSUPPORTED}:
            raise
        budget.warn(failure.message)


@contextmanager
def _opened(stream: IO[bytes], budget: Budget, where: str) -> Iterator[zipfile.ZipFile]:
    start = stream.read(4)
    stream.seek(0)
    try:
        archive = zipfile.ZipFile(_Guarded(stream, budget.limits.directory_bytes, where))
    except _BROKEN as error:
        if not start.startswith(b"PK"):
            raise ScanFailed(ExitCode.NOT_AN_ARCHIVE, f"{where}: not a zip archive") from error
        raise ScanFailed(ExitCode.DAMAGED, f"{where}: the archive is damaged: {error}") from error
    with archive:
        yield archive


@contextmanager
def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> Iterator[IO[bytes]]:
    """An entry's content, checked against its CRC, in memory or, above 8 MiB, in an unnamed temporary file.

    The declared size, which the budget has counted, is also the most that zipfile unpacks.
    """
    if entry.flag_bits & _ENCRYPTED:
        raise ScanFailed(ExitCode.UNSUPPORTED, f"{where}: encrypted")
    # Lambda takes no other methods, and LZMA's header may ask for 4 GiB of memory.
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ScanFailed(ExitCode.UNSUPPORTED, f"{where}: compression method {entry.compress_type}")
    with tempfile.SpooledTemporaryFile(max_size=8 * MIB) as content:
        for chunk in _chunks(archive, entry, where):
            content.write(chunk)
        content.seek(0)
        yield content


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    try:
        with archive.open(entry) as packed:
            while chunk := packed.read(_CHUNK):
                yield chunk
    except _BROKEN as error:
        raise ScanFailed(ExitCode.DAMAGED, f"{where}: the archive is damaged: {error}") from error


def _is_regular(entry: zipfile.ZipInfo) -> bool:
    """Neither link nor device. Archives made on Windows carry no file type at all."""
    return stat.S_IFMT(entry.external_attr >> 16) in {0, stat.S_IFREG}
