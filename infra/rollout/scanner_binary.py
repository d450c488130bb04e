"""The licensed scanner as a file on the operator's machine: what it is, and for which processor."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spoke.errors import Misconfigured

Architecture = Literal["X86_64", "ARM64"]
"""As ECS and `infra/hub.yaml` (`CpuArchitecture`) write it."""

PLATFORMS: dict[Architecture, str] = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
"""As container engines write it."""

# ELF header (gABI, "ELF Header"): e_ident, then e_type and e_machine of two bytes each.
_MAGIC = b"\x7fELF"
_64_BIT, _LITTLE_ENDIAN = 2, 1
_MACHINES: dict[int, Architecture] = {0x3E: "X86_64", 0xB7: "ARM64"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ScannerBinary:
    """A Linux program.

    Attributes:
        path: Where it lies.
        sha256: Of its bytes, 64 hex digits.
        architecture: That it was built for.
        size: Bytes.
    """

    path: Path
    sha256: str
    architecture: Architecture
    size: int


def read(path: Path, *, sha256: str | None = None, architecture: Architecture | None = None) -> ScannerBinary:
    """Look at the binary.

    Args:
        path: Of the file.
        sha256: What its checksum must be, if it is known.
        architecture: What it must be built for, if that is asked for.

    Raises:
        Misconfigured: It cannot be read, is no Linux program for a processor that Fargate has, or is another one.
    """
    if sha256 is not None and not _SHA256.fullmatch(sha256.lower()):
        raise Misconfigured("--sha256 must be 64 hex digits: the SHA-256 of the binary, from where it was downloaded")
    try:
        with path.open("rb") as file:
            built_for = _architecture(path, file.read(20))
            file.seek(0)
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise Misconfigured(f"the scanner cannot be read: {path}: {error.strerror}") from error
    if sha256 is not None and actual != sha256.lower():
        raise Misconfigured(f"{path} is another binary: its SHA-256 is {actual}, not {sha256.lower()}")
    if architecture is not None and built_for != architecture:
        raise Misconfigured(f"{path} was built for {built_for}, not for {architecture}: download the other one")
    return ScannerBinary(path, actual, built_for, size)


def _architecture(path: Path, header: bytes) -> Architecture:
    if header[:4] != _MAGIC or len(header) < 20 or header[4:6] != bytes((_64_BIT, _LITTLE_ENDIAN)):
        raise Misconfigured(f"{path} is no Linux program (64-bit ELF): give the qscanner binary itself, unpacked")
    machine = int.from_bytes(header[18:20], "little")
    if machine not in _MACHINES:
        raise Misconfigured(f"{path} was built for a processor that Fargate does not have (ELF machine {machine:#x})")
    return _MACHINES[machine]
