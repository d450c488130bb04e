"""A scanner without a process: it does what its script says, on the event loop's own time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hub.scanned import Artifact, Scanned
from hub.scans import PolicyVerdict, ScanProfile, ScanStatus
from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.snapshot import FunctionSnapshot
from worker.memory.artifacts import memory_artifacts
from worker.ports import Clock

PROFILE = ScanProfile("memory", "1.0.0", "get-report", ("pkg", "secret"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What one scan does.

    Attributes:
        duration: How long it runs.
        error: Raised at its end; then the rest does not matter.
        artifacts: Makes its files from the snapshot scanned; one vulnerable package if left out.
        status: As in `Scanned`, and so are the rest.
        exit_code: What the binary would have ended with.
        reasons: Why it is not `success`.
        policy: The verdict.
        report_owed: Whether a report is to come.
    """

    duration: timedelta = timedelta(seconds=30)
    error: Exception | None = None
    artifacts: Callable[[FunctionSnapshot], tuple[Artifact, ...]] = field(default=lambda _snapshot: memory_artifacts())
    status: ScanStatus = ScanStatus.SUCCESS
    exit_code: int = 0
    reasons: tuple[str, ...] = ()
    policy: PolicyVerdict | None = None
    report_owed: bool = False


class RunEnd(StrEnum):
    """How a scan ended."""

    SCANNED = "scanned"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Run:
    """One scan that was begun.

    Attributes:
        function: Which.
        fingerprint: Of the snapshot that was handed in.
        session: The id of the access key that was handed in.
        started_at: By the clock (aware, UTC).
        ended_at: None while it runs; the files may be read on after it.
        end: None while it runs.
    """

    function: FunctionArn
    fingerprint: str
    session: str
    started_at: datetime
    ended_at: datetime | None = None
    end: RunEnd | None = None

    def overlaps(self, other: "Run") -> bool:
        """Whether both ran at one moment; one that begins as the other ends does not."""
        return (other.ended_at is None or self.started_at < other.ended_at) and (
            self.ended_at is None or other.started_at < self.ended_at
        )


class MemoryScanner:
    """Scans by script, and keeps a record of every scan.

    Args:
        clock: For the times in results and records.
        profile: In force.
        default: For functions without a script, or whose scripts are used up.
        limit: Scans at once; more wait, as with the binary. None: no limit.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        profile: ScanProfile = PROFILE,
        default: Script | None = None,
        limit: int | None = None,
    ) -> None:
        self._clock = clock
        self._profile = profile
        self._default = default or Script()
        self._scripts: dict[FunctionArn, deque[Script]] = {}
        self._free = asyncio.Semaphore(limit) if limit is not None else None
        self._open = 0
        self.runs: list[Run] = []
        self.max_running = 0

    @property
    def profile(self) -> ScanProfile:
        """As given."""
        return self._profile

    @property
    def running(self) -> list[Run]:
        """The scans that run right now."""
        return [run for run in self.runs if run.end is None]

    @property
    def open(self) -> int:
        """How many scans hold their files right now: running ones, and those whose files are being read."""
        return self._open

    def script(self, function: FunctionArn, *scripts: Script) -> None:
        """What the next scans of this function do, one each; then the default is back."""
        self._scripts.setdefault(function.content, deque()).extend(scripts)

    def runs_of(self, function: FunctionArn) -> list[Run]:
        """The scans of one function, in the order begun."""
        return [run for run in self.runs if run.function == function.content]

    def overlaps(self) -> list[tuple[Run, Run]]:
        """Pairs of scans of one (function, fingerprint) that ran at the same time; there should be none."""
        return [
            (one, other)
            for index, one in enumerate(self.runs)
            for other in self.runs[index + 1 :]
            if (one.function, one.fingerprint) == (other.function, other.fingerprint) and one.overlaps(other)
        ]

    @asynccontextmanager
    async def scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AsyncIterator[Scanned]:
        """Do what the script says.

        Raises:
            Exception: The script's error.
        """
        async with self._free or nullcontext(), self._scan(snapshot, credentials) as scanned:
            yield scanned

    @asynccontextmanager
    async def _scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AsyncIterator[Scanned]:
        waiting = self._scripts.get(snapshot.arn.content)
        script = waiting.popleft() if waiting else self._default
        run = Run(snapshot.arn.content, snapshot.fingerprint, credentials.access_key_id, self._clock.now())
        self.runs.append(run)
        self._open += 1
        self.max_running = max(self.max_running, len(self.running))
        try:
            yield await self._perform(script, run, snapshot)
        finally:
            self._open -= 1

    async def _perform(self, script: Script, run: Run, snapshot: FunctionSnapshot) -> Scanned:
        end = RunEnd.FAILED
        try:
            await asyncio.sleep(script.duration.total_seconds())
            if script.error is not None:
                raise script.error
            artifacts = script.artifacts(snapshot)
            end = RunEnd.SCANNED
        except asyncio.CancelledError:
            end = RunEnd.CANCELLED
            raise
        finally:
            run.end, run.ended_at = end, self._clock.now()
        return Scanned(
            status=script.status,
            exit_code=script.exit_code,
            started_at=run.started_at,
            finished_at=run.ended_at,
            artifacts=artifacts,
            reasons=script.reasons,
            policy=script.policy,
            report_owed=script.report_owed,
        )
