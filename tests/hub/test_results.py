import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub import reading
from hub.results import Results
from hub.scanned import Artifact, ArtifactName
from hub.scans import PolicyVerdict, ScanStatus, ScanSummary, Severity
from hub.stored_results import StoredResults
from spoke.errors import Misconfigured
from tests.hub.samples import (
    CYCLONEDX,
    FINISHED,
    FUNCTION,
    PREFIX,
    PROFILE,
    REPORT,
    SCAN_ID,
    SCAN_RESULT,
    SNAPSHOT,
    STARTED,
    STORED,
    sarif,
    scanned,
)
from tests.hub.storage import SIX_HOURS, TTL, document, lines, store, without
from tests.hub.test_inventories import SPDX
from worker.memory.objects import MemoryObjects


async def test_a_whole_scan_is_stored_with_the_manifest_last() -> None:
    objects = MemoryObjects()
    summary = await store(objects, scanned())
    assert objects.writes == [
        f"{PREFIX}{name}"
        for name in (
            "scan-result.json",
            "report.sarif.json",
            "sbom.cdx.json",
            "stderr.log",
            "findings.jsonl",
            "packages.jsonl",
            "manifest.json",
        )
    ]
    assert summary == ScanSummary(
        scan_id=SCAN_ID,
        status=ScanStatus.SUCCESS,
        manifest_key=f"{PREFIX}manifest.json",
        completed_at=FINISHED,
        fresh_until=FINISHED + TTL,
        severities=dict.fromkeys(Severity, 0) | {Severity.HIGH: 2, Severity.CRITICAL: 1},
        secrets=1,
        packages=3,
        scan_tag="1763614101",
        profile_id=PROFILE.id,
    )


async def test_the_manifest_tells_what_was_scanned_with_what_and_what_is_there() -> None:
    objects = MemoryObjects()
    await store(objects, scanned(policy=PolicyVerdict.DENY, exit_code=42))
    manifest = document(objects)
    files = manifest.pop("files")
    assert manifest == {
        "schemaVersion": 1,
        "scanId": SCAN_ID,
        "function": {
            "arn": str(FUNCTION),
            "account": "111122223333",
            "region": "eu-west-1",
            "name": "checkout",
            "runtime": "python3.12",
            "packageType": "Zip",
            "architectures": ["x86_64"],
            "layers": ["arn:aws:lambda:eu-west-1:111122223333:layer:shared:7"],
            "state": "Active",
            "lastModified": "2026-11-21T09:58:12Z",
            "codeSha256": SNAPSHOT.code_sha256,
            "codeSize": 1_482_113,
            "resolvedImageUri": None,
            "kmsKeyArn": SNAPSHOT.kms_key_arn,
        },
        "fingerprint": SNAPSHOT.fingerprint,
        "profile": {
            "engine": "qscanner",
            "version": "4.8.0-2",
            "mode": "get-report",
            "scanTypes": ["pkg", "secret"],
            "id": PROFILE.id,
        },
        "startedAt": "2026-11-21T10:00:00Z",
        "finishedAt": "2026-11-21T10:03:30Z",
        "storedAt": "2026-11-21T10:03:31Z",
        "exitCode": 42,
        "status": "success",
        "reasons": [],
        "severities": {"informational": 0, "low": 0, "medium": 0, "high": 2, "critical": 1},
        "secretCount": 1,
        "packageCount": 3,
        "policyVerdict": "deny",
        "qualysScanTag": "1763614101",
    }
    assert [(one["name"], one["contentType"]) for one in files] == [
        ("scan-result.json", "application/json"),
        ("report.sarif.json", "application/sarif+json"),
        ("sbom.cdx.json", "application/vnd.cyclonedx+json"),
        ("stderr.log", "text/plain; charset=utf-8"),
        ("findings.jsonl", "application/x-ndjson"),
        ("packages.jsonl", "application/x-ndjson"),
    ]
    for one in files:
        stored = objects.stored[one["key"]]
        assert one["key"] == PREFIX + one["name"]
        assert (one["size"], one["sha256"]) == (len(stored.data), hashlib.sha256(stored.data).hexdigest())
        assert one["contentType"] == stored.content_type


