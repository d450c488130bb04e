"""A worker as ECS runs it: its signals, its streams, its exit codes, its health, the agent beside it."""

import asyncio
import json
import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.service_notes import Pause
from infra.local.cloud import EmbeddedCloud
from scanhub.worker_process import told
from spoke.errors import HostFault, Misconfigured
from tests.conftest import forget_aws
from tests.e2e.main_job import STAND_IN
from tests.hub.ecs_agent_double import agent
from tests.scanhub.processes import SCANHUB, environment, scanhub, terminated, worker_until
from worker.tally import Tally
from worker.trip import EndingKind
from worker.vitals import FILE

pytestmark = [pytest.mark.timeout(180)]

ORDERS = "arn:aws:lambda:eu-central-1:210000000001:function:orders-api"
REPORT = "arn:aws:lambda:eu-central-1:210000000002:function:legacy-report"

Environ = Mapping[str, str | None]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Environ]:
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as embedded:
        forget_aws(monkeypatch)
        base = {"AWS_ENDPOINT_URL": embedded.endpoint, "AWS_REGION": "eu-central-1"}
        run = scanhub("local", "up", "--json", **base)
        assert run.code == 0, run.err
        yield {**base, **json.loads(run.out)["settings"]}


@pytest.fixture
def cloud(deployed: Environ, tmp_path: Path) -> Environ:
    """Each test's worker has its own directory and scanner."""
    return {
        **deployed,
        "SCANHUB_QSCANNER_PATH": str(STAND_IN),
        "SCANHUB_WORK_DIR": str(tmp_path / "work"),
        "SCANHUB_MAX_CONCURRENT_SCANS": "1",
    }


def scanner(directory: Path, scan: str) -> str:
    """A scanner with a version, and one thing that it does instead of a scan."""
    path = directory / "qscanner"
    path.write_text(f'#!/bin/sh\ncase "$1" in --version) echo "qscanner 4.8.0";; *) {scan};; esac\n')
    path.chmod(0o755)
    return str(path)


class Bell:
    """What the scanner rings when it has begun."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait(self) -> None:
        readable, _, _ = select.select([self._descriptor], [], [], 60)
        assert readable, "the scanner has not begun"
        os.close(self._descriptor)


def hanging(directory: Path) -> tuple[str, Bell]:
    """A scanner that rings and then hangs until it is killed."""
    path = directory / "bell"
    return scanner(directory, f"echo begun > {shlex.quote(str(path))}; exec sleep 600"), Bell(path)


@contextmanager
def working(directory: Path, environ: Environ) -> "Iterator[subprocess.Popen[str]]":
    """A worker that is ready; whatever becomes of the test, it ends with it."""
    process = worker_until("worker ready", directory / "metrics", **environ)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=50)


def rest_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its exit code and what is left of its log."""
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_a_worker_that_runs_is_well_and_one_that_has_ended_is_none(cloud: Environ, tmp_path: Path) -> None:
    drained = scanhub("worker", "--drain", "--no-such-option", **cloud)
    assert drained.code == 2
    with working(tmp_path, cloud) as process:
        well = scanhub("worker", "--check", **cloud)
        assert (well.code, well.err) == (0, "")
        assert f"worker {process.pid} is working" in well.out
        assert terminated(process) == 0
    ended = scanhub("worker", "--check", **cloud)
    assert (ended.code, "no worker has written" in ended.err) == (1, True)


def test_the_first_signal_waits_for_the_scan_and_the_second_one_does_not(cloud: Environ, tmp_path: Path) -> None:
    path, bell = hanging(tmp_path)
    assert scanhub("scan", "--force", ORDERS, **cloud).code == 0
    with working(tmp_path, {**cloud, "SCANHUB_QSCANNER_PATH": path}) as process:
        bell.wait()
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        for line in process.stderr:
            if "draining" in line:
                break
        check = scanhub("worker", "--check", **cloud)
        assert (check.code, "is stopping" in check.out) == (0, True)
        assert process.poll() is None
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        code, err = rest_of(process)
    # Long before the drain time (110 s) is over.
    assert time.monotonic() - begun < 50
    assert code == 0, err
    assert '"meaning": "stopping at once"' in err
    assert "given back, still in the queue" in err.splitlines()[-1]
    assert not (tmp_path / "work" / FILE).exists()


