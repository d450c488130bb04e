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

_AT_ONCE = 65536


def find(directory: Path) -> list[int]:
    """The ids of the living processes whose environment names the directory, save this one."""
    mark, own = os.fsencode(directory), str(os.getpid())
    found = []
    for name in _processes():
        # It may have ended since, or be another user's.
        with contextlib.suppress(OSError):
            if name != own and mark in _environment(name):
                found.append(int(name))
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
        if os.fsencode(directory) not in _environment(str(pid)):
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


def _processes() -> list[str]:
    try:
        return [name for name in os.listdir(PROCESSES) if name.isdecimal()]  # noqa: PTH208  # no object for each
    except OSError:
        return []


def _environment(pid: str) -> bytes:
    # Through `Path` and a file object it takes twice the CPU, and there is one for each process of the machine.
    descriptor = os.open(f"{PROCESSES}/{pid}/environ", os.O_RDONLY)
    try:
        # In one piece, since the directory's name may lie across two.
        return b"".join(iter(lambda: os.read(descriptor, _AT_ONCE), b""))
    finally:
        os.close(descriptor)
