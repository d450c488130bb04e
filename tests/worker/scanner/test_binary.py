import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spoke.errors import Misconfigured
from tests.doubles.qscanner_rig import TOKEN, Rig
from worker.scanner.binary import why_not_started
from worker.scanner.run import Patience


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("qscanner version 4.8.0-2\n", "4.8.0-2"),
        ("\n\x1b[1mQScanner v5.0.1\x1b[0m (linux/arm64)\nbuilt 2026-01-02\n", "5.0.1"),
        ("4.8.0+build.7", "4.8.0+build.7"),
        ("development build\n", "development build"),
        ("x" * 500, "x" * 64),
    ],
)
async def test_the_version_is_read_leniently(rig: Rig, printed: str, version: str) -> None:
    rig.binary = rig.executable(version=printed)
    scanner = await rig.prepare()
    assert scanner.profile.version == version
    assert scanner.profile.engine == "qscanner"


async def test_a_binary_without_a_version_is_known_by_its_checksum(rig: Rig) -> None:
    rig.binary = rig.executable(version="")
    scanner = await rig.prepare()
    assert scanner.profile.version == f"sha256-{digest(rig.binary)[:12]}"


async def test_a_right_checksum_is_accepted_in_either_case(rig: Rig) -> None:
    await rig.prepare(qscanner_sha256=digest(rig.binary).upper())


async def refused(rig: Rig, patience: Patience | None = None, **changes: Any) -> str:
    with pytest.raises(Misconfigured) as raised:
        await rig.prepare(patience=patience, **changes)
    assert "\n" not in raised.value.text
    assert not (rig.work / "scans").exists() or rig.scan_directories() == []
    return raised.value.text


async def test_a_wrong_checksum_is_refused(rig: Rig) -> None:
    assert await refused(rig, qscanner_sha256="0" * 64) == (
        f"SCANHUB_QSCANNER_SHA256: {rig.binary} has the SHA-256 {digest(rig.binary)}, not {'0' * 64}"
    )


async def test_a_missing_binary_is_refused(rig: Rig) -> None:
    assert "there is no scanner at /opt/nowhere/qscanner" in await refused(rig, qscanner_path="/opt/nowhere/qscanner")


async def test_a_directory_is_refused(rig: Rig) -> None:
    assert "is not a file" in await refused(rig, qscanner_path=rig.directory)


async def test_a_binary_without_permission_is_refused(rig: Rig) -> None:
    rig.binary.chmod(0o644)
    assert f"is not executable; chmod +x {rig.binary}" in await refused(rig)


async def test_a_binary_that_cannot_be_read_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, mode: str = "r") -> None:
        raise PermissionError(13, "Permission denied", str(path), mode)

    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be read: Permission denied" in await refused(rig)


async def test_a_binary_for_another_machine_is_refused(rig: Rig) -> None:
    rig.binary.write_bytes(b"\x7fELF\x02\x01\x01" + b"\x00" * 57)
    assert "exec format error" in await refused(rig)


async def test_a_script_without_its_interpreter_is_refused(rig: Rig) -> None:
    rig.binary.write_text("#!/opt/nowhere/python\n")
    assert "the interpreter or loader that it names, is not there" in await refused(rig)


async def test_a_binary_that_fails_is_refused_with_what_it_says(rig: Rig) -> None:
    rig.binary = rig.executable(version="fail")
    assert "--version failed with exit code 127: qscanner: cannot execute: GLIBC_2.38 not found" in await refused(rig)


async def test_a_binary_that_fails_silently_is_refused(rig: Rig) -> None:
    rig.binary.write_text("#!/bin/false\n")
    assert (await refused(rig)).endswith("--version failed with exit code 1")


async def test_a_binary_that_hangs_is_refused(rig: Rig) -> None:
    rig.binary = rig.executable(version="hang")
    text = await refused(rig, patience=Patience(version=0.2, grace=0, kill=30))
    assert "--version did not end within 0.2 s" in text
    assert rig.processes() == []


async def test_the_probe_gets_no_credentials(rig: Rig) -> None:
    rig.binary.write_text("#!/bin/sh\nenv | tr '\\n' ' '\n", encoding="utf-8")
    scanner = await rig.prepare(environ={"PATH": "/usr/bin:/bin", "QUALYS_ACCESS_TOKEN": TOKEN})
    assert "TOKEN" not in scanner.profile.version


def test_why_a_binary_does_not_start() -> None:
    assert why_not_started(PermissionError(errno.EACCES, "Permission denied")) == "Permission denied"
    assert why_not_started(OSError("odd")) == "odd"
