"""One run of the binary from start to end, with a time limit and its output kept."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from spoke.errors import HostFault
from worker.scanner.output import LAST, Capture, Pipe, as_text
from worker.scanner.process import KILL_PATIENCE, ScannerProcess
from worker.scanner.redaction import ScanRedaction
from worker.scanner.waiting import completed


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds; the scan's own time limit is a setting.

    Attributes:
        version: For `--version`; a cold disk and a binary of 100 MB take a while.
        grace: Between TERM and KILL: the scanner may remove what it downloaded.
        kill: For a killed process to be gone.
        hurried: The same where the scan was cancelled, and once more for the removal of its directory: the worker
            itself may have only seconds to live then, and messages to give back. ECS kills 120 s after SIGTERM.
    """

    version: float = 30.0
    grace: float = 5.0
    kill: float = KILL_PATIENCE
    hurried: float = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended.

    Attributes:
        exit_code: Below zero: the signal that it died by.
        over_time: It was ended by the time limit; then the exit code says nothing.
        stdout: Redacted; its beginning and end.
        stderr: As `stdout`.
    """

    exit_code: int
    over_time: bool
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """The end of both streams, stderr last: which says what is not documented."""
        stdout, stderr = as_text(self.stdout), as_text(self.stderr)
        return f"{stdout}\n{stderr}"[-LAST:] if stdout.strip() else stderr

    @property
    def printed(self) -> bytes:
        """What is kept as `stderr.log`: stderr, then the end of stdout, if there is any."""
        if not self.stdout.strip():
            return self.stderr
        return self.stderr + b"\n--- stdout ---\n" + self.stdout[-LAST:]


async def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    redaction: ScanRedaction,
    limit: float,
    patience: Patience,
    threads: Executor | None = None,
) -> Run:
    """Run it. However this ends, also when cancelled, no process of it is alive afterwards.

    Args:
        argv: The whole command line.
        environment: The whole environment.
        directory: Private to this run.
        redaction: What must not be in the output.
        limit: Seconds until it is ended.
        patience: How long to wait when ending it.
        threads: Where the ending waits; the loop's own if left out.

    Raises:
        OSError: It cannot be started.
        HostFault: It ran to its end or over its time, and cannot be killed.
    """
    process = ScannerProcess(argv, environment=environment, directory=directory)

    async def end(kill: float) -> int:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(threads, lambda: process.end(grace=patience.grace, patience=kill))
        return await completed(work)

    stdout, stderr = captures = (Capture(redaction), Capture(redaction))
    pipes: list[Pipe] = []
    over_time = False
    try:
        try:
            pipes += [Pipe(descriptor, capture) for descriptor, capture in zip(process.pipes, captures, strict=True)]
            async with asyncio.timeout(limit):
                await process.exited()
        except TimeoutError:
            over_time = True
        except BaseException:
            # A process that cannot be killed is in the log; what ends the scan, a cancellation above all, goes on.
            with contextlib.suppress(HostFault):
                await end(min(patience.kill, patience.hurried))
            raise
        exit_code = await end(patience.kill)
    finally:
        for pipe in pipes:
            pipe.finish()
        process.close()
    return Run(exit_code, over_time, stdout.content(), stderr.content())
