"""Runs the scanner on one function: the port `Scanner` over the real binary. `docs/scanner.md` describes it."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import BinaryIO, TypeVar

import structlog

from hub.qualys import QualysCredentials
from hub.redaction import Redactor
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus
from hub.settings import Settings
from spoke.credentials import SessionCredentials
from spoke.errors import HostFault, Unavailable
from spoke.snapshot import FunctionSnapshot
from worker.ports import Clock
from worker.scanner import binary, command, disk, environment, files, outcome, version
from worker.scanner.directories import ScanDirectory, WorkDirectory
from worker.scanner.redaction import ScanRedaction
from worker.scanner.run import Patience, Run, run
from worker.scanner.waiting import completed

log = structlog.get_logger()

ENGINE = "qscanner"

LEAST_SESSION = timedelta(minutes=5)
"""What a session must last yet when a scan begins: it is needed for the calls that fetch the code, which come first."""

Result = TypeVar("Result")


class QScanner:
    """The licensed scanner. Made by `prepare`.

    Args:
        settings: The worker's.
        engine: The binary, checked, and what it said of itself.
        work: Prepared.
        credentials: Gives those of Qualys as they are now; they may rotate while the worker runs.
        redactor: The worker's.
        environ: The worker's environment, from which a few variables are passed on.
        clock: For the times in the results.
        patience: See there.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        engine: binary.Engine,
        work: WorkDirectory,
        credentials: Callable[[], QualysCredentials],
        redactor: Redactor,
        environ: Mapping[str, str],
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._work = work
        self._credentials = credentials
        self._redactor = redactor
        self._environ = environ
        self._clock = clock
        self._patience = patience
        self._free = asyncio.Semaphore(settings.max_concurrent_scans)
        # A thread a scan: when all are cancelled at once, none waits for the grace of another.
        self._threads = ThreadPoolExecutor(settings.max_concurrent_scans, thread_name_prefix="scan-files")
        self._disk = disk.Admission(lambda: self._in_thread(lambda: disk.free(work.scans)), where=work.scans)

    @property
    def profile(self) -> ScanProfile:
        """Engine, version, mode and scan types in force."""
        return self._engine.profile

    @asynccontextmanager
    async def scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AsyncIterator[Scanned]:
        """Scan one function; see `worker.ports.Scanner`.

        Waits while `MAX_CONCURRENT_SCANS` others run, then while they leave it no room on the disk. The files live
        until the context is left. Cancelling ends every process of the scan and removes its files before
        `CancelledError` goes on; how long that may take is for `Patience` to say.

        Raises:
            ScanhubError: By exit code, text or signal; see `worker.scanner.outcome`.
            HostFault: The binary is another one now, or the disk is short.
            Unavailable: The session is about to end.
        """
        target = command.target(snapshot, self._settings)
        need = disk.expected(snapshot)
        async with self._free, self._disk.room(need, target=target.argument):
            if credentials.expires_at - self._clock.now() < LEAST_SESSION:
                raise Unavailable(f"the scan of {target.argument} waited for room until its AWS session ended")
            place = ScanDirectory(self._work)
            limit: float | None = None
            try:
                await self._in_thread(partial(self._begin, place))
                yield await self._scanned(snapshot, target, credentials, place)
            except asyncio.CancelledError:
                limit = self._patience.hurried
                raise
            finally:
                await self._in_thread(lambda: place.release(limit=limit))

    def _begin(self, place: ScanDirectory) -> None:
        self._engine.binary.verify()
        place.claim()

    async def _scanned(
        self, snapshot: FunctionSnapshot, target: command.Target, session: SessionCredentials, place: ScanDirectory
    ) -> Scanned:
        qualys = self._credentials()
        redaction = ScanRedaction(
            self._redactor,
            [
                *qualys.secret_values(),
                session.secret_access_key.get_secret_value(),
                session.session_token.get_secret_value(),
                *environment.proxy_passwords(self._environ),
            ],
        )
        argv = command.argv(self._settings, qualys, target, output_directory=place.out, cache_directory=place.cache)
        bare = environment.bare_environment(self._environ, home=place.home, temporary=place.tmp)
        child = environment.scan_environment(bare, region=snapshot.arn.region, session=session, qualys=qualys)

        started = self._clock.now()
        log.info("scan started", command=target.command, target=target.argument, slot=place.slot)
        ended = await self._run(argv, child, place, redaction)
        log.info("scan ended", exit_code=ended.exit_code, over_time=ended.over_time, target=target.argument)
        if ended.over_time:
            raise outcome.over_time(self._settings.scan_timeout, ended.said, target=target.argument)
        judged = outcome.judge(
            ended.exit_code,
            ended.said,
            mode=self._settings.qscanner_mode,
            target=target.argument,
            disk=await self._look() if outcome.blames_disk(ended.exit_code, ended.said) else None,
        )
        found = await self._collect(place, redaction)
        return Scanned(
            status=ScanStatus.PARTIAL if found.reasons else judged.status,
            reasons=judged.reasons + found.reasons,
            exit_code=ended.exit_code,
            policy=judged.policy,
            report_owed=judged.report_owed,
            started_at=started,
            finished_at=self._clock.now(),
            artifacts=found.artifacts + _printed(ended.printed),
        )

    async def _run(
        self, argv: Sequence[str], child: Mapping[str, str], place: ScanDirectory, redaction: ScanRedaction
    ) -> Run:
        try:
            return await run(
                argv,
                environment=child,
                directory=place.path,
                redaction=redaction,
                limit=self._settings.scan_timeout,
                patience=self._patience,
                threads=self._threads,
            )
        except OSError as error:
            raise HostFault(f"the scanner {argv[0]} does not start: {binary.why_not_started(error)}") from error

    async def _look(self) -> disk.Look:
        """While the scan's files are still there: without them a full disk may look empty."""
        seen = await self._in_thread(lambda: disk.look(self._work.scans))
        log.warning("the scanner calls the disk full", found=seen.found, believed=seen.is_short)
        return seen

    async def _collect(self, place: ScanDirectory, redaction: ScanRedaction) -> files.Found:
        try:
            return await self._in_thread(lambda: files.collect(place.out, scrubbed=place.scrubbed, redaction=redaction))
        except OSError as error:
            raise HostFault(f"the scanner's files cannot be read: {error.strerror}: {error.filename}") from error

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await completed(asyncio.get_running_loop().run_in_executor(self._threads, work))


