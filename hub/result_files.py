"""The files of one scan in the results bucket."""

import hashlib
import io
from collections.abc import Mapping

from hub.digest import measure
from hub.file_reading import off_loop
from hub.manifest import Manifest, StoredFile
from hub.results_bucket import Objects
from hub.scanned import Artifact, ArtifactName

FINDINGS = "findings.jsonl"
PACKAGES = "packages.jsonl"
MANIFEST = "manifest.json"

MAX_OBJECT = 5 * 1024**3
"""Bytes of an object that one PutObject takes (S3 quotas). A larger file is left out, and the result says so."""

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


class ResultFiles:
    """Puts the files of one scan into the bucket, and notes them for its manifest.

    Args:
        objects: The bucket.
        prefix: Of their keys.

    Raises (all methods):
        Throttled, Unavailable: The bucket could not be written.
    """

    def __init__(self, objects: Objects, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix
        self._stored: list[StoredFile] = []

    @property
    def manifest_key(self) -> str:
        """Where the manifest goes."""
        return self._prefix + MANIFEST

    @property
    def stored(self) -> tuple[StoredFile, ...]:
        """What was put there so far, in that order; the manifest is not among it."""
        return tuple(self._stored)

    async def put_artifact(self, artifact: Artifact) -> bool:
        """A file of the scanner, as it is; False if S3 takes none so large.

        Raises:
            ResultUnwritable: The file cannot be read.
        """
        if artifact.size > MAX_OBJECT:
            return False
        name, content_type = artifact.name.value, _CONTENT_TYPES[artifact.name]
        size, digest = await off_loop(artifact.size, lambda: _measure(artifact))
        content = await off_loop(0, artifact.open)
        with content:
            await self._objects.put(self._prefix + name, content, size=size, content_type=content_type)
        self._note(name, size, digest.hex(), content_type)
        return True

    async def put_lines(self, name: str, data: bytes) -> None:
        """A file of ours: JSON documents, one a line."""
        await self._put(name, data, _JSON_LINES)

    async def put_stderr(self, text: str) -> None:
        """What the scanner said, redacted already; lone surrogates become question marks."""
        await self._put(ArtifactName.STDERR.value, text.encode("utf-8", "replace"), _CONTENT_TYPES[ArtifactName.STDERR])

    async def put_manifest(self, manifest: Manifest) -> None:
        """The manifest, which makes it all count; the last of the files."""
        data = manifest.model_dump_json(indent=2).encode() + b"\n"
        await self._objects.put(self.manifest_key, io.BytesIO(data), size=len(data), content_type="application/json")

    async def _put(self, name: str, data: bytes, content_type: str) -> None:
        await self._objects.put(self._prefix + name, io.BytesIO(data), size=len(data), content_type=content_type)
        self._note(name, len(data), hashlib.sha256(data).hexdigest(), content_type)

    def _note(self, name: str, size: int, sha256: str, content_type: str) -> None:
        key = self._prefix + name
        self._stored.append(StoredFile(name=name, key=key, size=size, sha256=sha256, content_type=content_type))


def _measure(artifact: Artifact) -> tuple[int, bytes]:
    with artifact.open() as file:
        return measure(file)
