"""What scans have left in the results bucket, read again."""

import hashlib

from pydantic import ValidationError

from hub.findings import Finding
from hub.manifest import Manifest
from hub.result_files import FINDINGS
from hub.results_bucket import Objects
from spoke.errors import Misconfigured


class StoredResults:
    """Reads stored results.

    Args:
        objects: The bucket.

    Raises (all methods):
        Throttled, Unavailable: The bucket could not be read.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

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

    async def findings_under(self, key: str) -> list[Finding]:
        """As `findings`, by the manifest's key; none where there is no manifest."""
        manifest = await self.manifest(key)
        return await self.findings(manifest) if manifest is not None else []

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


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
