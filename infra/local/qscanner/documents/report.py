"""The other forms of the report: JSON, GitLab's, and a table for people."""

from typing import Any

from infra.local.qscanner import NAME, NOTICE, VERSION
from infra.local.qscanner.advisories import Finding
from infra.local.qscanner.documents import timestamp
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.scan import Scan

_MANAGERS = {Ecosystem.PYPI: "pip", Ecosystem.NPM: "npm", Ecosystem.MAVEN: "maven"}


def report(scan: Scan) -> dict[str, Any]:
    """`Report.json`. The licensed scanner's shape is not known; this one is the stand-in's own."""
    return {
        "note": NOTICE,
        "tool": {"name": NAME, "version": VERSION},
        "target": scan.target.name,
        "finishedAt": timestamp(scan.finished_at),
        "vulnerabilities": [
            {
                "qid": finding.advisory.qid,
                "cve": finding.advisory.cve,
                "ghsa": finding.advisory.ghsa,
                "severity": int(finding.advisory.severity),
                "title": finding.advisory.title,
                "url": finding.advisory.url,
                "packages": [
                    {
                        "name": one.package.name,
                        "version": one.package.version,
                        "fixedVersion": one.fixed,
                        "path": one.package.location,
                    }
                    for one in finding.affected
                ],
            }
            for finding in scan.findings
        ],
    }


def gitlab(scan: Scan) -> dict[str, Any]:
    """`gitlab_vuln_report.json`: GitLab's dependency scanning report, form 15.0.

    See https://gitlab.com/gitlab-org/security-products/security-report-schemas.
    """
    tool = {"id": "qscanner-stand-in", "name": NAME, "version": VERSION, "vendor": {"name": "scanhub"}}
    files: dict[tuple[str, str], list[Package]] = {}
    for package in scan.packages:
        files.setdefault((package.location, _MANAGERS[package.ecosystem]), []).append(package)
    return {
        "version": "15.0.7",
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "dependency_scanning",
            "status": "success",
            "start_time": f"{scan.started_at:%Y-%m-%dT%H:%M:%S}",
            "end_time": f"{scan.finished_at:%Y-%m-%dT%H:%M:%S}",
            "messages": [{"level": "info", "value": NOTICE}],
        },
        "vulnerabilities": [entry for finding in scan.findings for entry in _gitlab_entries(finding)],
        "dependency_files": [
            {"path": path, "package_manager": manager, "dependencies": [_dependency(one) for one in packages]}
            for (path, manager), packages in files.items()
        ],
    }


def table(scan: Scan) -> str:
    """The findings as lines of text, for stdout."""
    rows = [("SEVERITY", "QID", "ID", "PACKAGE", "INSTALLED", "FIXED")]
    rows += [
        (
            finding.advisory.severity.name,
            str(finding.advisory.qid),
            finding.advisory.cve,
            one.package.name,
            one.package.version,
            one.fixed,
        )
        for finding in scan.findings
        for one in finding.affected
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([NOTICE, "", *lines, ""])


def _gitlab_entries(finding: Finding) -> list[dict[str, Any]]:
    advisory = finding.advisory
    return [
        {
            "id": f"{advisory.qid}:{one.package.purl}:{one.package.location}",
            "name": advisory.title,
            "description": f"{advisory.cve} in {one.package.name} {one.package.version}",
            "severity": advisory.severity.name.capitalize(),
            "solution": f"Renew {one.package.name} to {one.fixed}.",
            "identifiers": [
                {"type": "cve", "name": advisory.cve, "value": advisory.cve},
                {"type": "ghsa", "name": advisory.ghsa, "value": advisory.ghsa, "url": advisory.url},
            ],
            "links": [{"url": advisory.url}],
            "location": {"file": one.package.location, "dependency": _dependency(one.package)},
        }
        for one in finding.affected
    ]


def _dependency(package: Package) -> dict[str, Any]:
    return {"package": {"name": package.name}, "version": package.version}
