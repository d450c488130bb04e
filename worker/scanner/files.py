"""The scanner's files: found by suffix in the directory of one scan, without a secret in them."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import structlog

from hub.scanned import Artifact, ArtifactName
from worker.scanner.redaction import ScanRedaction

log = structlog.get_logger()

PIECE = 64 * 1024
"""Bytes read at once: redacting that much holds the interpreter for about a millisecond."""

SUFFIXES = (
    ("scanresult.spdx.json", ArtifactName.SPDX),
    ("scanresult.json", ArtifactName.SCAN_RESULT),
    ("report.sarif.json", ArtifactName.SARIF),
    ("report.json", ArtifactName.REPORT),
    ("gitlab_vuln_report.json", ArtifactName.GITLAB),
)
"""What follows `<prefix>-`; what the prefix is for a function is not documented."""


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one scan.

    Attributes:
        artifacts: At most one of each name.
        reasons: `several_<name>` where the newest of several was taken: which one is meant is not known.
    """

    artifacts: tuple[Artifact, ...]
    reasons: tuple[str, ...]


def plain_name(file: str) -> ArtifactName | None:
    """Under which name a file of the scanner is kept; None for one that is not known.

    The suffixes come first: a function may have `cyclonedx` in its name.
    """
    lower = file.lower()
    for suffix, name in SUFFIXES:
        if lower == suffix or lower.endswith(f"-{suffix}"):
            return name
    if lower.endswith(".cdx.json") or (lower.endswith(".json") and "cyclonedx" in lower):
        return ArtifactName.CYCLONEDX
    return None


def collect(directory: Path, *, scrubbed: Path, redaction: ScanRedaction) -> Found:
    """Every known file that lies in the directory itself. Blocks: for a thread.

    Links, pipes and devices are passed over: a link may point at any file of this machine. A file with a secret of
    this scan in it is replaced by a redacted copy.

    Args:
        directory: The scanner's output directory.
        scrubbed: An existing directory of ours for such copies.
        redaction: The secrets.

    Raises:
        OSError: A file cannot be read.
    """
    newest: dict[ArtifactName, tuple[int, str]] = {}
    reasons: dict[str, None] = {}
    for name, file, modified in _known_files(directory):
        if name in newest:
            reasons[f"several_{name.name.lower()}"] = None
        newest[name] = max(newest.get(name, (0, "")), (modified, file))
    artifacts = []
    for name in ArtifactName:
        if name in newest:
            path = _without_secrets(directory / newest[name][1], scrubbed / name.value, redaction)
            artifacts.append(Artifact(name, path.stat().st_size, partial(open_file, path)))
    return Found(tuple(artifacts), tuple(reasons))


def open_file(path: Path) -> BinaryIO:
    """For reading, unless it is a link."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _known_files(directory: Path) -> Iterator[tuple[ArtifactName, str, int]]:
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            name = plain_name(entry.name)
            if name is None:
                continue
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                log.warning("not a regular file, passed over", file=entry.name, kind=stat.filemode(status.st_mode))
                continue
            if not status.st_mode & stat.S_IRUSR:
                Path(entry.path).chmod(0o600)
            yield name, entry.name, status.st_mtime_ns


def _without_secrets(path: Path, copy: Path, redaction: ScanRedaction) -> Path:
    if not _has_secret(path, redaction):
        return path
    log.warning("the scanner wrote a secret into a file, redacted", file=path.name)
    stream = redaction.stream()
    with open_file(path) as original, copy.open("xb") as clean:
        while piece := original.read(PIECE):
            clean.write(stream.feed(piece))
        clean.write(stream.flush())
    return copy


def _has_secret(path: Path, redaction: ScanRedaction) -> bool:
    """Whether redacting would change the file: told piece by piece, without writing anything."""
    stream = redaction.stream()
    pending = bytearray()
    with open_file(path) as original:
        while piece := original.read(PIECE):
            pending += piece
            clean = stream.feed(piece)
            if not pending.startswith(clean):
                return True
            del pending[: len(clean)]
    return pending != stream.flush()
