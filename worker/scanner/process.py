"""One run of the scanner binary in a session and process group of its own."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from spoke.errors import HostFault
from worker.scanner import limits, strays

log = structlog.get_logger()

KILL_PATIENCE = 30.0
"""Seconds in which a killed process must be gone; one that hangs in the kernel (a dead disk) is not."""


class ScannerProcess:
    """Started by its construction; `end` must follow, whatever happens.

    The leader is reaped only after its group was killed: until then the kernel keeps its id, so the signal cannot hit
    a stranger that was given the same one.

    Args:
        argv: The whole command line.
        environment: The whole environment.
        directory: The scan's own directory: where it runs, and by which its descendants are known.

    Raises:
        OSError: The binary cannot be started.
    """

    def __init__(self, argv: Sequence[str], *, environment: Mapping[str, str], directory: Path) -> None:
        self._directory = directory
        self._process = subprocess.Popen(  # noqa: S603  # no shell; argv is ours
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            close_fds=True,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
            umask=0o077,
        )
        try:
            self._handle = os.pidfd_open(self._process.pid)
        except OSError:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._close_pipes()
            raise
        limits.limit(self._process.pid)

    @property
    def pid(self) -> int:
        """Of the leader; also the id of its group and session."""
        return self._process.pid

    @property
    def pipes(self) -> tuple[int, int]:
        """The file descriptors of its stdout and stderr; closed by `close`."""
        stdout, stderr = self._process.stdout, self._process.stderr
        return stdout.fileno() if stdout else -1, stderr.fileno() if stderr else -1

    async def exited(self) -> None:
        """Wait until the leader has ended."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self._handle)

    def end(self, *, grace: float, patience: float = KILL_PATIENCE) -> int:
        """See that nothing of it lives on. Blocks: for a thread.

        A leader still alive gets TERM and `grace` seconds; then the whole group is killed, and whoever left it, and
        all of them together get `patience` seconds to be gone.

        Returns:
            The leader's exit code; below zero, the signal that it died by.

        Raises:
            HostFault: The leader outlives KILL by `patience` seconds.
        """
        if not self._has_ended(0):
            self._signal(signal.SIGTERM)
            self._has_ended(grace)
        self._signal(signal.SIGKILL)
        deadline = time.monotonic() + patience
        strays.end(self._directory, patience=min(patience, strays.PATIENCE))
        if not self._has_ended(max(0.0, deadline - time.monotonic())):
            # Whoever waits may have been cancelled, and then hears no error.
            log.error("the scanner outlives SIGKILL", pid=self.pid, seconds=patience)
            raise HostFault(f"the scanner's process {self.pid} outlives SIGKILL: this machine hangs")
        return self._process.wait()

    def close(self) -> None:
        """Give the descriptors back; after `end`."""
        self._close_pipes()
        os.close(self._handle)

    def _signal(self, number: signal.Signals) -> None:
        # Nobody left, or none whom we may signal: either way there is nobody to end here.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _has_ended(self, seconds: float) -> bool:
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        return bool(ended.poll(seconds * 1000))

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