SARIF, CDX, RESULT = ArtifactName.SARIF, ArtifactName.CYCLONEDX, ArtifactName.SCAN_RESULT


@pytest.mark.parametrize(
    ("files", "reasons", "fresh"),
    [
        (without(SARIF), ("no_report",), SIX_HOURS),
        (without(SARIF=b""), ("report_unreadable",), SIX_HOURS),
        (without(SARIF=b"<html>502 Bad Gateway</html>"), ("report_unreadable",), SIX_HOURS),
        (without(SARIF=b"[" * 200_000), ("report_unreadable",), SIX_HOURS),
        (without(SARIF={"runs": None}), ("report_unreadable",), SIX_HOURS),
        (without(SARIF=[]), ("report_unreadable",), SIX_HOURS),
        (without(SARIF={"runs": [{"results": None}]}), ("report_incomplete",), TTL),
        (without(SARIF=sarif(7)), ("findings_skipped",), TTL),
        (without(CDX), ("no_packages",), TTL),
        (without(CYCLONEDX={"components": []}), ("no_packages",), TTL),
        (without(CYCLONEDX=b"{"), ("inventory_unreadable", "no_packages"), TTL),
        (without(CYCLONEDX=b"[]"), ("inventory_unreadable", "no_packages"), TTL),
        (without(CYCLONEDX=b"{", SPDX=SPDX), ("inventory_unreadable",), TTL),
        (without(RESULT), ("no_scan_result",), TTL),
        (without(SCAN_RESULT=b"nope"), ("inventory_unreadable",), TTL),
        (without(SCAN_RESULT={"SecretResults": "none"}), ("secrets_unreadable",), TTL),
        ({}, ("no_packages", "no_report", "no_scan_result"), SIX_HOURS),
    ],
)
async def test_what_is_not_a_whole_result_is_partial(
    files: Mapping[ArtifactName, object], reasons: tuple[str, ...], fresh: timedelta
) -> None:
    objects = MemoryObjects()
    summary = await store(objects, scanned(files))
    assert (summary.status, summary.reasons) == (ScanStatus.PARTIAL, reasons)
    assert summary.fresh_until == FINISHED + fresh
    assert (document(objects)["status"], document(objects)["reasons"]) == ("partial", list(reasons))


async def test_an_empty_report_is_a_clean_result() -> None:
    summary = await store(MemoryObjects(), scanned(without(SARIF=sarif(), SCAN_RESULT={"Metadata": {}})))
    assert (summary.status, summary.findings, summary.scan_tag) == (ScanStatus.SUCCESS, 0, None)


async def test_the_scanners_reasons_stay_and_its_partial_is_never_raised() -> None:
    scan = scanned(status=ScanStatus.PARTIAL, reasons=("os_not_found", "a", "os_not_found"), exit_code=15)
    summary = await store(MemoryObjects(), scan)
    assert (summary.status, summary.reasons) == (ScanStatus.PARTIAL, ("a", "os_not_found"))


async def test_a_report_that_is_owed_shortens_the_freshness() -> None:
    scan = scanned(
        without(SARIF), status=ScanStatus.PARTIAL, reasons=("report_pending",), report_owed=True, exit_code=40
    )
    summary = await store(MemoryObjects(), scan)
    assert summary.reasons == ("no_report", "report_pending")
    assert summary.fresh_until == FINISHED + SIX_HOURS