async def prepare(
    settings: Settings,
    *,
    credentials: Callable[[], QualysCredentials],
    redactor: Redactor,
    environ: Mapping[str, str],
    clock: Clock,
    patience: Patience | None = None,
) -> QScanner:
    """Check the binary and the work directory, remove what dead workers left, and ask the binary for its version.

    Args:
        settings: The worker's.
        credentials: Gives those of Qualys at each scan.
        redactor: The worker's.
        environ: The worker's environment; see `worker.scanner.environment` for what of it is passed on.
        clock: For the times in the results.
        patience: How long to wait; the usual if left out.

    Raises:
        Misconfigured: The binary is missing, not executable, another one than meant, or it does not tell its version;
            or the work directory cannot be used.
    """
    patience = patience or Patience()
    checked = await asyncio.to_thread(binary.check, settings.qscanner_path, settings.qscanner_sha256)
    work = WorkDirectory(settings.work_dir)
    await asyncio.to_thread(work.prepare)
    await asyncio.to_thread(work.clean)
    told = await version.ask(checked, work, environ=environ, redactor=redactor, patience=patience)
    profile = ScanProfile(ENGINE, told, settings.qscanner_mode, tuple(settings.scan_types))
    log.info("scanner ready", engine=ENGINE, version=told, sha256=checked.sha256, mode=settings.qscanner_mode)
    return QScanner(
        settings,
        engine=binary.Engine(checked, profile),
        work=work,
        credentials=credentials,
        redactor=redactor,
        environ=environ,
        clock=clock,
        patience=patience,
    )


def _printed(content: bytes) -> tuple[Artifact, ...]:
    if not content:
        return ()

    def open_again() -> BinaryIO:
        return io.BytesIO(content)

    return (Artifact(ArtifactName.STDERR, len(content), open_again),)
