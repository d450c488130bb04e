"""A scan goes into a bucket in memory, and what then lies there."""

import json
from datetime import timedelta
from typing import Any

from hub.results import Results
from hub.scanned import ArtifactName, Scanned
from hub.scans import ScanProfile, ScanSummary
from tests.hub.samples import PREFIX, PROFILE, SCAN_ID, SNAPSHOT, STORED, WHOLE
from worker.memory.objects import MemoryObjects

TTL = timedelta(days=30)
SIX_HOURS = timedelta(hours=6)


async def store(objects: MemoryObjects, scan: Scanned, profile: ScanProfile = PROFILE) -> ScanSummary:
    return await Results(objects, now=lambda: STORED).store(
        snapshot=SNAPSHOT, profile=profile, scan_id=SCAN_ID, scanned=scan, ttl=TTL
    )


def without(*names: ArtifactName, **others: object) -> dict[ArtifactName, object]:
    """A whole scan's files but for some, and others beside or instead of them."""
    files = {name: content for name, content in WHOLE.items() if name not in names}
    return files | {ArtifactName[name]: content for name, content in others.items()}


def document(objects: MemoryObjects) -> dict[str, Any]:
    """The manifest, as JSON."""
    loaded: dict[str, Any] = json.loads(objects.stored[f"{PREFIX}manifest.json"].data)
    return loaded


def lines(objects: MemoryObjects, name: str) -> list[dict[str, Any]]:
    """Of a JSONL file of the scan."""
    return [json.loads(line) for line in objects.stored[PREFIX + name].data.splitlines()]
