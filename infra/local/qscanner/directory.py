"""Reads an unpacked directory (`rootfs`) within the same limits as a package. Links are never followed."""

import os
import stat
from pathlib import Path

from infra.local.qscanner.archive import Inspector, is_archive, read_inner, safe_path
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import Budget


def read_directory(root: Path, inspector: Inspector, budget: Budget) -> None:
    """Show the inspector every regular file below `root` that it wants, and go into the archives.

    Raises:
        ScanFailed: No directory (5), over a limit (9).
    """
    if not root.is_dir():
        raise ScanFailed(ExitCode.NOT_AN_ARCHIVE, f"{root}: not a directory")
    inspector.archive("")
    for folder, folders, files in os.walk(root, followlinks=False):
        folders.sort()
        budget.take_entries(len(folders) + len(files), folder)
        for name in sorted(files):
            _read_file(Path(folder, name), root, inspector, budget)


def _read_file(file: Path, root: Path, inspector: Inspector, budget: Budget) -> None:
    path = safe_path(file.relative_to(root).as_posix())
    try:
        # O_NOFOLLOW also holds where a file is swapped for a link after the listing; O_NONBLOCK for a pipe.
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if not file.is_symlink():
            budget.warn(f"{path}: {error.strerror}")
        return
    with os.fdopen(descriptor, "rb") as content:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return
        budget.take_bytes(status.st_size, status.st_size, path)
        if is_archive(path):
            read_inner(content, inspector, budget, path=path, depth=1)
        elif inspector.wants(path, status.st_size):
            inspector.file(path, content.read(status.st_size))
