"""Runs the scanner on one function: the port `Scanner` over the real binary. `docs/scanner.md` describes it."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import BinaryIO, TypeVar

import structlog

from hub.qualys import QualysCredentials
from hub.redaction import Redactor
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus
from hub.settings import Settings
from spoke.credentials import SessionCredentials
from spoke.errors import HostFault
from spoke.snapshot import FunctionSnapshot
from worker.ports import Clock
from worker.scanner import binary, command, environment, files, outcome
from worker.scanner.directories import ScanDirectory, WorkDirectory
from worker.scanner.redaction import ScanRedaction
from worker.scanner.run import Patience, Run, run
from worker.scanner.waiting import completed

log = structlog.get_logger()

ENGINE = "qscanner"

Result = TypeVar("Result")


class QScanner:
    """The licensed scanner. Made by `prepare`.

    Args:
        settings: The worker's.
        profile: What the binary said of itself.
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
        profile: ScanProfile,
        work: WorkDirectory,
        credentials: Callable[[], QualysCredentials],
        redactor: Redactor,
        environ: Mapping[str, str],
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._settings = settings
        self._profile = profile
        self._work = work
        self._credentials = credentials
        self._redactor = redactor
        self._environ = environ
        self._clock = clock
        self._patience = patience
        self._free = asyncio.Semaphore(settings.max_concurrent_scans)
        # A thread a scan: when all are cancelled at once, none waits for the grace of another.
        self._threads = ThreadPoolExecutor(settings.max_concurrent_scans, thread_name_prefix="scan-files")

    @property
    def profile(self) -> ScanProfile:
        """Engine, version, mode and scan types in force."""
        return self._profile

    @asynccontextmanager
    async def scan(self, snapshot: FunctionSnapshot, credentials: SessionCredentials) -> AsyncIterator[Scanned]:
        """Scan one function; see `worker.ports.Scanner`. Waits while `MAX_CONCURRENT_SCANS` others run.

        The files live until the context is left. Cancelling ends every process of the scan and removes its files
        before `CancelledError` goes on.

        Raises:
            ScanhubError: By exit code, text or signal; see `worker.scanner.outcome`.
        """
        target = command.target(snapshot, self._settings)
        async with self._free:
            place = ScanDirectory(self._work)
            try:
                await self._in_thread(place.claim)
                yield await self._scanned(snapshot, target, credentials, place)
            finally:
                await self._in_thread(place.release)

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
            why = f"ran over its time of {self._settings.scan_timeout} s"
            raise outcome.crashed(why, ended.said, target=target.argument)
        judged = outcome.judge(ended.exit_code, ended.said, mode=self._settings.qscanner_mode, target=target.argument)
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
    sha256 = await asyncio.to_thread(binary.check, settings.qscanner_path, settings.qscanner_sha256)
    work = WorkDirectory(settings.work_dir)
    await asyncio.to_thread(work.prepare)
    await asyncio.to_thread(work.clean)
    place = ScanDirectory(work)
    loop = asyncio.get_running_loop()
    try:
        await completed(loop.run_in_executor(None, place.claim))
        version = await binary.probe_version(
            settings.qscanner_path,
            sha256=sha256,
            environment=environment.bare_environment(environ, home=place.home, temporary=place.tmp),
            directory=place.path,
            redaction=ScanRedaction(redactor, environment.proxy_passwords(environ)),
            patience=patience,
        )
    finally:
        await completed(loop.run_in_executor(None, place.release))
    profile = ScanProfile(ENGINE, version, settings.qscanner_mode, tuple(settings.scan_types))
    log.info("scanner ready", engine=ENGINE, version=version, sha256=sha256, mode=settings.qscanner_mode)
    return QScanner(
        settings,
        profile=profile,
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
