"""A scan of one function as the scanner leaves it: files, snapshot, profile."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile, ScanStatus
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot

FUNCTION = FunctionArn.parse("arn:aws:lambda:eu-west-1:111122223333:function:checkout")
SCAN_ID = "20261121T100000000Z-0a1b2c3d"
STARTED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
FINISHED = datetime(2026, 11, 21, 10, 3, 30, tzinfo=UTC)
STORED = datetime(2026, 11, 21, 10, 3, 31, tzinfo=UTC)
PROFILE = ScanProfile("qscanner", "4.8.0-2", "get-report", ("pkg", "secret"))
PREFIX = f"scans/111122223333/eu-west-1/checkout/{SCAN_ID}/"
KEY_IN_CODE = "AKIAZ7QPLM3XEXAMPLE9"

SNAPSHOT = FunctionSnapshot(
    arn=FUNCTION,
    code_sha256="JklpzNjuO6TLDiNe6nVYWeo1Imq6bF5uaMt2L0bqp5Y=",
    last_modified=datetime(2026, 11, 21, 9, 58, 12, tzinfo=UTC),
    layers=("arn:aws:lambda:eu-west-1:111122223333:layer:shared:7",),
    runtime="python3.12",
    code_size=1_482_113,
    kms_key_arn="arn:aws:kms:eu-west-1:111122223333:key/9d0a2f5e-4c1b-4b55-8f2e-0d7b2c1a9e77",
    tags={"owner": "payments"},
)


def rule(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": "Python requests Security Update",
        "shortDescription": {"text": f"Vulnerability {number}"},
        "help": {"text": "Update the package."},
        "properties": {"severity": 4, "cve-ids": ["CVE-2023-32681"], "qds": 35, **properties},
    }


def software(name: str, installed: str, fixed: str | None = None) -> dict[str, Any]:
    return {"name": name, "installedVersion": installed, "fixedVersion": fixed, "layerSHA": "sha256:5f70bf18a086"}


def result(number: int, *named: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "ruleId": str(number),
        "level": "error",
        "message": {"text": "requests 2.19.0 is vulnerable"},
        "properties": {"QID": number, "vulnerableSoftware": list(named), **properties},
    }


def sarif(*results: object, rules: list[Any] | None = None) -> dict[str, Any]:
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": {"name": "Qualys QScanner", "rules": rules or []}}, "results": list(results)},
        ],
    }


REPORT = sarif(
    result(995101, software("requests", "2.19.0", "2.31.0"), software("urllib3", "1.23", "1.26.5")),
    result(995202, software("PyYAML", "5.1", "5.4"), severity=5),
    rules=[rule(995101), rule(995202, severity=3, **{"cve-ids": ["CVE-2020-14343", "CVE-2020-1747"]})],
)

SCAN_RESULT: dict[str, Any] = {
    "Metadata": {
        "ScannerVersion": "4.8.0-2",
        "TargetMetadata": {"ImageMetadata": {"RepoTags": ["latest", "lambdascan:1763614101"]}},
    },
    "SecretResults": [
        {
            "Target": "var/task/settings.py",
            "Secrets": [
                {
                    "RuleID": "aws-access-key-id",
                    "Category": "AWS",
                    "Severity": "CRITICAL",
                    "Title": "AWS Access Key ID",
                    "StartLine": 12,
                    "EndLine": 12,
                    "Match": f'AWS_ACCESS_KEY_ID = "{KEY_IN_CODE}"',
                    "Code": {"Lines": [{"Number": 12, "Content": f'AWS_ACCESS_KEY_ID = "{KEY_IN_CODE}"'}]},
                }
            ],
        }
    ],
}

CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"component": {"type": "application", "name": "checkout"}},
    "components": [
        {
            "type": "library",
            "name": "requests",
            "version": "2.19.0",
            "purl": "pkg:pypi/requests@2.19.0",
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "evidence": {"occurrences": [{"location": "var/task/requests-2.19.0.dist-info/METADATA"}]},
        },
        {"type": "library", "name": "urllib3", "version": "1.23", "purl": "pkg:pypi/urllib3@1.23"},
        {
            "type": "library",
            "name": "pyyaml",
            "version": "5.1",
            "purl": "pkg:pypi/pyyaml@5.1",
            "properties": [{"name": "syft:location:0:path", "value": "/var/task/PyYAML-5.1.dist-info/METADATA"}],
        },
        {"type": "operating-system", "name": "amzn", "version": "2023"},
    ],
}

WHOLE: Mapping[ArtifactName, object] = {
    ArtifactName.SCAN_RESULT: SCAN_RESULT,
    ArtifactName.SARIF: REPORT,
    ArtifactName.CYCLONEDX: CYCLONEDX,
    ArtifactName.STDERR: b"level=info msg=done\n",
}


def artifact(name: ArtifactName, content: object) -> Artifact:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Artifact(name, len(data), lambda: io.BytesIO(data))


def scanned(files: Mapping[ArtifactName, object] = WHOLE, **changes: Any) -> Scanned:
    fields: dict[str, Any] = {
        "status": ScanStatus.SUCCESS,
        "exit_code": 0,
        "started_at": STARTED,
        "finished_at": FINISHED,
        "artifacts": tuple(artifact(name, content) for name, content in files.items()),
    }
    return Scanned(**fields | changes)
