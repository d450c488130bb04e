"""A scanner binary without a binary: it reads what the function's code really is at some moment of its run."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from random import Random
from typing import BinaryIO

from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus
from spoke.credentials import SessionCredentials
from spoke.errors import (
    Gone,
    HostFault,
    Misconfigured,
    NoAccess,
    QualysFault,
    ResultUnwritable,
    ScanhubError,
    ScannerCrashed,
    Throttled,
    Unavailable,
    Unreadable,
    UploadFailed,
)
from spoke.snapshot import FunctionSnapshot
from tests.simulation.line import Killed, Line
from tests.simulation.oracle import Oracle
from tests.simulation.plan import Plan
from tests.simulation.scene import Run
from tests.simulation.truth import PROFILE, Organization
from worker.memory.artifacts import OLD_REQUESTS, sarif, scan_result
from worker.memory.clock import LoopClock

FAILURES: tuple[tuple[str, int], ...] = (
    ("crash", 6),
    ("hang", 2),
    ("partial", 6),
    ("report pending", 6),
    ("unwritable", 3),
    ("upload failed", 3),
    ("throttled", 2),
    ("no access", 2),
    ("unreadable", 1),
    ("network", 3),
    ("host fault", 1),
    ("wrong parameter", 1),
)
"""How a scan may go wrong by chance, each with its weight."""


class Qualys:
    """The platform.

    Attributes:
        away: It takes no uploads now.
        token: The one that it takes now.
        secret: The one that stands in the secret.
    """

    def __init__(self) -> None:
        self.away = False
        self.token = 1
        self.secret = 1


@dataclass(slots=True)
class _Script:
    """What one run will do."""

    how: str
    seconds: float
    reads_at: float
    grace: float
    marker: str | None = None
    error: ScanhubError | None = None
    files_there: bool = True
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class LinkedScanner:
    """The port `Scanner` of one worker.

    Args:
        line: The worker's; the scanner's own calls are not on it, but when it dies, so does the scanner.
        clock: The worker's.
        organization: Whose code is read.
        qualys: To whom it uploads.
        oracle: Sees each run.
        plan: How long scans take.
        rng: Decides how each ends.
        world: The context in which the binary runs on, whatever its worker does.
        kill: Takes the whole worker down, as a scan that eats all memory does.

    Attributes:
        token: Of Qualys, as the worker knows it.
    """

    def __init__(
        self,
        line: Line,
        clock: LoopClock,
        organization: Organization,
        qualys: Qualys,
        oracle: Oracle,
        plan: Plan,
        rng: Random,
        world: Context,
        kill: Callable[[str], None],
    ) -> None:
        self._line = line
        self._clock = clock
        self._organization = organization
        self._qualys = qualys
        self._oracle = oracle
        self._plan = plan
        self._rng = rng
        self._world = world
        self._kill = kill
        self._running: dict[int, tuple[Run, _Script]] = {}
        self.token = qualys.secret

    @property
    def profile(self) -> ScanProfile:
        return PROFILE

    @asynccontextmanager
    async def scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AsyncIterator[Scanned]:
        if self._line.is_over:
            raise Killed
        started_at = self._clock.now()
        script = self._script(snapshot)
        run = self._oracle.scan_started(self._line.name, snapshot, credentials.access_key_id)
        self._running[id(run)] = run, script
        self._later(script.reads_at, lambda: self._read(run, script))
        self._later(script.seconds, lambda: self._finish(run, script))
        try:
            # Not the future itself: a task that is cancelled cancels what it waits for.
            await asyncio.wait([script.done])
        except asyncio.CancelledError:
            if script.grace:
                self._oracle.trace.count("scanner: ended late")
            self._later(script.grace, lambda: self._end(run, script))
            await _completed(script.done)
            raise
        if script.error is not None:
            raise script.error
        try:
            yield self._scanned(script, started_at)
        finally:
            script.files_there = False

    def died(self) -> None:
        """The worker's machine is gone, and every scan with it."""
        for run, script in list(self._running.values()):
            self._end(run, script)

    def _script(self, snapshot: FunctionSnapshot) -> _Script:
        rng, plan = self._rng, self._plan
        scale = rng.choices(((0.05, 2), (2, 40), (40, 300), (300, 2400)), (30, 45, 17, 8))[0]
        seconds = min(plan.pace * rng.uniform(*scale), plan.scan_timeout * 0.95)
        truth = self._organization.functions.get(snapshot.arn)
        how = truth.scan if truth is not None else ""
        if not how and self._line.happens(plan.rates.scan_fails):
            how = rng.choices([name for name, _ in FAILURES], [weight for _, weight in FAILURES])[0]
        if how == "hang":
            seconds = plan.scan_timeout
        if how:
            self._oracle.trace.count(f"scanner: {how}")
        grace = rng.uniform(0.5, 8) if self._line.happens(plan.rates.late_end) else 0.0
        return _Script(how, seconds, seconds * rng.uniform(0.01, 0.8), grace)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, act, context=self._world)

    def _read(self, run: Run, script: _Script) -> None:
        """The binary downloads the code with the credentials that it was given."""
        if run.ended_at is not None:
            return
        session = self._organization.sessions.get(run.session)
        if script.how == "kill":
            self._kill("by its scan")
            return
        if session is None or session.function != run.function:
            script.error = NoAccess("the scanner failed: AWS denied access")
        elif session.ends_at <= asyncio.get_running_loop().time():
            self._oracle.trace.count("scanner: session expired")
            script.error = Unavailable("the scanner failed: its AWS session expired")
        else:
            truth = self._organization.functions.get(run.function)
            script.marker = truth.now.label if truth is not None else None
            if script.marker is None:
                script.error = Gone("the scanner failed: the function was not found")
        if script.error is not None:
            self._finish(run, script)

    def _finish(self, run: Run, script: _Script) -> None:
        if run.ended_at is not None:
            return
        if script.error is None:
            script.error = self._failure(script.how)
        if script.error is not None:
            self._oracle.scan_failed(run, type(script.error).__name__)
        else:
            self._oracle.scan_passed(run)
        self._end(run, script)

    def _failure(self, how: str) -> ScanhubError | None:
        if self.token != self._qualys.token:
            return QualysFault("the scanner failed: Qualys refuses the access token")
        if self._qualys.away:
            return UploadFailed("the scanner failed: exit 37, an upload to Qualys failed")
        errors: dict[str, ScanhubError] = {
            "crash": ScannerCrashed("the scanner failed: exit 1", detail="panic: runtime error"),
            "hang": ScannerCrashed("the scanner ran over its time"),
            "unwritable": ResultUnwritable("the scanner failed: exit 31"),
            "upload failed": UploadFailed("the scanner failed: exit 33"),
            "throttled": Throttled("the scanner failed: AWS throttled it"),
            "no access": NoAccess("the scanner failed: AWS denied access"),
            "unreadable": Unreadable("the scanner failed: exit 7"),
            "network": Unavailable("the scanner failed: the network failed it"),
            "host fault": HostFault("the scanner failed: the disk is full"),
            "fault": HostFault("the scanner failed: the disk is full"),
            "wrong parameter": Misconfigured("the scanner failed: it refuses a parameter"),
        }
        return errors.get(how)

    def _end(self, run: Run, script: _Script) -> None:
        if run.ended_at is None:
            self._oracle.scan_ended(run, script.marker)
            self._running.pop(id(run), None)
        if not script.done.done():
            script.done.set_result(None)

    def _scanned(self, script: _Script, started_at: datetime) -> Scanned:
        outcome = {
            "partial": (ScanStatus.PARTIAL, 11, ("scan_type_failed:11",)),
            "report pending": (ScanStatus.PARTIAL, 40, ("report_pending",)),
        }.get(script.how, (ScanStatus.SUCCESS, 0, ()))
        files = {
            ArtifactName.SCAN_RESULT: _scan_result(),
            ArtifactName.CYCLONEDX: _inventory(script.marker or ""),
        }
        if script.how != "report pending":
            files[ArtifactName.SARIF] = _report(vulnerable=self._rng.random() < 0.5)

        def opened(content: bytes) -> Callable[[], BinaryIO]:
            def open_() -> BinaryIO:
                if not script.files_there:
                    raise FileNotFoundError("the scan's directory was removed")
                return io.BytesIO(content)

            return open_

        return Scanned(
            status=outcome[0],
            exit_code=outcome[1],
            reasons=outcome[2],
            report_owed=script.how == "report pending",
            started_at=started_at,
            finished_at=self._clock.now(),
            artifacts=tuple(Artifact(name, len(content), opened(content)) for name, content in files.items()),
        )


async def _completed(done: asyncio.Future[None]) -> None:
    """Wait to the very end, as the real driver does for a process that it has told to end."""
    while not done.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([done])


@cache
def _report(*, vulnerable: bool) -> bytes:
    return sarif((OLD_REQUESTS,) if vulnerable else ())


@cache
def _scan_result() -> bytes:
    return scan_result((), (), tag="1767225600")


def _inventory(marker: str) -> bytes:
    """CycloneDX with one package, whose name is the marker of the code that was read."""
    component = {"type": "library", "name": marker, "version": "1.0.0", "purl": f"pkg:pypi/{marker}@1.0.0"}
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [component]}
    return json.dumps(bom).encode()
