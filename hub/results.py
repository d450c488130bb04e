"""What a scan leaves in the results bucket, and in which order it is written."""

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from hub.digest import measure
from hub.document import Document
from hub.findings import Finding, Scope, severities
from hub.manifest import Manifest, ManifestFunction, ManifestProfile, StoredFile
from hub.reading import Reading, read
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus, ScanSummary, Severity, freshness, results_prefix
from spoke.errors import Misconfigured, ResultUnwritable
from spoke.snapshot import FunctionSnapshot

log = structlog.get_logger()

FINDINGS = "findings.jsonl"
PACKAGES = "packages.jsonl"
MANIFEST = "manifest.json"

MAX_OBJECT = 5 * 1024**3
"""Bytes of an object that one PutObject takes (S3 quotas). A larger file is left out, and the result says so."""

_IN_A_THREAD = 1024 * 1024
"""Bytes from which on files are read and hashed off the event loop; below, a thread would cost more than it saves."""

_ONE_AT_A_TIME = 16 * 1024 * 1024
"""Bytes of a scan's documents from which on only one scan at a time is parsed: each takes a multiple in memory."""

_JSON_LINES = "application/x-ndjson"
_CONTENT_TYPES: Mapping[ArtifactName, str] = {
    ArtifactName.SCAN_RESULT: "application/json",
    ArtifactName.SARIF: "application/sarif+json",
    ArtifactName.REPORT: "application/json",
    ArtifactName.SPDX: "application/spdx+json",
    ArtifactName.CYCLONEDX: "application/vnd.cyclonedx+json",
    ArtifactName.GITLAB: "application/json",
    ArtifactName.STDERR: "text/plain; charset=utf-8",
}
_DOCUMENTS = frozenset({ArtifactName.SCAN_RESULT, ArtifactName.SARIF, ArtifactName.SPDX, ArtifactName.CYCLONEDX})

Value = TypeVar("Value")


