"""`ScanResult.json`: inventory, metadata and secrets. The licensed scanner writes no vulnerabilities there either."""

from itertools import groupby
from typing import Any

from infra.local.qscanner import NAME, NOTICE, VERSION
from infra.local.qscanner.documents import timestamp
from infra.local.qscanner.scan import Scan


def scan_result(scan: Scan) -> dict[str, Any]:
    """The document.

    A function scan carries the repository tag `lambdascan:<unix seconds>`; `SecretResults` stands there only if
    secrets were asked for.
    """
    target = scan.target
    tags = [f"lambdascan:{int(scan.started_at.timestamp())}"] if target.kind == "lambda" else []
    document: dict[str, Any] = {
        "Note": NOTICE,
        "Tool": {"Name": NAME, "Version": VERSION},
        "Target": target.name,
        "StartedAt": timestamp(scan.started_at),
        "FinishedAt": timestamp(scan.finished_at),
        "Metadata": {
            "TargetMetadata": {
                "TargetType": target.kind,
                "ImageMetadata": {"RepoTags": tags, "Sha256": target.sha256},
                "FunctionMetadata": dict(target.details),
            }
        },
        "Packages": [
            {
                "Name": package.name,
                "Version": package.version,
                "Type": str(package.ecosystem),
                "PURL": package.purl,
                "Path": package.location,
                "LayerSHA": package.layer,
            }
            for package in scan.packages
        ],
        "Warnings": list(scan.warnings),
    }
    if scan.secrets is not None:
        document["SecretResults"] = [
            {
                "Target": path,
                "Secrets": [
                    {
                        "RuleID": secret.rule_id,
                        "Category": secret.category,
                        "Severity": secret.severity,
                        "Title": secret.title,
                        "StartLine": secret.start_line,
                        "EndLine": secret.end_line,
                        "Match": secret.match,
                    }
                    for secret in secrets
                ],
            }
            for path, secrets in groupby(scan.secrets, key=lambda secret: secret.target)
        ]
    return document
