"""What is not documented of the scanner, asked of the real binary on a function that the user names.

`docs/scanner.md` tells what the driver takes for granted; each question here is about one of these points or about one
that is left open. The runs are real: with the modes `scan-only` and above the function's inventory goes to Qualys.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from hub.diagnosis import Check, Kind
from hub.qualys import QualysCredentials
from hub.settings import Settings
from hub.untrusted import mapping, objects
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, QualysFault, ScanhubError
from spoke.snapshot import FunctionSnapshot
from worker.scanner import files, readings
from worker.scanner.open_points import (
    ABSENT,
    CACHE,
    FILES,
    LAYERS,
    REPORT,
    SECRETS,
    SESSION,
    STREAMS,
    TIME_OUT,
    TOGETHER,
    TOKEN,
    TYPES,
    WORDS,
)
from worker.scanner.output import last_line
from worker.scanner.trials import Trial, Wish

WITHOUT_REPORT = frozenset({"inventory-only", "scan-only"})
USAGE = 2
"""Exit code: an option that it does not take."""
LATE = frozenset({40, 41})
"""Exit codes: uploaded, but no report, or no verdict, came."""
LITTLE = 5.0
"""Seconds by which two runs may differ for no reason."""
NO_SUCH_FUNCTION = "scanhub-doctor-no-such-function"
WRONG_TOKEN = "scanhub-doctor-wrong-token"  # noqa: S105  # it is there to be refused


class Laboratory(Protocol):
    """`worker.scanner.trials.Bench`: where trials are made."""

    async def run(self, snapshot: FunctionSnapshot, session: SessionCredentials, wish: Wish) -> Trial:
        """One trial."""
        ...


NewSession = Callable[[FunctionSnapshot], Awaitable[SessionCredentials]]
"""A session that is narrowed to one function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the questions are asked about.

    Attributes:
        settings: The worker's.
        snapshot: The function that the user named.
        qualys: The right credentials.
        session: Gives a narrowed session, a new one for each trial.
        wide: Gives one that is not narrowed.
        rules: A file with rules of the user's own for secrets, or None.
    """

    settings: Settings
    snapshot: FunctionSnapshot
    qualys: QualysCredentials
    session: NewSession
    wide: NewSession
    rules: Path | None = None


def _silent(_line: str) -> None:
    """Nobody listens."""


async def answers(
    subject: Subject, bench: Laboratory, *, progress: Callable[[str], None] = _silent
) -> AsyncIterator[Check]:
    """Each question, answered one after the other; a question that fails does not end the others.

    Args:
        subject: What they are about.
        bench: Where trials are made.
        progress: Is told each question.
    """
    questions = _Questions(subject, bench)
    for kind, ask in questions.all():
        progress(kind.asks)
        try:
            yield await ask()
        except ScanhubError as error:
            yield kind.unknown(str(subject.snapshot.arn), error.text)
        except Exception as error:  # noqa: BLE001  # whatever a strange binary leads to, the other questions are asked
            yield kind.unknown(str(subject.snapshot.arn), f"the question failed: {type(error).__name__}: {error}")


LAYER_PATHS = ("opt/python", "opt/nodejs", "opt/java", "opt/ruby", "opt/lib")
"""What a layer holds is unpacked to there, and nothing else of a zip function (Lambda developer guide, "Layers")."""


def _places(signs: Iterable[str], trial: Trial) -> tuple[str, ...]:
    """In which file each sign stands first."""
    seen = {sign: name for sign in signs for name, content in trial.documents.items() if sign.encode() in content}
    return tuple(f"{sign} is named in {name}" for sign, name in seen.items())


class _Questions:
    """The questions share the trials that they can: each takes minutes."""

    def __init__(self, subject: Subject, bench: Laboratory) -> None:
        self._subject = subject
        self._bench = bench
        self._name = str(subject.snapshot.arn)
        self._plain: Trial | None = None
        self._for_secrets: Trial | None = None

    def all(self) -> Iterator[tuple[Kind, Callable[[], Awaitable[Check]]]]:
        """In the order in which they are asked."""
        yield WORDS, self.words
        yield SESSION, self.session
        yield FILES, self.files
        yield STREAMS, self.streams
        yield CACHE, self.cache
        yield REPORT, self.report
        yield TYPES, self.types
        yield SECRETS, self.secrets
        yield LAYERS, self.layers
        yield TOKEN, self.token
        yield ABSENT, self.absent
        yield TIME_OUT, self.time_out
        yield TOGETHER, self.together

    async def _try(self, **wish: Any) -> Trial:
        snapshot = self._subject.snapshot
        return await self._bench.run(snapshot, await self._subject.session(snapshot), Wish(**wish))

    async def _scan(self) -> Trial:
        """A scan as the worker makes it, made once for all who want to look at it."""
        if self._plain is None:
            self._plain = await self._try()
        return self._plain

    async def _secret_scan(self) -> Trial:
        """For secrets alone, made once."""
        if self._for_secrets is None:
            self._for_secrets = await self._try(scan_types=("secret",), mode="inventory-only")
        return self._for_secrets

    async def words(self) -> Check:
        """Each word in the mode that uploads nothing."""
        ended = {word: await self._try(word=word, mode="inventory-only") for word in ("lambda", "function")}
        good = [word for word, trial in ended.items() if readings.is_useful(trial)]
        evidence = [f"{word}: {trial.end}" for word, trial in ended.items()]
        set_to = self._subject.settings.qscanner_command
        told = f"{' and '.join(good) or 'neither'} works; SCANHUB_QSCANNER_COMMAND is {set_to}"
        if set_to in good:
            return WORDS.ok(self._name, told, evidence=evidence)
        if not good:
            # Whatever the reason is, it is not the word.
            return WORDS.failed(
                self._name, f"{told}: {ended[set_to].end}", fix="what the scanner says is why", evidence=evidence
            )
        return WORDS.failed(self._name, told, evidence=evidence)

    async def session(self) -> Check:
        """A scan under the narrowed session; if that fails, one under the whole role tells whether that was why."""
        trial = await self._scan()
        if readings.is_useful(trial):
            return SESSION.ok(self._name, f"it suffices: {trial.end}")
        snapshot = self._subject.snapshot
        wide = await self._bench.run(snapshot, await self._subject.wide(snapshot), Wish())
        evidence = (f"narrowed: {trial.end}", f"the whole role: {wide.end}")
        if readings.is_useful(wide):
            return SESSION.failed(
                self._name, f"it does not suffice, the whole role does: {trial.end}", evidence=evidence
            )
        return SESSION.failed(
            self._name,
            f"the scan fails under the whole role too: {wide.end}",
            fix="what the scanner says is why; docs/scanner.md lists its exit codes",
            evidence=evidence,
        )

    async def files(self) -> Check:
        """By name, each with the plain name that it is kept by."""
        trial = await self._scan()
        evidence = [f"{name} ({size} bytes): {readings.plain(name)}" for name, size in trial.files]
        strange = [name for name, _ in trial.files if files.plain_name(name) is None]
        if not trial.files:
            return FILES.failed(self._name, "it left no file", evidence=(trial.end,))
        told = f"{len(trial.files)} files"
        if strange:
            return FILES.warning(self._name, f"{told}; not known: {', '.join(strange)}", evidence=evidence)
        return FILES.ok(self._name, f"{told}, all of them known", evidence=evidence)

    async def streams(self) -> Check:
        """The first and the last line of each."""
        trial = await self._scan()
        lines = {"stdout": trial.stdout.splitlines(), "stderr": trial.stderr.splitlines()}
        told = ", ".join(f"{len(said)} lines on {name}" for name, said in lines.items())
        evidence = [
            f"{name}: {line}" for name, said in lines.items() for line in dict.fromkeys((*said[:2], *said[-2:]))
        ]
        return STREAMS.ok(self._name, told, evidence=evidence)

    async def cache(self) -> Check:
        """After a scan with `--cache none`."""
        trial = await self._scan()
        evidence = [f"{place}: {size} bytes in {count} files" for place, (size, count) in trial.left.items()]
        size, count = trial.left.get("--cache-dir", (0, 0))
        if count:
            return CACHE.warning(
                self._name, f"{size} bytes stay in the cache directory, despite `--cache none`", evidence=evidence
            )
        return CACHE.ok(self._name, "the cache directory stays empty", evidence=evidence)

    async def types(self) -> Check:
        """Whether secrets are looked for by default, beside a scan that is told to."""
        trial = await self._try(scan_types=(), mode="inventory-only")
        result = readings.document(trial, "scan-result.json")
        if result is None:
            return TYPES.unknown(self._name, f"there is no scan result: {trial.end}")
        evidence = (f"keys: {', '.join(sorted(result))}", trial.end)
        if readings.secret_results(trial):
            return TYPES.ok(self._name, "by default it looks for secrets", evidence=evidence)
        if readings.secret_results(await self._secret_scan()):
            return TYPES.ok(self._name, "by default it does not look for secrets", evidence=evidence)
        # Found or not, there is nothing to be seen.
        return TYPES.unknown(
            self._name, "it finds no secret when asked to either: name a function that holds one", evidence=evidence
        )

    async def report(self) -> Check:
        """The keys under which the driver's reader looks, and those that it does not know."""
        trial = await self._scan()
        report = readings.document(trial, "report.sarif.json")
        mode = self._subject.settings.qscanner_mode
        if report is None and mode in WITHOUT_REPORT:
            return REPORT.unknown(
                self._name, f"the mode of your settings, {mode}, makes none", fix="ask with QscannerMode=get-report"
            )
        if report is None and trial.exit_code in LATE:
            return REPORT.unknown(self._name, f"Qualys did not give it in time: {trial.end}", fix="ask again")
        if report is None:
            return REPORT.failed(self._name, f"there is no SARIF report: {trial.end}")
        runs = list(objects(report.get("runs")))
        results = [one for run in runs for one in objects(run.get("results"))]
        rules = [one for run in runs for one in objects(mapping(mapping(run.get("tool")).get("driver")).get("rules"))]
        evidence = (
            f"rules: {readings.keys(rules)}",
            f"rules[].properties: {readings.keys(one.get('properties') for one in rules)}",
            f"results: {readings.keys(results)}",
            f"results[].properties: {readings.keys(one.get('properties') for one in results)}",
        )
        told = f"{len(results)} results of {len(rules)} rules"
        if not results:
            return REPORT.unknown(self._name, f"{told}: name a function with a vulnerable package", evidence=evidence)
        read = readings.vulnerabilities(report)
        nameless = sum(draft.qid is None for draft in read)
        if not read or nameless:
            return REPORT.warning(
                self._name, f"{told}, read as {len(read)} findings, {nameless} of them without a QID", evidence=evidence
            )
        return REPORT.ok(self._name, f"{told}, read as {len(read)} findings, each with its QID", evidence=evidence)

    async def secrets(self) -> Check:
        """Under which keys, without and with rules of the user's own."""
        plain = await self._secret_scan()
        evidence = [f"without a rule file: {readings.secret_keys(plain)}"]
        trials = [plain]
        if self._subject.rules is not None:
            ruled = await self._try(scan_types=("secret",), mode="inventory-only", rules=self._subject.rules)
            evidence.append(f"with {self._subject.rules.name}: {readings.secret_keys(ruled)}")
            trials.append(ruled)
        read = [len(readings.secrets(trial)) for trial in trials]
        if any(read):
            return SECRETS.ok(self._name, f"{' and '.join(map(str, read))} secrets can be read", evidence=evidence)
        if any(readings.secret_results(trial) for trial in trials):
            return SECRETS.warning(self._name, "secrets stand under keys that are not known", evidence=evidence)
        return SECRETS.unknown(self._name, "it found no secret: name a function that holds one", evidence=evidence)

    async def layers(self) -> Check:
        """Layers are unpacked to /opt in a function: their packages have such paths, or their ARN beside them."""
        layers = self._subject.snapshot.layers
        if not layers:
            return LAYERS.unknown(self._name, "the function has no layer", fix=LAYERS.fix)
        trial = await self._scan()
        inside, named = _places(LAYER_PATHS, trial), _places(layers, trial)
        if inside:
            return LAYERS.ok(self._name, "the files name what lies in layers", evidence=inside)
        if named:
            # As a part of the function's configuration, perhaps.
            return LAYERS.unknown(
                self._name, "the files name the layers, but nothing that lies in them", fix=LAYERS.fix, evidence=named
            )
        return LAYERS.warning(self._name, f"nothing in the files names the {len(layers)} layers", evidence=(trial.end,))

    async def token(self) -> Check:
        """In the least mode that needs one."""
        right = await self._scan()
        if not readings.is_useful(right):
            return TOKEN.unknown(self._name, f"with the right token it fails too: {right.end}")
        wrong = self._subject.qualys.model_copy(update={"access_token": SecretStr(WRONG_TOKEN)})
        trial = await self._try(mode="scan-only", token=wrong)
        error = readings.judged(trial, self._name, mode="scan-only")
        if isinstance(error, QualysFault):
            return TOKEN.ok(self._name, f"recognised: {trial.end}")
        how = f"taken for {type(error).__name__}" if error is not None else "taken for a success"
        return TOKEN.warning(self._name, f"{how}: {trial.end}", evidence=trial.said.splitlines()[-5:])

    async def absent(self) -> Check:
        """Under a session for that very function, so that it is not refused for another reason."""
        arn = replace(self._subject.snapshot.arn, name=NO_SUCH_FUNCTION)
        missing = replace(self._subject.snapshot, arn=arn, layers=(), package_type="Zip", resolved_image_uri=None)
        trial = await self._bench.run(missing, await self._subject.session(missing), Wish(mode="inventory-only"))
        error = readings.judged(trial, str(arn), mode="inventory-only")
        how = f"taken for {type(error).__name__}" if error is not None else "taken for a success"
        if isinstance(error, Gone):
            return ABSENT.ok(self._name, f"recognised: {trial.end}")
        return ABSENT.warning(self._name, f"{how}: {trial.end}", evidence=trial.said.splitlines()[-5:])

    async def time_out(self) -> Check:
        """With a limit that no scan keeps."""
        trial = await self._try(mode="inventory-only", scan_timeout="1ms")
        if trial.exit_code == 0 and not trial.over_time:
            return TIME_OUT.warning(self._name, f"one millisecond was enough, so it bounds something else: {trial.end}")
        if trial.exit_code == USAGE:
            return TIME_OUT.unknown(self._name, f"it does not take one millisecond: {trial.end}")
        return TIME_OUT.ok(self._name, trial.end, evidence=(last_line(trial.said),))

    async def together(self) -> Check:
        """Two at once beside one alone, in the mode that uploads nothing."""
        alone = await self._try(mode="inventory-only")
        both = await asyncio.gather(self._try(mode="inventory-only"), self._try(mode="inventory-only"))
        evidence = [f"alone: {alone.end}", *(f"of two: {trial.end}" for trial in both)]
        if not readings.is_useful(alone):
            return TOGETHER.unknown(self._name, f"one alone fails: {alone.end}", evidence=evidence)
        if not all(map(readings.is_useful, both)):
            return TOGETHER.failed(self._name, "one alone succeeds, two at once do not", evidence=evidence)
        slowest = max(trial.seconds for trial in both)
        told = f"both succeed, in {slowest:.0f} s; one alone took {alone.seconds:.0f} s"
        if slowest > alone.seconds * 2 + LITTLE:
            return TOGETHER.warning(self._name, f"{told}: one may wait for the other", evidence=evidence)
        return TOGETHER.ok(self._name, told, evidence=evidence)
