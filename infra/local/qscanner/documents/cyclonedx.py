"""`ScanResult.cyclonedx.json`: the inventory as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""

from typing import Any
from uuid import UUID, uuid4

from infra.local.qscanner import NAME, NOTICE, VERSION
from infra.local.qscanner.documents import timestamp
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.scan import Scan


def cyclonedx(scan: Scan, *, serial: UUID | None = None) -> dict[str, Any]:
    """The document. The target is the metadata's component and depends on all others."""
    references = [f"package-{number}" for number in range(1, len(scan.packages) + 1)]
    target: dict[str, Any] = {"type": "application", "bom-ref": "target", "name": scan.target.name}
    if scan.target.sha256 is not None:
        target["hashes"] = [{"alg": "SHA-256", "content": scan.target.sha256}]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial or uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(scan.finished_at),
            "tools": {"components": [{"type": "application", "name": NAME, "version": VERSION}]},
            "component": target,
            "properties": [{"name": "qscanner-stand-in:note", "value": NOTICE}],
        },
        "components": [_component(*pair) for pair in zip(references, scan.packages, strict=True)],
        "dependencies": [{"ref": "target", "dependsOn": references}, *({"ref": one} for one in references)],
    }


def _component(reference: str, package: Package) -> dict[str, Any]:
    group, name = _names(package)
    return {
        "type": "library",
        "bom-ref": reference,
        **({"group": group} if group else {}),
        "name": name,
        "version": package.version,
        "purl": package.purl,
        "evidence": {"occurrences": [{"location": package.location}]},
        "properties": [{"name": "qscanner-stand-in:layer", "value": package.layer}],
    }


def _names(package: Package) -> tuple[str, str]:
    if package.ecosystem is Ecosystem.MAVEN:
        group, _, name = package.name.rpartition(":")
        return group, name
    if package.ecosystem is Ecosystem.NPM and package.name.startswith("@"):
        group, _, name = package.name.partition("/")
        return group, name
    return "", package.name
