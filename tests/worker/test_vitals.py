import json
from pathlib import Path

import pytest

from worker import vitals
from worker.vitals import STALE, HealthState, boot_id, judge

BOOT = "6d1c9f7e-0c5b-4f0e-9d0a-1f2e3d4c5b6a"


def document(**changes: object) -> dict[str, object]:
    written = {
        "schemaVersion": 1,
        "pid": 7,
        "boot": BOOT,
        "monotonic": 5000.25,
        "at": "2026-11-22T01:10:00.000+00:00",
        "state": "working",
        "reason": "",
    }
    return {**written, **changes}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "health.json"
    path.write_text(json.dumps(document()))
    return path


@pytest.mark.parametrize("age", [0, 4.9, STALE])
def test_a_young_file_is_a_healthy_worker(file: Path, age: float) -> None:
    verdict = judge(file, monotonic=5000.25 + age, boot=BOOT)
    assert verdict.healthy
    assert verdict.text == f"worker 7 is working, as of {age:.0f} s ago"


def test_a_worker_that_stops_in_good_order_is_healthy(file: Path) -> None:
    file.write_text(json.dumps(document(state="stopping")))
    verdict = judge(file, monotonic=5001, boot=BOOT)
    assert (verdict.healthy, verdict.text) == (True, "worker 7 is stopping, as of 1 s ago")


@pytest.mark.parametrize("state", ["working", "stopping"])
def test_an_old_file_is_a_stuck_loop(file: Path, state: str) -> None:
    file.write_text(json.dumps(document(state=state)))
    verdict = judge(file, monotonic=5000.25 + STALE + 15, boot=BOOT)
    assert not verdict.healthy
    assert verdict.text.startswith("worker 7: the loop has not turned for 75 s")


def test_an_unhealthy_worker_is_told_with_its_reason(file: Path) -> None:
    file.write_text(json.dumps(document(state="unhealthy", reason="the disk is short: 12 MiB free")))
    verdict = judge(file, monotonic=5001, boot=BOOT)
    assert (verdict.healthy, verdict.text) == (False, "worker 7 is unhealthy: the disk is short: 12 MiB free")


def test_no_file_is_no_worker(tmp_path: Path) -> None:
    verdict = judge(tmp_path / "health.json", monotonic=0, boot=BOOT)
    assert (verdict.healthy, verdict.text) == (False, f"no worker has written {tmp_path}/health.json")


@pytest.mark.parametrize(("monotonic", "boot"), [(5001, "another-boot"), (100, BOOT), (5001, "")])
def test_a_file_that_outlived_its_machine_is_no_sign_of_life(file: Path, monotonic: float, boot: str) -> None:
    """A work directory on a disk that stays: after a restart the old figure may look like a moment ago."""
    verdict = judge(file, monotonic=monotonic, boot=boot)
    assert not verdict.healthy
    assert "since this machine was started" in verdict.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        json.dumps(document(state="fine")).encode(),
        json.dumps(document(monotonic="soon")).encode(),
        json.dumps(document(monotonic=None)).encode(),
        json.dumps(document(pid=[7])).encode(),
    ],
)
def test_what_no_worker_writes_is_unhealthy(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    verdict = judge(file, monotonic=5001, boot=BOOT)
    assert (verdict.healthy, verdict.text) == (False, f"{file} is not what a worker writes")


def test_a_file_that_cannot_be_read_is_unhealthy(tmp_path: Path) -> None:
    verdict = judge(tmp_path, monotonic=5001, boot=BOOT)
    assert (verdict.healthy, verdict.text) == (False, f"{tmp_path} cannot be read: Is a directory")


def test_a_boot_has_one_name_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot_id() == boot_id()
    monkeypatch.setattr(vitals, "_BOOT_ID", tmp_path / "missing")
    assert boot_id() == ""


def test_the_states_are_in_the_order_in_which_they_may_follow() -> None:
    assert list(HealthState) == [HealthState.WORKING, HealthState.STOPPING, HealthState.UNHEALTHY]
