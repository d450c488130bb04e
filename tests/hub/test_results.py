import asyncio
import hashlib
import io
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub import reading, results
from hub.manifest import Manifest
from hub.results import Results
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import PolicyVerdict, ScanProfile, ScanStatus, ScanSummary, Severity
from spoke.errors import Misconfigured, ResultUnwritable, Unavailable
from tests.hub.broken import broken
from tests.hub.samples import (
    CYCLONEDX,
    FINISHED,
    FUNCTION,
    KEY_IN_CODE,
    PREFIX,
    PROFILE,
    REPORT,
    SCAN_ID,
    SCAN_RESULT,
    SNAPSHOT,
    STARTED,
    STORED,
    WHOLE,
    sarif,
    scanned,
)
from tests.hub.schemas import closed
from tests.hub.test_inventories import SPDX
from tests.virtual_time import run
from worker.memory.objects import MemoryObjects

TTL = timedelta(days=30)
SIX_HOURS = timedelta(hours=6)


async def store(objects: MemoryObjects, scan: Scanned, profile: ScanProfile = PROFILE) -> ScanSummary:
    return await Results(objects, now=lambda: STORED).store(
        snapshot=SNAPSHOT, profile=profile, scan_id=SCAN_ID, scanned=scan, ttl=TTL
    )


def without(*names: ArtifactName, **others: object) -> dict[ArtifactName, object]:
    files = {name: content for name, content in WHOLE.items() if name not in names}
    return files | {ArtifactName[name]: content for name, content in others.items()}


def document(objects: MemoryObjects) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(objects.stored[f"{PREFIX}manifest.json"].data)
    return loaded


def lines(objects: MemoryObjects, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in objects.stored[PREFIX + name].data.splitlines()]


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


async def test_findings_name_the_package_of_the_inventory() -> None:
    objects = MemoryObjects()
    await store(objects, scanned())
    found = lines(objects, "findings.jsonl")
    assert [(one["severity"], one["kind"]) for one in found] == sorted(
        [("critical", "vulnerability"), ("critical", "secret"), ("high", "vulnerability"), ("high", "vulnerability")],
        key=lambda pair: (pair[0], next(i for i, one in enumerate(found) if (one["severity"], one["kind"]) == pair)),
    )
    assert {one["package"]["name"]: one["package"]["purl"] for one in found if one["package"]} == {
        "requests": "pkg:pypi/requests@2.19.0",
        "urllib3": "pkg:pypi/urllib3@1.23",
        "PyYAML": "pkg:pypi/pyyaml@5.1",
    }
    assert [one["purl"] for one in lines(objects, "packages.jsonl")] == [
        "pkg:pypi/pyyaml@5.1",
        "pkg:pypi/requests@2.19.0",
        "pkg:pypi/urllib3@1.23",
    ]


async def test_the_value_of_a_secret_is_in_no_document_of_ours() -> None:
    objects = MemoryObjects()
    await store(objects, scanned())
    for name in ("findings.jsonl", "packages.jsonl", "manifest.json"):
        assert KEY_IN_CODE.encode() not in objects.stored[PREFIX + name].data


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


async def test_a_file_that_s3_does_not_take_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_OBJECT", 1000)
    objects = MemoryObjects()
    summary = await store(objects, scanned(without(REPORT=b"x" * 1001, STDERR=b"x" * 1000)))
    assert "artifact_too_large:report.json" in summary.reasons
    assert f"{PREFIX}report.json" not in objects.stored
    assert f"{PREFIX}stderr.log" in objects.stored


async def test_more_findings_or_packages_than_are_kept_make_it_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FINDINGS", 3)
    monkeypatch.setattr(reading, "MAX_PACKAGES", 2)
    summary = await store(MemoryObjects(), scanned())
    assert summary.reasons == ("findings_truncated", "packages_truncated")
    assert (summary.findings, summary.packages) == (3, 2)


async def test_large_files_are_read_in_a_thread_one_scan_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_IN_A_THREAD", 100)
    monkeypatch.setattr(results, "_ONE_AT_A_TIME", 100)
    threads: list[int] = []
    loop, first, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def held(scan: Scanned, profile: ScanProfile) -> reading.Reading:
        threads.append(threading.get_ident())
        loop.call_soon_threadsafe(first.set)
        go_on.wait()
        return reading.read(scan, profile)

    monkeypatch.setattr(results, "read", held)
    stored = Results(MemoryObjects(), now=lambda: STORED)
    stores = [
        asyncio.create_task(
            stored.store(snapshot=SNAPSHOT, profile=PROFILE, scan_id=f"{SCAN_ID}{n}", scanned=scanned(), ttl=TTL)
        )
        for n in range(3)
    ]
    await first.wait()
    # Threads start in the order asked for: once this one ran, any second scan would have begun as well.
    await asyncio.to_thread(int)
    begun = len(threads)
    go_on.set()
    await asyncio.gather(*stores)
    assert begun == 1
    assert len(threads) == 3
    assert threading.get_ident() not in threads


def test_small_files_need_no_thread_and_so_run_in_virtual_time() -> None:
    assert run(store(MemoryObjects(), scanned())).status is ScanStatus.SUCCESS


def unreadable() -> BinaryIO:
    raise FileNotFoundError(2, "No such file or directory", "/scratch/slot-1/out/a-Report.sarif.json")


