"""Processes that left the scanner's process group and live on.

A descendant that called setsid(2) is out of reach of a signal to the group. It still carries the environment that it
was started with, and that names the scan's own directory, which no other process has. One that wiped its environment
is not found: only a container of its own for each scan could hold that.
"""

import contextlib
import os
import select
import signal
import time
from pathlib import Path

PROCESSES = Path("/proc")
PATIENCE = 5.0
"""Seconds that killed processes get to go away."""


def find(directory: Path) -> list[int]:
    """The ids of the living processes whose environment names the directory, save this one."""
    mark = os.fsencode(directory)
    found = []
    for entry in PROCESSES.glob("[0-9]*"):
        # It may have ended since, or be another user's.
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def end(directory: Path, *, patience: float = PATIENCE) -> int:
    """Kill them, and what they start meanwhile, and wait until they are gone.

    Returns:
        How many were killed.
    """
    deadline = time.monotonic() + patience
    killed = 0
    while found := find(directory):
        killed += sum(_kill(pid, directory, deadline) for pid in found)
        if time.monotonic() >= deadline:
            break
    return killed


def _kill(pid: int, directory: Path, deadline: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # The id may have been given to another process since it was found; the handle is of this one.
        if os.fsencode(directory) not in (PROCESSES / str(pid) / "environ").read_bytes():
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        gone.poll(max(0.0, deadline - time.monotonic()) * 1000)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
