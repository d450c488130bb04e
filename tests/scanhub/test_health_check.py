import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.settings import Settings
from scanhub.health_check import health_file
from tests.scanhub.processes import SCANHUB, environment, scanhub
from tests.scanhub.test_app import SETTINGS
from worker.vitals import FILE, boot_id

TOO_HEAVY = {"hub", "aiobotocore", "aiohttp", "asyncio", "botocore", "pydantic", "rich", "structlog", "typer"}


def write(directory: Path, *, age: float, state: str = "working", reason: str = "") -> None:
    document = {
        "pid": os.getpid(),
        "boot": boot_id(),
        "monotonic": time.monotonic() - age,
        "state": state,
        "reason": reason,
    }
    (directory / FILE).write_text(json.dumps(document))


def test_a_worker_that_is_well_is_told_in_a_line(tmp_path: Path) -> None:
    write(tmp_path, age=2)
    run = scanhub("worker", "--check", SCANHUB_WORK_DIR=str(tmp_path))
    assert run.code == 0
    assert run.out.startswith(f"scanhub: worker {os.getpid()} is working, as of ")
    assert (run.out.count("\n"), run.err) == (1, "")


@pytest.mark.parametrize(
    ("age", "state", "reason", "words"),
    [
        (75, "working", "", "the loop has not turned for 7"),
        (75, "stopping", "", "the loop has not turned for 7"),
        (2, "unhealthy", "the disk is short", "is unhealthy: the disk is short"),
    ],
)
def test_a_worker_that_is_not_well_is_told_in_a_line(
    tmp_path: Path, age: float, state: str, reason: str, words: str
) -> None:
    write(tmp_path, age=age, state=state, reason=reason)
    run = scanhub("worker", "--check", SCANHUB_WORK_DIR=str(tmp_path))
    assert (run.code, run.out, run.err.count("\n")) == (1, "", 1)
    assert words in run.err


def test_without_a_worker_the_check_fails_in_a_line(tmp_path: Path) -> None:
    run = scanhub("worker", "--check", SCANHUB_WORK_DIR=str(tmp_path))
    assert (run.code, run.out, run.err) == (1, "", f"scanhub: no worker has written {tmp_path}/{FILE}\n")


def test_no_other_setting_makes_the_worker_ill(tmp_path: Path) -> None:
    write(tmp_path, age=2)
    wrong = {"SCANHUB_SCAN_TIMEOUT": "soon", "AWS_ENDPOINT_URL": "nonsense", "AWS_DEFAULTS_MODE": "nonsense"}
    assert scanhub("worker", "--check", SCANHUB_WORK_DIR=str(tmp_path), **wrong).code == 0


def test_the_long_way_gives_the_same_answer(tmp_path: Path) -> None:
    """Anything but exactly `worker --check` goes through the command line."""
    write(tmp_path, age=2)
    assert scanhub("worker", "--check", "--check", SCANHUB_WORK_DIR=str(tmp_path)).code == 0
    (tmp_path / FILE).unlink()
    assert scanhub("worker", "--check", "--check", SCANHUB_WORK_DIR=str(tmp_path)).code == 1
    assert scanhub("worker", "--check", "--no-such-option").code == 2
    both = scanhub("worker", "--check", "--drain", **SETTINGS)
    assert (both.code, both.err) == (2, "scanhub: --check starts no worker that could --drain\n")


def test_a_check_loads_neither_the_command_line_nor_a_client(tmp_path: Path) -> None:
    write(tmp_path, age=2)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *SCANHUB[1:], "worker", "--check"],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env=environment({"SCANHUB_WORK_DIR": str(tmp_path)}),
    )
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert {"scanhub", "worker", "spoke", "json"} <= loaded
    assert not loaded & TOO_HEAVY


def test_a_check_costs_little_cpu(tmp_path: Path) -> None:
    write(tmp_path, age=2)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert scanhub("worker", "--check", SCANHUB_WORK_DIR=str(tmp_path)).code == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.25


@pytest.mark.parametrize("directory", [None, "", "/scratch/scans"])
def test_the_file_is_looked_for_where_a_worker_writes_it(
    directory: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    if directory is not None:
        monkeypatch.setenv("SCANHUB_WORK_DIR", directory)
    settings = Settings()  # type: ignore[call-arg]  # from the environment
    assert health_file() == settings.work_dir / FILE