def test_a_machine_at_fault_ends_the_worker_with_1(cloud: Environ, tmp_path: Path) -> None:
    """ECS then starts another one; 3 is the scanner's code for a logger that could not start."""
    assert scanhub("scan", "--force", ORDERS, **cloud).code == 0
    with working(tmp_path, {**cloud, "SCANHUB_QSCANNER_PATH": scanner(tmp_path, "exit 3")}) as process:
        code, err = rest_of(process)
    assert code == 1, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("scanhub: ")
    assert "logger could not start" in err.splitlines()[-1]


@pytest.mark.parametrize(("fault", "code"), [(HostFault("the disk is short"), 1), (Misconfigured("wrong"), 2)])
def test_the_fault_that_ends_a_worker_decides_its_exit_code(
    fault: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scanhub import app, worker_process  # noqa: PLC0415  # the command line is heavy, and all other tests do without

    def ends(*, drain: bool) -> None:
        assert not drain
        raise fault

    monkeypatch.setattr(worker_process, "work", ends)
    monkeypatch.setattr("sys.argv", ["scanhub", "worker"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"scanhub: {fault}\n"


def test_a_broken_stdout_costs_the_metrics_and_nothing_else(cloud: Environ) -> None:
    read, write = os.pipe()
    # Without a buffer nothing is left in it that could fail when the interpreter ends.
    buffered = environment({**cloud, "PYTHONUNBUFFERED": None})
    process = subprocess.Popen([*SCANHUB, "worker"], stdout=write, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(write)
    os.close(read)
    assert process.stderr is not None
    for line in process.stderr:
        if "worker ready" in line:
            break
    try:
        waited = scanhub("scan", "--force", "--wait", "--timeout", "60", REPORT, **cloud)
        assert waited.code == 0, waited.err
    finally:
        process.send_signal(signal.SIGTERM)
    code, err = rest_of(process)
    assert code == 0, err
    assert "metrics not written" in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_does_not_keep_a_worker_from_its_work(cloud: Environ, closed: str) -> None:
    assert scanhub("scan", "--force", REPORT, **cloud).code == 0
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *SCANHUB, "worker", "--drain"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=environment(cloud),
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if "2>&-" not in closed:
        assert "excluded" in done.stderr.splitlines()[-1]
    if not closed.startswith(">&-"):
        assert "EventsExcluded" in done.stdout


async def test_a_task_on_ecs_is_protected_while_it_scans(cloud: Environ, tmp_path: Path) -> None:
    path, bell = hanging(tmp_path)

    def scan_and_stop(environ: Environ, requests: list[dict[str, Any]]) -> tuple[int, str]:
        assert scanhub("scan", "--force", ORDERS, **cloud).code == 0
        with working(tmp_path, environ) as process:
            bell.wait()
            assert requests == [{"ProtectionEnabled": True, "ExpiresInMinutes": 30}]
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            for line in process.stderr:
                if "draining" in line:
                    break
            process.send_signal(signal.SIGTERM)
            return rest_of(process)

    async with agent() as endpoint:
        on_ecs = {**cloud, "ECS_AGENT_URI": endpoint.uri, "SCANHUB_QSCANNER_PATH": path}
        code, err = await asyncio.to_thread(scan_and_stop, on_ecs, endpoint.requests)
        assert code == 0, err
        assert endpoint.requests[1:] == [{"ProtectionEnabled": False}]
        assert endpoint.minutes is None


@pytest.mark.parametrize(
    ("tally", "line"),
    [
        (Tally(), "nothing received"),
        (
            Tally({EndingKind.STORED: 2, EndingKind.GIVEN_BACK: 1}, {"m1"}),
            "1 given back, 2 stored; 1 message given back, still in the queue",
        ),
        (
            Tally(
                paused=Pause(
                    by="jo",
                    reason="a\nb",
                    at=datetime(2026, 11, 22, 7, 5, tzinfo=UTC),
                )
            ),
            "nothing received; the service is paused since 2026-11-22 07:05:00 UTC by jo: a",
        ),
        (
            Tally(paused=Pause(by="jo", reason="", at=datetime(2026, 11, 22, 7, 5, tzinfo=UTC))),
            "nothing received; the service is paused since 2026-11-22 07:05:00 UTC by jo",
        ),
    ],
    ids=["nothing", "left behind", "paused", "paused without a reason"],
)
def test_the_last_line_tells_what_became_of_the_messages(tally: Tally, line: str) -> None:
    assert told(tally) == f"scanhub: {line}\n"
