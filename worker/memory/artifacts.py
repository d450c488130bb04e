"""Scanner files made in memory, in the shapes that the real ones have."""

import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from hub.scanned import Artifact, ArtifactName
from hub.scans import Severity

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    Attributes:
        name: As its ecosystem spells it; a Maven one as `group:artifact`.
        version: Installed.
        ecosystem: The purl type: `pypi`, `npm`, `maven`, ...
    """

    name: str
    version: str
    ecosystem: str = "pypi"

    @property
    def purl(self) -> str:
        """As the specification has it (https://github.com/package-url/purl-spec)."""
        path = "/".join(quote(part, safe="") for part in re.split("[:/]", self.name))
        return f"pkg:{self.ecosystem}/{path}@{quote(self.version, safe='')}"


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One vulnerability of one package.

    Attributes:
        qid: The Qualys id.
        cve: Such as `CVE-2021-44228`.
        title: One line.
        severity: Any of the five.
        package: Where it is.
        fixed_version: None where no fix is known.
    """

    qid: int
    cve: str
    title: str
    severity: Severity
    package: Package
    fixed_version: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret left in a file."""

    rule_id: str
    category: str
    severity: Severity
    title: str
    target: str
    start_line: int


REQUESTS = Package("requests", "2.19.1")
OLD_REQUESTS = Vulnerability(
    qid=981_234,
    cve="CVE-2018-18074",
    title="Python requests: credentials sent over HTTP after a redirect",
    severity=Severity.HIGH,
    package=REQUESTS,
    fixed_version="2.20.0",
)
"""A real advisory; the QID is made up."""


def sarif(vulnerabilities: Iterable[Vulnerability], *, version: str = "0") -> bytes:
    """`report.sarif.json`: SARIF 2.1.0 with Qualys's properties. Without vulnerabilities an empty, complete report."""
    found = tuple(vulnerabilities)
    rules = {one.qid: _rule(one) for one in found}
    order = list(rules)
    driver = {"name": "qscanner", "version": version, "rules": list(rules.values())}
    results = [_result(one, order.index(one.qid)) for one in found]
    return _json(
        {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    )


def scan_result(packages: Iterable[Package], secrets: Iterable[Secret], *, tag: str | None) -> bytes:
    """`scan-result.json`: metadata and secrets, no vulnerabilities.

    Args:
        packages: Only counted.
        secrets: What was found in files.
        tag: What follows the colon in `lambdascan:<tag>`.
    """
    by_target: dict[str, list[Secret]] = {}
    for secret in secrets:
        by_target.setdefault(secret.target, []).append(secret)
    image = {"RepoTags": [f"lambdascan:{tag}"]} if tag is not None else {}
    return _json(
        {
            "Metadata": {"TargetMetadata": {"ImageMetadata": image}, "PackageCount": len(tuple(packages))},
            "SecretResults": [
                {"Target": target, "Secrets": [_secret(one) for one in found]} for target, found in by_target.items()
            ],
        }
    )


def cyclonedx(packages: Iterable[Package]) -> bytes:
    """`sbom.cdx.json`: CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/)."""
    components = [
        {"type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version, "purl": one.purl}
        for one in packages
    ]
    return _json({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components})


def memory_artifacts(
    *,
    vulnerabilities: Iterable[Vulnerability] = (OLD_REQUESTS,),
    packages: Iterable[Package] | None = None,
    secrets: Iterable[Secret] = (),
    tag: str | None = "1767225600",
    report: bool = True,
    stderr: bytes = b"",
) -> tuple[Artifact, ...]:
    """The files of one whole scan.

    Args:
        vulnerabilities: In the report.
        packages: In the inventory; the vulnerable ones if left out.
        secrets: In the scan result.
        tag: Qualys's tag of the scan, or None.
        report: Whether there is a report at all; without one nothing is known of vulnerabilities.
        stderr: What the scanner printed.
    """
    found = tuple(vulnerabilities)
    installed = tuple(dict.fromkeys(one.package for one in found) if packages is None else packages)
    contents = {ArtifactName.SCAN_RESULT: scan_result(installed, secrets, tag=tag)}
    if report:
        contents[ArtifactName.SARIF] = sarif(found)
    contents[ArtifactName.CYCLONEDX] = cyclonedx(installed)
    if stderr:
        contents[ArtifactName.STDERR] = stderr
    return artifacts_of(contents)


def artifacts_of(contents: Mapping[ArtifactName, bytes]) -> tuple[Artifact, ...]:
    """Artifacts with the given bytes, for files that are broken or odd."""
    return tuple(Artifact(name, len(content), partial(io.BytesIO, content)) for name, content in contents.items())


def _rule(one: Vulnerability) -> dict[str, Any]:
    return {
        "id": str(one.qid),
        "name": one.cve,
        "shortDescription": {"text": one.title},
        "help": {"text": one.title},
        "properties": {"severity": one.severity.rank, "cve-ids": [one.cve]},
    }


def _result(one: Vulnerability, rule_index: int) -> dict[str, Any]:
    software = {"name": one.package.name, "installedVersion": one.package.version}
    if one.fixed_version is not None:
        software["fixedVersion"] = one.fixed_version
    return {
        "ruleId": str(one.qid),
        "ruleIndex": rule_index,
        "level": _LEVELS.get(one.severity, "none"),
        "message": {"text": f"{one.package.name} {one.package.version}: {one.title}"},
        "properties": {"QID": one.qid, "severity": one.severity.rank, "vulnerableSoftware": [software]},
    }


def _secret(one: Secret) -> dict[str, Any]:
    return {
        "RuleID": one.rule_id,
        "Category": one.category,
        # The scanner's own four words: it has none for the lowest of ours.
        "Severity": "LOW" if one.severity is Severity.INFORMATIONAL else one.severity.value.upper(),
        "Title": one.title,
        "StartLine": one.start_line,
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()
