"""Runs of the scanner to find something out: like a scan, but nothing is judged, stored or retried."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.qualys import QualysCredentials
from hub.redaction import Redactor
from hub.settings import ScanMode, ScanType, Settings
from spoke.credentials import SessionCredentials
from spoke.errors import HostFault
from spoke.snapshot import FunctionSnapshot
from worker.scanner import binary, command, environment, files
from worker.scanner.directories import ScanDirectory, WorkDirectory
from worker.scanner.output import as_text, last_line
from worker.scanner.redaction import ScanRedaction
from worker.scanner.run import Patience, run
from worker.scanner.waiting import completed

MOST_DOCUMENT = 32 * 1024 * 1024
"""Bytes of a file of the scanner that are read for a look at its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a trial does otherwise than a scan.

    Attributes:
        word: The scanner's command; None: as the settings say.
        mode: None: as the settings say.
        scan_types: None: as the settings say; empty: the option is left out.
        scan_timeout: Of the scanner's own option, such as `1s`; None: as in a scan.
        rules: A file with rules of the customer's own for secrets.
        token: Instead of the right one.
    """

    word: str | None = None
    mode: ScanMode | None = None
    scan_types: tuple[ScanType, ...] | None = None
    scan_timeout: str | None = None
    rules: Path | None = None
    token: QualysCredentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How it went.

    Attributes:
        exit_code: Below zero: the signal that it died by.
        over_time: It was ended by the settings' time limit.
        seconds: From start to end.
        stdout: Redacted, its end.
        stderr: As `stdout`.
        files: What lies in the output directory: name and size in bytes.
        documents: The known ones of them, by their plain names, redacted; those too large are left out.
        left: How many bytes it left in its cache directory, in HOME and in TMPDIR, and in how many files.
    """

    exit_code: int
    over_time: bool
    seconds: float
    stdout: str
    stderr: str
    files: tuple[tuple[str, int], ...] = ()
    documents: Mapping[str, bytes] = field(default_factory=dict)
    left: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Both streams, stderr last."""
        return f"{self.stdout}\n{self.stderr}" if self.stdout.strip() else self.stderr

    @property
    def end(self) -> str:
        """In one line: how it ended, and its last words."""
        how = "ran over its time" if self.over_time else f"exit {self.exit_code}"
        line = last_line(self.said)
        return f"{how} after {self.seconds:.0f} s{f': {line}' if line else ''}"


class Bench:
    """Where trials are made, each in a directory of its own.

    Args:
        settings: The worker's.
        qualys: The credentials.
        redactor: The worker's.
        environ: The worker's environment.
    """

    def __init__(
        self, settings: Settings, *, qualys: QualysCredentials, redactor: Redactor, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._qualys = qualys
        self._redactor = redactor
        self._environ = environ

    async def run(self, snapshot: FunctionSnapshot, session: SessionCredentials, wish: Wish) -> Trial:
        """One trial. However it ends, also when cancelled, no process and no file of it is left.

        Raises:
            HostFault: The scanner does not start, or the disk refuses.
        """
        work = WorkDirectory(self._settings.work_dir)
        await asyncio.to_thread(work.prepare)
        place, loop = ScanDirectory(work), asyncio.get_running_loop()
        try:
            await completed(loop.run_in_executor(None, place.claim))
            return await self._tried(snapshot, session, wish, place)
        finally:
            await completed(loop.run_in_executor(None, place.release))

    async def _tried(
        self, snapshot: FunctionSnapshot, session: SessionCredentials, wish: Wish, place: ScanDirectory
    ) -> Trial:
        qualys = wish.token or self._qualys
        redaction = ScanRedaction(
            self._redactor,
            [
                *qualys.secret_values(),
                session.secret_access_key.get_secret_value(),
                session.session_token.get_secret_value(),
                *environment.proxy_passwords(self._environ),
            ],
        )
        bare = environment.bare_environment(self._environ, home=place.home, temporary=place.tmp)
        child = environment.scan_environment(bare, region=snapshot.arn.region, session=session, qualys=qualys)
        argv = self._argv(snapshot, qualys, wish, place)
        begun = time.monotonic()
        try:
            ended = await run(
                argv,
                environment=child,
                directory=place.path,
                redaction=redaction,
                limit=self._settings.scan_timeout,
                patience=Patience(),
            )
        except OSError as error:
            raise HostFault(f"the scanner {argv[0]} does not start: {binary.why_not_started(error)}") from error
        seconds = time.monotonic() - begun
        seen = await asyncio.to_thread(_seen, place, redaction)
        return replace(
            seen,
            exit_code=ended.exit_code,
            over_time=ended.over_time,
            seconds=seconds,
            stdout=as_text(ended.stdout),
            stderr=as_text(ended.stderr),
        )

    def _argv(
        self, snapshot: FunctionSnapshot, qualys: QualysCredentials, wish: Wish, place: ScanDirectory
    ) -> Sequence[str]:
        settings = self._settings
        if wish.mode is not None:
            # Policy tags belong to one mode alone.
            settings = settings.model_copy(update={"qscanner_mode": wish.mode, "qscanner_policy_tags": ()})
        if wish.scan_types:
            settings = settings.model_copy(update={"scan_types": wish.scan_types})
        target = command.target(snapshot, settings)
        if wish.word is not None:
            target = command.Target(wish.word, str(snapshot.arn.content))
        argv = list(command.argv(settings, qualys, target, output_directory=place.out, cache_directory=place.cache))
        if wish.scan_types == ():
            at = argv.index("--scan-types")
            del argv[at : at + 2]
        if wish.scan_timeout is not None:
            argv[argv.index("--scan-timeout") + 1] = wish.scan_timeout
        if wish.rules is not None:
            argv[-2:-2] = ["--secret-config-file", str(wish.rules)]
        return argv


def _seen(place: ScanDirectory, redaction: ScanRedaction) -> Trial:
    """What lies in the scan's directories. Blocks: for a thread."""
    found = files.collect(place.out, scrubbed=place.scrubbed, redaction=redaction)
    documents = {}
    for artifact in found.artifacts:
        if artifact.size <= MOST_DOCUMENT:
            with artifact.open() as content:
                documents[artifact.name.value] = content.read()
    return Trial(
        exit_code=0,
        over_time=False,
        seconds=0.0,
        stdout="",
        stderr="",
        files=tuple(sorted((path.name, path.lstat().st_size) for path in place.out.iterdir())),
        documents=documents,
        left={name: _weight(path) for name, path in _places(place)},
    )


def _places(place: ScanDirectory) -> tuple[tuple[str, Path], ...]:
    return ("--cache-dir", place.cache), ("HOME", place.home), ("TMPDIR", place.tmp)


def _weight(directory: Path) -> tuple[int, int]:
    sizes = [path.lstat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(sizes), len(sizes)