class Objects(Protocol):
    """The results bucket. Every method may raise `Throttled` or `Unavailable`."""

    async def check(self) -> None:
        """Ask whether the bucket is there.

        Raises:
            Misconfigured: It is not, or it may not be used.
        """
        ...

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        """Store one object, with a checksum that the service verifies. Overwrites."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Results:
    """Stores what scans leave, and reads it again.

    Args:
        objects: The bucket.
        now: For `storedAt` in the manifest.
    """

    def __init__(self, objects: Objects, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._objects = objects
        self._now = now
        self._large = asyncio.Lock()

    async def check(self) -> None:
        """Ask whether the bucket is there.

        Raises:
            Misconfigured: It is not, or it may not be used.
            Throttled, Unavailable: It does not answer.
        """
        await self._objects.check()

    async def store(
        self,
        *,
        snapshot: FunctionSnapshot,
        profile: ScanProfile,
        scan_id: str,
        scanned: Scanned,
        ttl: timedelta,
    ) -> ScanSummary:
        """Store the scanner's files, what they say in a form of our own, and the manifest last.

        The result is `success` only if the scanner says so, its report was really read and there is a package;
        otherwise `partial` with the reasons added: `no_report`, `report_unreadable`, `report_incomplete`,
        `report_too_large`, `inventory_only` (the mode asks for no report), `no_packages`, `inventory_unreadable`,
        `inventory_too_large`, `no_scan_result`, `secrets_unreadable`, `findings_skipped`, `findings_truncated`,
        `packages_truncated`, `artifact_too_large:<name>`.

        Raises:
            ResultUnwritable: A file of the scanner could not be read.
            Throttled, Unavailable: The bucket could not be written; nothing counts until the manifest is there.
        """
        weight = sum(one.size for one in scanned.artifacts if one.name in _DOCUMENTS)
        reading = await self._weighty(weight, lambda: read(scanned, profile))
        reasons = {*scanned.reasons, *reading.reasons}
        prefix = results_prefix(snapshot.arn, scan_id)
        files = []
        for artifact in scanned.artifacts:
            if artifact.size > MAX_OBJECT:
                reasons.add(f"artifact_too_large:{artifact.name.value}")
            else:
                files.append(await self._put_artifact(prefix, artifact))
        scope = Scope(snapshot.arn, snapshot.fingerprint, scan_id)
        findings, packages = await self._weighty(weight, lambda: (_findings(reading, scope), _packages(reading)))
        files.append(await self._put_bytes(prefix, FINDINGS, findings, _JSON_LINES))
        files.append(await self._put_bytes(prefix, PACKAGES, packages, _JSON_LINES))

        status = ScanStatus.PARTIAL if scanned.status is ScanStatus.SUCCESS and reasons else scanned.status
        counts = severities(reading.drafts)
        summary = ScanSummary(
            scan_id=scan_id,
            status=status,
            manifest_key=prefix + MANIFEST,
            completed_at=scanned.finished_at,
            fresh_until=scanned.finished_at
            + freshness(ttl, status, report_owed=scanned.report_owed or reading.report_missing),
            reasons=tuple(sorted(reasons)),
            severities=counts,
            secrets=len(reading.drafts) - sum(counts.values()),
            packages=len(reading.inventory.packages),
            policy=scanned.policy,
            scan_tag=reading.scan_tag,
            profile_id=profile.id,
        )
        await self._put_manifest(snapshot, profile, summary, scanned.started_at, scanned.exit_code, files)
        return summary

    async def store_failure(
        self,
        *,
        snapshot: FunctionSnapshot,
        profile: ScanProfile,
        scan_id: str,
        reasons: Iterable[str],
        detail: str,
        exit_code: int | None,
        started_at: datetime,
        finished_at: datetime,
    ) -> ScanSummary:
        """Store that a scan failed for good.

        Args:
            snapshot: The function.
            profile: With what it was scanned.
            scan_id: Of the scan.
            reasons: Stable words.
            detail: The end of the scanner's stderr, redacted already; becomes `stderr.log`.
            exit_code: None if the scanner did not end by itself.
            started_at: Aware, UTC.
            finished_at: Aware, UTC.

        Raises:
            Throttled, Unavailable: The bucket could not be written.
        """
        prefix = results_prefix(snapshot.arn, scan_id)
        content_type = _CONTENT_TYPES[ArtifactName.STDERR]
        stderr = await self._put_bytes(
            prefix, ArtifactName.STDERR.value, detail.encode("utf-8", "replace"), content_type
        )
        summary = ScanSummary(
            scan_id=scan_id,
            status=ScanStatus.FAILED,
            manifest_key=prefix + MANIFEST,
            completed_at=finished_at,
            fresh_until=finished_at + freshness(timedelta(0), ScanStatus.FAILED, report_owed=False),
            reasons=tuple(sorted(set(reasons))),
            severities=dict.fromkeys(Severity, 0),
            profile_id=profile.id,
        )
        await self._put_manifest(snapshot, profile, summary, started_at, exit_code, [stderr])
        return summary

    async def manifest(self, key: str) -> Manifest | None:
        """The manifest under that key, or None where there is none.

        Raises:
            Misconfigured: What lies there is no manifest that this version can read.
        """
        data = await self._objects.get(key)
        if data is None:
            return None
        try:
            return Manifest.model_validate_json(data)
        except ValidationError as error:
            raise Misconfigured(f"{key} is no manifest that this version can read: {_first_fault(error)}") from None

    async def findings(self, manifest: Manifest) -> list[Finding]:
        """The findings of a scan, the worst first; none for a failed scan.

        Raises:
            Misconfigured: The file is missing, or it is not the one that the manifest speaks of.
        """
        file = manifest.file(FINDINGS)
        if file is None:
            return []
        data = await self._objects.get(file.key)
        if data is None:
            raise Misconfigured(f"{file.key} is missing, though its manifest names it")
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise Misconfigured(f"{file.key} is not what its manifest says: the SHA-256 differs")
        try:
            return [Finding.model_validate_json(line) for line in data.splitlines()]
        except ValidationError as error:
            raise Misconfigured(f"{file.key} cannot be read by this version: {_first_fault(error)}") from None

    async def _weighty(self, weight: int, work: Callable[[], Value]) -> Value:
        if weight > _ONE_AT_A_TIME:
            async with self._large:
                return await _read(weight, work)
        return await _read(weight, work)

    async def _put_artifact(self, prefix: str, artifact: Artifact) -> StoredFile:
        size, digest = await _read(artifact.size, lambda: _measure(artifact))
        content_type = _CONTENT_TYPES[artifact.name]
        content = await _read(0, artifact.open)
        with content:
            await self._objects.put(prefix + artifact.name.value, content, size=size, content_type=content_type)
        name = artifact.name.value
        return StoredFile(name=name, key=prefix + name, size=size, sha256=digest.hex(), content_type=content_type)

    async def _put_bytes(self, prefix: str, name: str, data: bytes, content_type: str) -> StoredFile:
        await self._objects.put(prefix + name, io.BytesIO(data), size=len(data), content_type=content_type)
        sha256 = hashlib.sha256(data).hexdigest()
        return StoredFile(name=name, key=prefix + name, size=len(data), sha256=sha256, content_type=content_type)

    async def _put_manifest(
        self,
        snapshot: FunctionSnapshot,
        profile: ScanProfile,
        summary: ScanSummary,
        started_at: datetime,
        exit_code: int | None,
        files: Sequence[StoredFile],
    ) -> None:
        manifest = Manifest(
            scan_id=summary.scan_id,
            function=ManifestFunction.of(snapshot),
            fingerprint=snapshot.fingerprint,
            profile=ManifestProfile.of(profile),
            started_at=started_at,
            finished_at=summary.completed_at,
            stored_at=self._now(),
            exit_code=exit_code,
            status=summary.status,
            reasons=summary.reasons,
            severities=summary.severities,
            secret_count=summary.secrets,
            package_count=summary.packages,
            policy_verdict=summary.policy,
            qualys_scan_tag=summary.scan_tag,
            files=tuple(files),
        )
        data = manifest.model_dump_json(indent=2).encode() + b"\n"
        content = io.BytesIO(data)
        await self._objects.put(summary.manifest_key, content, size=len(data), content_type="application/json")
        log.info("result stored", status=summary.status.value, reasons=list(summary.reasons), scan_id=summary.scan_id)


async def _read(weight: int, work: Callable[[], Value]) -> Value:
    try:
        return await asyncio.to_thread(work) if weight > _IN_A_THREAD else work()
    except OSError as error:
        raise ResultUnwritable(f"the scanner's files cannot be read: {error}") from error


def _measure(artifact: Artifact) -> tuple[int, bytes]:
    with artifact.open() as file:
        return measure(file)


def _findings(reading: Reading, scope: Scope) -> bytes:
    purls = reading.inventory.purls()
    return _lines(
        scope.finding(draft, purls.get(((draft.package or "").casefold(), draft.installed_version or "")))
        for draft in reading.drafts
    )


def _packages(reading: Reading) -> bytes:
    return _lines(reading.inventory.packages)


def _lines(documents: Iterable[Document]) -> bytes:
    return b"".join(document.line() + b"\n" for document in documents)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
