"""`scanhub pause` and `resume` against the register in moto's DynamoDB."""

import asyncio
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from hub.scans import ScanProfile
from hub.service_notes import Pause, WorkerNote
from hub.settings import load
from scanhub import pause_command
from scanhub.wiring import open_hub
from tests.scanhub.operator_rig import Operator, document, invoke, operator
from tests.scanhub.processes import SCANHUB, environment

__all__ = ["operator"]

PROFILE = ScanProfile("qscanner", "4.6.0", "get-report", ("pkg", "secret"))


def check_in(name: str, *, paused: bool, running: int = 0, silent: timedelta = timedelta(0)) -> None:
    """A worker's word of itself."""
    now = datetime.now(UTC)
    note = WorkerNote(
        id=name,
        version="0.1.0",
        profile=PROFILE,
        slots=4,
        running=running,
        paused=paused,
        started_at=now - timedelta(hours=1),
        seen_at=now - silent,
    )

    async def write() -> None:
        async with open_hub(load(), os.environ) as hub:
            await hub.register.check_in(note)

    asyncio.run(write())


def test_pause_and_resume_by_whom_and_why(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    paused = document("pause", "--because", "Qualys\nmaintenance")
    assert paused["paused"]["by"].startswith("arn:aws:sts::")
    assert paused["paused"]["reason"] == "Qualys maintenance"
    assert (paused["wasPaused"], paused["workers"]) == (False, 0)

    again = document("pause")
    assert (again["wasPaused"], again["paused"]) == (True, paused["paused"])
    assert "The service was paused already by arn:aws:sts::" in invoke("pause").stdout
    told = invoke("pause", "--because", "a full disk").stdout
    assert "(Qualys maintenance); now it is so by" in told
    assert "(a full disk)." in told

    assert "takes work again; it was paused by arn:aws:sts::" in invoke("resume").stdout
    assert invoke("resume").stdout == "The service was not paused.\n"
    assert document("resume") == {"schemaVersion": 1, "paused": None, "wasPaused": False}
    document("pause")
    assert document("resume")["wasPaused"]


@pytest.mark.parametrize("reason", ["a \x1b[31mred\x07 disk", "a \udcff[31mred\n disk", "a \u202e[31mred  disk"])
def test_a_reason_is_a_line_that_steers_no_terminal(operator: Operator, reason: str) -> None:
    assert operator.visible("changes") == 0
    assert document("pause", "--because", reason)["paused"]["reason"] == "a [31mred disk"


def test_it_tells_how_many_workers_heed_it(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    assert "No worker runs; those that start will wait." in invoke("pause").stdout
    check_in("a", paused=True, running=2)
    check_in("b", paused=False, running=1)
    check_in("dead", paused=False, silent=timedelta(minutes=10))
    told = document("pause")
    assert (told["workers"], told["heeding"], told["runningScans"]) == (2, 1, 3)
    assert "Heeded by 1 of 2 workers; scans that still run: 3." in invoke("pause").stdout


def test_it_waits_for_all_of_them_or_says_that_it_did_not_help(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert operator.visible("changes") == 0
    monkeypatch.setattr(pause_command, "POLL", timedelta(milliseconds=50))
    check_in("a", paused=True)
    assert document("pause", "--wait")["heeding"] == 1
    check_in("b", paused=False)
    late = invoke("pause", "--wait", "--timeout", "1")
    assert late.exit_code == 1
    assert "not every worker has heeded it within 1 s" in late.stderr


def test_nobody_waits_for_ever(operator: Operator) -> None:
    late = invoke("pause", "--wait", "--timeout", "99999999999999")
    assert late.exit_code == 2
    assert "--timeout" in late.stderr
    assert asyncio.run(is_paused()) is None
    assert operator.visible("changes") == 0


def test_ctrl_c_while_it_waits_says_that_the_pause_stays(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    check_in("busy", paused=False)
    process = subprocess.Popen([*SCANHUB, "pause", "--wait"], stderr=subprocess.PIPE, text=True, env=environment({}))
    try:
        while asyncio.run(is_paused()) is None:
            assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the service stays paused; to let it work again: scanhub resume" in told
    assert document("resume")["wasPaused"]


async def is_paused() -> Pause | None:
    async with open_hub(load(), os.environ) as hub:
        return await hub.register.paused()
