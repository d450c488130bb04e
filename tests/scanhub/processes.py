"""The command line as a user runs it: a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCANHUB = [sys.executable, "-m", "scanhub"]


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with changes; None takes a variable out."""
    merged = {**os.environ, "NO_COLOR": "1", "COLUMNS": "160", **changes}
    return {name: value for name, value in merged.items() if value is not None}


def scanhub(*arguments: str, **changes: str | None) -> Run:
    """Run a command to its end."""
    done = subprocess.run(
        [*SCANHUB, *arguments], capture_output=True, text=True, check=False, timeout=110, env=environment(changes)
    )
    return Run(done.returncode, done.stdout, done.stderr)


def worker_until(line: str, log: Path, **changes: str | None) -> "subprocess.Popen[str]":
    """A worker that has written this in its log; it goes on running."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*SCANHUB, "worker"], stdout=stream, stderr=subprocess.PIPE, text=True, env=environment(changes)
        )
    assert process.stderr is not None
    for written in process.stderr:
        if line in written:
            return process
    raise AssertionError(f"the worker ended with {process.wait()} before it wrote {line!r}")


def terminated(process: "subprocess.Popen[str]") -> int:
    """Its exit code after SIGTERM."""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=50)
    return process.returncode
