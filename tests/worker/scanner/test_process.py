import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spoke.errors import HostFault
from worker.scanner import limits, strays
from worker.scanner.process import ScannerProcess

SLEEPER = "import os, signal; os.write(1, b'.'); signal.pause()"
"""Its dot says that it runs: between fork and exec's end the kernel shows no environment of it."""


@pytest.fixture
def children(tmp_path: Path) -> Iterator[list[ScannerProcess]]:
    started: list[ScannerProcess] = []
    yield started
    for process in started:
        process.end(grace=0)
        process.close()
    assert strays.find(tmp_path) == []


def start(directory: Path, code: str) -> ScannerProcess:
    return ScannerProcess([sys.executable, "-ISc", code], environment={"HOME": str(directory)}, directory=directory)


async def test_the_end_is_noticed_and_the_code_told(tmp_path: Path) -> None:
    process = start(tmp_path, "raise SystemExit(7)")
    await process.exited()
    assert process.end(grace=0) == 7
    process.close()


def test_a_process_that_outlives_kill_is_a_host_fault(
    tmp_path: Path, children: list[ScannerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    children.append(start(tmp_path, SLEEPER))
    waited: list[float] = []
    with monkeypatch.context() as patched:
        # As if it hung in the kernel.
        patched.setattr(os, "killpg", lambda _group, _number: None)
        patched.setattr(strays, "end", lambda _directory, *, patience: waited.append(patience))
        with pytest.raises(HostFault, match="outlives SIGKILL"):
            children[0].end(grace=0, patience=0.01)
    assert waited == [0.01]  # no longer for what left the group either


def test_a_kernel_without_process_handles_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refused)
    with pytest.raises(OSError, match="Function not implemented"):
        start(tmp_path, SLEEPER)
    assert strays.find(tmp_path) == []


def test_a_signal_to_nobody_is_no_error(
    tmp_path: Path, children: list[ScannerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_group: int, _number: int) -> None:
        raise ProcessLookupError

    children.append(start(tmp_path, SLEEPER))
    assert os.read(children[0].pipes[0], 1) == b"."
    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", nobody)
        assert children[0].end(grace=0) == -signal.SIGKILL  # it was found by its environment


FORGETFUL = """
import os, signal, sys
if os.fork() == 0:
    tell = "import os, signal; os.write(1, b'%d' % os.getpid()); signal.pause()"
    os.execve(sys.executable, [sys.executable, "-ISc", tell], {})
"""


async def test_a_child_without_environment_dies_with_the_group(tmp_path: Path) -> None:
    process = start(tmp_path, FORGETFUL)
    stdout, _ = process.pipes
    child = int(await asyncio.to_thread(os.read, stdout, 100))
    await process.exited()
    assert strays.find(tmp_path) == []  # the leader has ended, and the child cannot be told from others
    handle = os.pidfd_open(child)
    gone = select.poll()
    gone.register(handle, select.POLLIN)
    assert gone.poll(0) == []
    assert process.end(grace=0) == 0
    assert await asyncio.to_thread(gone.poll, 30_000)
    os.close(handle)
    process.close()


@contextmanager
def sleeping(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own that was not started by the driver."""
    command = [sys.executable, "-ISc", SLEEPER]
    with subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        try:
            yield process
        finally:
            process.kill()


def test_strays_are_found_in_any_session_and_killed(tmp_path: Path) -> None:
    directory = tmp_path / "scan"
    directory.mkdir()
    with sleeping({"TMPDIR": str(directory)}) as stray, sleeping({"TMPDIR": str(tmp_path)}) as other:
        assert strays.find(directory) == [stray.pid]
        assert strays.end(directory) == 1
        assert stray.wait() == -signal.SIGKILL
        assert other.poll() is None
        assert strays.end(directory) == 0


def test_a_process_id_given_to_another_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sleeping({}) as other:
        found = iter([[other.pid, 2**22 + 1], []])  # the second is none at all: above the kernel's highest
        monkeypatch.setattr(strays, "find", lambda _directory: next(found))
        assert strays.end(tmp_path) == 0
        assert other.poll() is None


def test_without_proc_nobody_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "PROCESSES", tmp_path / "nowhere")
    assert strays.end(tmp_path) == 0


def test_patience_with_strays_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "find", lambda _directory: [1])
    monkeypatch.setattr(strays, "_kill", lambda _pid, _directory, _deadline: True)
    assert strays.end(tmp_path, patience=0) == 1


def test_limits_for_a_process_that_is_gone_are_no_error() -> None:
    gone = subprocess.Popen([sys.executable, "-ISc", ""])
    gone.wait()
    limits.limit(gone.pid)


async def test_waiting_may_be_cancelled(tmp_path: Path, children: list[ScannerProcess]) -> None:
    children.append(start(tmp_path, SLEEPER))
    task = asyncio.create_task(children[0].exited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
