"""`Report.sarif.json`: the vulnerabilities as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from typing import Any
from urllib.parse import quote

from infra.local.qscanner import NAME, NOTICE, VERSION
from infra.local.qscanner.advisories import Finding, Severity
from infra.local.qscanner.documents import timestamp
from infra.local.qscanner.scan import Scan

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFORMATIONAL: "none",
}


def sarif(scan: Scan) -> dict[str, Any]:
    """The document: one rule and one result for each advisory, however many packages it speaks of."""
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": NAME,
                        "version": VERSION,
                        "fullDescription": {"text": NOTICE},
                        "rules": [_rule(finding) for finding in scan.findings],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "startTimeUtc": timestamp(scan.started_at),
                        "endTimeUtc": timestamp(scan.finished_at),
                    }
                ],
                "results": [_result(finding, index) for index, finding in enumerate(scan.findings)],
                "properties": {"note": NOTICE, "target": scan.target.name},
            }
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    advisory = finding.advisory
    names = ", ".join(dict.fromkeys(one.package.name for one in finding.affected))
    return {
        "id": str(advisory.qid),
        "name": advisory.cve,
        "shortDescription": {"text": advisory.title},
        "help": {"text": f"Renew {names}. See {advisory.url}."},
        "helpUri": advisory.url,
        "properties": {
            "severity": int(advisory.severity),
            "cve-ids": [advisory.cve],
            "ghsa-id": advisory.ghsa,
            "qds": advisory.score,
            "published": advisory.published,
        },
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    advisory = finding.advisory
    places = ", ".join(f"{one.package.name} {one.package.version}" for one in finding.affected)
    return {
        "ruleId": str(advisory.qid),
        "ruleIndex": index,
        "level": _LEVELS[advisory.severity],
        "message": {"text": f"{advisory.cve} in {places}: {advisory.title}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": quote(one.package.location)}}} for one in finding.affected
        ],
        "properties": {
            "QID": advisory.qid,
            "severity": int(advisory.severity),
            "vulnerableSoftware": [
                {
                    "name": one.package.name,
                    "installedVersion": one.package.version,
                    "fixedVersion": one.fixed,
                    "layerSHA": one.package.layer,
                }
                for one in finding.affected
            ],
        },
    }
