"""`ScanResult.spdx.json`: the inventory as SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/), or as tags and values."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from infra.local.qscanner import NOTICE, VERSION
from infra.local.qscanner.documents import timestamp
from infra.local.qscanner.inventory import Package
from infra.local.qscanner.scan import Scan

_ROOT = "SPDXRef-Target"


def spdx(scan: Scan, *, serial: UUID | None = None) -> dict[str, Any]:
    """The document. The target is a package of its own, which contains the others."""
    ids = [f"SPDXRef-Package-{number}" for number in range(1, len(scan.packages) + 1)]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": scan.target.prefix,
        "documentNamespace": f"urn:uuid:{serial or uuid4()}",
        "comment": NOTICE,
        "creationInfo": {
            "created": timestamp(scan.finished_at),
            "creators": [f"Tool: qscanner-stand-in-{VERSION}"],
        },
        "documentDescribes": [_ROOT],
        "packages": [_target(scan), *(_package(*pair) for pair in zip(ids, scan.packages, strict=True))],
        "relationships": [
            _relationship("SPDXRef-DOCUMENT", "DESCRIBES", _ROOT),
            *(_relationship(_ROOT, "CONTAINS", one) for one in ids),
        ],
    }


def tag_value(document: dict[str, Any]) -> str:
    """The same document as tags and values (the specification's other form)."""
    return "\n".join(_tag_value_lines(document)) + "\n"


def _target(scan: Scan) -> dict[str, Any]:
    package = _bare(_ROOT, scan.target.name)
    package["primaryPackagePurpose"] = "APPLICATION"
    if scan.target.sha256 is not None:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": scan.target.sha256}]
    return package


def _package(identifier: str, package: Package) -> dict[str, Any]:
    return {
        **_bare(identifier, package.name),
        "versionInfo": package.version,
        "sourceInfo": f"found at {package.location}",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": package.purl}
        ],
    }


def _bare(identifier: str, name: str) -> dict[str, Any]:
    return {
        "SPDXID": identifier,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _tag_value_lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"SPDXVersion: {document['spdxVersion']}"
    yield f"DataLicense: {document['dataLicense']}"
    yield f"SPDXID: {document['SPDXID']}"
    yield f"DocumentName: {document['name']}"
    yield f"DocumentNamespace: {document['documentNamespace']}"
    yield f"DocumentComment: <text>{document['comment']}</text>"
    yield f"Creator: {document['creationInfo']['creators'][0]}"
    yield f"Created: {document['creationInfo']['created']}"
    for package in document["packages"]:
        yield ""
        yield f"PackageName: {package['name']}"
        yield f"SPDXID: {package['SPDXID']}"
        if "versionInfo" in package:
            yield f"PackageVersion: {package['versionInfo']}"
        yield f"PackageDownloadLocation: {package['downloadLocation']}"
        yield "FilesAnalyzed: false"
        for checksum in package.get("checksums", ()):
            yield f"PackageChecksum: {checksum['algorithm']}: {checksum['checksumValue']}"
        yield f"PackageLicenseConcluded: {package['licenseConcluded']}"
        yield f"PackageLicenseDeclared: {package['licenseDeclared']}"
        yield f"PackageCopyrightText: {package['copyrightText']}"
        for reference in package.get("externalRefs", ()):
            yield f"ExternalRef: {reference['referenceCategory']} purl {reference['referenceLocator']}"
    yield ""
    for relation in document["relationships"]:
        yield "Relationship: {spdxElementId} {relationshipType} {relatedSpdxElement}".format_map(relation)