async def test_a_file_that_cannot_be_opened_is_a_fault_of_the_result() -> None:
    scan = scanned({}, artifacts=(Artifact(ArtifactName.SARIF, 10, unreadable),))
    with pytest.raises(ResultUnwritable, match="No such file"):
        await store(MemoryObjects(), scan)
    scan = scanned({}, artifacts=(Artifact(ArtifactName.STDERR, 10, unreadable),))
    with pytest.raises(ResultUnwritable, match="No such file"):
        await store(MemoryObjects(), scan)


@pytest.mark.parametrize("nth", range(7))
async def test_whichever_write_fails_there_is_no_manifest(nth: int) -> None:
    calls = []

    async def fail(operation: str, *, after: bool) -> None:
        calls.extend([] if after else [operation])
        if len(calls) == nth + 1:
            raise Unavailable("the bucket does not answer")

    objects = MemoryObjects(fail)
    with pytest.raises(Unavailable):
        await store(objects, scanned())
    assert f"{PREFIX}manifest.json" not in objects.stored


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
    read_again = Results(objects)
    manifest = await read_again.manifest(summary.manifest_key)
    assert manifest is not None
    assert await read_again.findings(manifest) == []


async def test_what_was_stored_is_read_again() -> None:
    objects = MemoryObjects()
    stored = Results(objects)
    summary = await store(objects, scanned())
    manifest = await stored.manifest(summary.manifest_key)
    assert manifest is not None
    assert (manifest.status, manifest.secret_count, manifest.package_count) == (ScanStatus.SUCCESS, 1, 3)
    found = await stored.findings(manifest)
    assert [one.severity for one in found] == [Severity.CRITICAL, Severity.CRITICAL, Severity.HIGH, Severity.HIGH]
    assert {one.scan_id for one in found} == {SCAN_ID}
    assert await stored.manifest(f"{PREFIX}other.json") is None


async def test_the_manifest_says_when_it_was_written() -> None:
    objects = MemoryObjects()
    before = datetime.now(UTC)
    await Results(objects).store(snapshot=SNAPSHOT, profile=PROFILE, scan_id=SCAN_ID, scanned=scanned(), ttl=TTL)
    assert before <= datetime.fromisoformat(document(objects)["storedAt"]) <= datetime.now(UTC)


async def stored_manifest(objects: MemoryObjects) -> Manifest:
    summary = await store(objects, scanned())
    manifest = await Results(objects).manifest(summary.manifest_key)
    assert manifest is not None
    return manifest


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schemaVersion": 2}', json.dumps({"scanId": 7}).encode()])
async def test_a_manifest_that_cannot_be_read_says_so(data: bytes) -> None:
    objects = MemoryObjects()
    await objects.put("scans/x/manifest.json", io.BytesIO(data), size=len(data), content_type="application/json")
    with pytest.raises(Misconfigured, match=r"scans/x/manifest\.json is no manifest that this version can read"):
        await Results(objects).manifest("scans/x/manifest.json")


async def test_findings_other_than_the_manifests_are_refused() -> None:
    objects = MemoryObjects()
    manifest = await stored_manifest(objects)
    key = f"{PREFIX}findings.jsonl"
    await objects.put(key, io.BytesIO(b"{}\n"), size=3, content_type="application/x-ndjson")
    with pytest.raises(Misconfigured, match="the SHA-256 differs"):
        await Results(objects).findings(manifest)
    forged = manifest.model_copy(
        update={
            "files": tuple(
                one.model_copy(update={"sha256": hashlib.sha256(b"{}\n").hexdigest()}) for one in manifest.files
            )
        }
    )
    with pytest.raises(Misconfigured, match="cannot be read by this version"):
        await Results(objects).findings(forged)
    del objects.stored[key]
    with pytest.raises(Misconfigured, match="is missing"):
        await Results(objects).findings(manifest)


async def test_the_bucket_is_asked_for() -> None:
    async def absent(operation: str, *, after: bool) -> None:
        if operation == "check" and not after:
            raise Misconfigured("no such bucket")

    with pytest.raises(Misconfigured, match="no such bucket"):
        await Results(MemoryObjects(absent)).check()


@settings(deadline=None)  # on a busy machine the first validation takes long
@given(
    st.fixed_dictionaries(
        {ArtifactName.SARIF: broken(REPORT), ArtifactName.SCAN_RESULT: broken(SCAN_RESULT)},
        optional={ArtifactName.CYCLONEDX: broken(CYCLONEDX), ArtifactName.SPDX: broken(SPDX)},
    )
)
def test_whatever_the_files_hold_what_is_written_keeps_to_the_schemas(files: dict[ArtifactName, object]) -> None:
    objects = MemoryObjects()
    summary = run(store(objects, scanned(files)))
    for name in ("findings", "packages"):
        validator = Draft202012Validator(closed(name.removesuffix("s")))
        for line in lines(objects, f"{name}.jsonl"):
            validator.validate(line)
    Draft202012Validator(closed("manifest")).validate(document(objects))
    assert len(lines(objects, "findings.jsonl")) == summary.findings
    assert len(lines(objects, "packages.jsonl")) == summary.packages
    assert (summary.status is ScanStatus.SUCCESS) is (summary.reasons == ())


async def test_the_same_scan_gives_the_same_bytes() -> None:
    one, other = MemoryObjects(), MemoryObjects()
    await store(one, scanned())
    await store(other, scanned())
    assert one.stored == other.stored
