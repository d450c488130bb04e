"""What a scan leaves in the results bucket, and in which order it is written."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import structlog

from hub.document import Document
from hub.file_reading import Parsing
from hub.findings import Scope, severities
from hub.manifest import Manifest, ManifestFunction, ManifestProfile
from hub.reading import Reading, read
from hub.result_files import FINDINGS, PACKAGES, ResultFiles
from hub.results_bucket import Objects
from hub.scanned import ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus, ScanSummary, Severity, freshness, results_prefix
from spoke.snapshot import FunctionSnapshot

log = structlog.get_logger()

_DOCUMENTS = frozenset({ArtifactName.SCAN_RESULT, ArtifactName.SARIF, ArtifactName.SPDX, ArtifactName.CYCLONEDX})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Results:
    """Stores what scans leave.

    Args:
        objects: The bucket.
        now: For `storedAt` in the manifest.
    """

    def __init__(self, objects: Objects, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._objects = objects
        self._now = now
        self._parsing = Parsing()

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
        reading = await self._parsing.do(weight, lambda: read(scanned, profile))
        reasons = {*scanned.reasons, *reading.reasons}
        files = ResultFiles(self._objects, results_prefix(snapshot.arn, scan_id))
        for artifact in scanned.artifacts:
            if not await files.put_artifact(artifact):
                reasons.add(f"artifact_too_large:{artifact.name.value}")
        scope = Scope(snapshot.arn, snapshot.fingerprint, scan_id)
        findings, packages = await self._parsing.do(weight, lambda: (_findings(reading, scope), _packages(reading)))
        await files.put_lines(FINDINGS, findings)
        await files.put_lines(PACKAGES, packages)

        status = ScanStatus.PARTIAL if scanned.status is ScanStatus.SUCCESS and reasons else scanned.status
        counts = severities(reading.drafts)
        summary = ScanSummary(
            scan_id=scan_id,
            status=status,
            manifest_key=files.manifest_key,
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
        await self._put_manifest(files, snapshot, profile, summary, scanned.started_at, scanned.exit_code)
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
        files = ResultFiles(self._objects, results_prefix(snapshot.arn, scan_id))
        await files.put_stderr(detail)
        summary = ScanSummary(
            scan_id=scan_id,
            status=ScanStatus.FAILED,
            manifest_key=files.manifest_key,
            completed_at=finished_at,
            fresh_until=finished_at + freshness(timedelta(0), ScanStatus.FAILED, report_owed=False),
            reasons=tuple(sorted(set(reasons))),
            severities=dict.fromkeys(Severity, 0),
            profile_id=profile.id,
        )
        await self._put_manifest(files, snapshot, profile, summary, started_at, exit_code)
        return summary

    async def _put_manifest(
        self,
        files: ResultFiles,
        snapshot: FunctionSnapshot,
        profile: ScanProfile,
        summary: ScanSummary,
        started_at: datetime,
        exit_code: int | None,
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
            files=files.stored,
        )
        await files.put_manifest(manifest)
        log.info("result stored", status=summary.status.value, reasons=list(summary.reasons), scan_id=summary.scan_id)


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
