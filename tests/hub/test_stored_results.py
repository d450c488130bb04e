import hashlib
import io
import json

import pytest

from hub.manifest import Manifest
from hub.scans import ScanStatus, Severity
from hub.stored_results import StoredResults
from spoke.errors import Misconfigured
from tests.hub.samples import PREFIX, SCAN_ID, scanned
from tests.hub.storage import store
from worker.memory.objects import MemoryObjects


async def test_what_was_stored_is_read_again() -> None:
    objects = MemoryObjects()
    stored = StoredResults(objects)
    summary = await store(objects, scanned())
    manifest = await stored.manifest(summary.manifest_key)
    assert manifest is not None
    assert (manifest.status, manifest.secret_count, manifest.package_count) == (ScanStatus.SUCCESS, 1, 3)
    found = await stored.findings(manifest)
    assert [one.severity for one in found] == [Severity.CRITICAL, Severity.CRITICAL, Severity.HIGH, Severity.HIGH]
    assert {one.scan_id for one in found} == {SCAN_ID}
    assert await stored.manifest(f"{PREFIX}other.json") is None
    assert await stored.findings_under(summary.manifest_key) == found
    assert await stored.findings_under(f"{PREFIX}other.json") == []


async def stored_manifest(objects: MemoryObjects) -> Manifest:
    summary = await store(objects, scanned())
    manifest = await StoredResults(objects).manifest(summary.manifest_key)
    assert manifest is not None
    return manifest


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schemaVersion": 2}', json.dumps({"scanId": 7}).encode()])
async def test_a_manifest_that_cannot_be_read_says_so(data: bytes) -> None:
    objects = MemoryObjects()
    await objects.put("scans/x/manifest.json", io.BytesIO(data), size=len(data), content_type="application/json")
    with pytest.raises(Misconfigured, match=r"scans/x/manifest\.json is no manifest that this version can read"):
        await StoredResults(objects).manifest("scans/x/manifest.json")


async def test_findings_other_than_the_manifests_are_refused() -> None:
    objects = MemoryObjects()
    manifest = await stored_manifest(objects)
    key = f"{PREFIX}findings.jsonl"
    await objects.put(key, io.BytesIO(b"{}\n"), size=3, content_type="application/x-ndjson")
    with pytest.raises(Misconfigured, match="the SHA-256 differs"):
        await StoredResults(objects).findings(manifest)
    forged = manifest.model_copy(
        update={
            "files": tuple(
                one.model_copy(update={"sha256": hashlib.sha256(b"{}\n").hexdigest()}) for one in manifest.files
            )
        }
    )
    with pytest.raises(Misconfigured, match="cannot be read by this version"):
        await StoredResults(objects).findings(forged)
    del objects.stored[key]
    with pytest.raises(Misconfigured, match="is missing"):
        await StoredResults(objects).findings(manifest)