@pytest.mark.parametrize("mode", ["inventory-only", "scan-only"])
async def test_a_mode_without_a_report_is_partial_and_owes_none(mode: str) -> None:
    profile = replace(PROFILE, mode=mode, scan_types=("pkg",))
    summary = await store(MemoryObjects(), scanned(without(SARIF, RESULT)), profile)
    assert (summary.status, summary.reasons) == (ScanStatus.PARTIAL, ("inventory_only",))
    assert summary.fresh_until == FINISHED + TTL


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (without(SPDX=SPDX), {"requests", "urllib3", "pyyaml"}),
        (
            without(CYCLONEDX={"components": [{"type": "library", "name": "a"}]}, SPDX=SPDX),
            {
                "org.apache.logging.log4j:log4j-core",
                "plain",
            },
        ),
        (without(CYCLONEDX={"components": [{"type": "library", "name": "a"}]}), {"a"}),
        (
            without(CDX, SCAN_RESULT=SCAN_RESULT | {"Results": [{"Packages": [{"Name": "lodash", "Version": "4"}]}]}),
            {"lodash"},
        ),
    ],
)
async def test_packages_come_from_the_best_inventory_there_is(
    files: Mapping[ArtifactName, object], expected: set[str]
) -> None:
    objects = MemoryObjects()
    await store(objects, scanned(files))
    assert {one["name"] for one in lines(objects, "packages.jsonl")} == expected


async def test_files_beyond_the_limit_are_stored_but_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_READ", len(json.dumps(REPORT)) - 1)
    objects = MemoryObjects()
    summary = await store(objects, scanned(without(CYCLONEDX=CYCLONEDX | {"padding": "x" * 2000})))
    assert summary.reasons == ("inventory_too_large", "no_packages", "report_too_large")
    assert objects.stored[f"{PREFIX}report.sarif.json"].data == json.dumps(REPORT).encode()


async def test_a_file_that_grew_after_it_was_measured_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    grown = json.dumps(REPORT).encode()
    monkeypatch.setattr(reading, "MAX_READ", len(grown) - 1)
    small = Artifact(ArtifactName.SARIF, 10, lambda: io.BytesIO(grown))
    objects = MemoryObjects()
    summary = await store(objects, scanned({}, artifacts=(small,)))
    assert "report_unreadable" in summary.reasons
    assert document(objects)["files"][0]["size"] == len(grown)


async def test_more_findings_or_packages_than_are_kept_make_it_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FINDINGS", 3)
    monkeypatch.setattr(reading, "MAX_PACKAGES", 2)
    summary = await store(MemoryObjects(), scanned())
    assert summary.reasons == ("findings_truncated", "packages_truncated")
    assert (summary.findings, summary.packages) == (3, 2)


async def test_a_failure_is_stored_with_what_the_scanner_said() -> None:
    objects = MemoryObjects()
    summary = await Results(objects, now=lambda: STORED).store_failure(
        snapshot=SNAPSHOT,
        profile=PROFILE,
        scan_id=SCAN_ID,
        reasons=["timeout", "scanner_crashed", "timeout"],
        detail="panic: runtime error \ud800\n",
        exit_code=None,
        started_at=STARTED,
        finished_at=FINISHED,
    )
    assert objects.writes == [f"{PREFIX}stderr.log", f"{PREFIX}manifest.json"]
    assert objects.stored[f"{PREFIX}stderr.log"].data == b"panic: runtime error ?\n"
    assert (summary.status, summary.reasons) == (ScanStatus.FAILED, ("scanner_crashed", "timeout"))
    assert summary.fresh_until == FINISHED
    assert (document(objects)["status"], document(objects)["exitCode"]) == ("failed", None)
    read_again = StoredResults(objects)
    manifest = await read_again.manifest(summary.manifest_key)
    assert manifest is not None
    assert await read_again.findings(manifest) == []


async def test_the_manifest_says_when_it_was_written() -> None:
    objects = MemoryObjects()
    before = datetime.now(UTC)
    await Results(objects).store(snapshot=SNAPSHOT, profile=PROFILE, scan_id=SCAN_ID, scanned=scanned(), ttl=TTL)
    assert before <= datetime.fromisoformat(document(objects)["storedAt"]) <= datetime.now(UTC)


async def test_the_bucket_is_asked_for() -> None:
    async def absent(operation: str, *, after: bool) -> None:
        if operation == "check" and not after:
            raise Misconfigured("no such bucket")

    with pytest.raises(Misconfigured, match="no such bucket"):
        await Results(MemoryObjects(absent)).check()
