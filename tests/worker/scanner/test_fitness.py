"""The binary and the work directory, asked one by one."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.diagnosis import Verdict
from hub.inquiry import answered
from tests.doubles.qscanner_rig import ENVIRON, Rig
from worker.scanner import disk, fitness


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as made:
        yield made


async def asked(rig: Rig, **changes: object) -> dict[str, tuple[Verdict, str]]:
    settings = rig.settings(**changes)
    inquiries = fitness.inquiries(settings, redactor=rig.redactor, environ=ENVIRON)
    return {check.name: (check.verdict, check.reason) for check in [await answered(one) for one in inquiries]}


@pytest.fixture
def large_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda _: 60 * disk.GIBIBYTE)


@pytest.mark.usefixtures("large_disk")
async def test_a_machine_that_can_scan(rig: Rig) -> None:
    sum_ = hashlib.sha256(rig.binary.read_bytes()).hexdigest()
    found = await asked(rig, qscanner_sha256=sum_.upper())
    assert found == {
        "scanner-binary": (Verdict.OK, f"SHA-256 {sum_}, as the settings say"),
        "work-directory": (Verdict.OK, "60.0 GiB are free"),
        "scanner-version": (Verdict.OK, "it runs: 4.8.0-2"),
    }
    assert rig.scan_directories() == []


@pytest.mark.usefixtures("large_disk")
async def test_a_binary_that_is_another_one(rig: Rig) -> None:
    found = await asked(rig, qscanner_sha256="0" * 64)
    assert found["scanner-binary"][0] is found["scanner-version"][0] is Verdict.FAILED
    assert "0" * 64 in found["scanner-binary"][1]


@pytest.mark.usefixtures("large_disk")
async def test_a_binary_that_is_missing_or_does_not_run(rig: Rig) -> None:
    found = await asked(rig, qscanner_path=rig.directory / "none")
    assert "there is no scanner at" in found["scanner-binary"][1]
    found = await asked(rig, qscanner_path=rig.executable("broken", version="fail"))
    assert found["scanner-binary"][0] is Verdict.OK
    assert found["scanner-version"][0] is Verdict.FAILED
    assert "exit code 127" in found["scanner-version"][1]
    assert rig.scan_directories() == []


async def test_a_disk_that_is_short_and_a_directory_that_cannot_be_made(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free", lambda _: 8 * disk.GIBIBYTE)
    found = await asked(rig)
    assert found["work-directory"] == (
        Verdict.FAILED,
        "8.0 GiB are free: less than a large image function may need (10.5 GiB)",
    )
    found = await asked(rig, work_dir=Path("/proc/nowhere"))
    assert found["work-directory"][0] is Verdict.FAILED
    assert "/proc/nowhere" in found["work-directory"][1]
