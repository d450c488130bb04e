import json
from datetime import UTC, datetime

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from hub.findings import FindingKind
from hub.reading import read
from hub.scanned import ArtifactName, Scanned
from hub.scans import ScanStatus, Severity
from worker.memory.artifacts import OLD_REQUESTS, Package, Secret, Vulnerability, cyclonedx, memory_artifacts, sarif
from worker.memory.scanner import PROFILE

LOG4J = Package("org.apache.logging.log4j:log4j-core", "2.14.1", "maven")
LOG4SHELL = Vulnerability(376157, "CVE-2021-44228", "Log4Shell", Severity.CRITICAL, LOG4J, "2.15.0")
KEY = Secret("aws-access-key-id", "AWS", Severity.CRITICAL, "AWS access key", "app/config.py", 3)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_the_hub_reads_out_of_the_files_is_what_was_put_in() -> None:
    artifacts = memory_artifacts(vulnerabilities=(OLD_REQUESTS, LOG4SHELL), secrets=(KEY,), stderr=b"done\n")
    scanned = Scanned(status=ScanStatus.SUCCESS, exit_code=0, started_at=AT, finished_at=AT, artifacts=artifacts)
    reading = read(scanned, PROFILE)
    assert not reading.reasons
    found = sorted((draft.kind, draft.severity, draft.title) for draft in reading.drafts)
    assert found == [
        (FindingKind.SECRET, Severity.CRITICAL, "AWS access key"),
        (FindingKind.VULNERABILITY, Severity.CRITICAL, "Log4Shell"),
        (FindingKind.VULNERABILITY, Severity.HIGH, OLD_REQUESTS.title),
    ]
    assert {(package.name, package.version) for package in reading.inventory.packages} == {
        ("requests", "2.19.1"),
        ("org.apache.logging.log4j:log4j-core", "2.14.1"),
    }
    assert reading.scan_tag == "1767225600"
    assert [artifact.name for artifact in artifacts][-1] is ArtifactName.STDERR


def test_a_missing_report_and_tag_are_missing() -> None:
    artifacts = memory_artifacts(report=False, tag=None)
    assert [artifact.name for artifact in artifacts] == [ArtifactName.SCAN_RESULT, ArtifactName.CYCLONEDX]
    with artifacts[0].open() as file:
        assert json.load(file)["Metadata"]["TargetMetadata"] == {"ImageMetadata": {}}


def test_the_inventory_is_cyclonedx() -> None:
    document = cyclonedx([LOG4J, Package("@babel/core", "7.0.0", "npm")]).decode()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(document) is None
    assert [one["purl"] for one in json.loads(document)["components"]] == [
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        "pkg:npm/%40babel/core@7.0.0",
    ]


@pytest.mark.parametrize("severity", list(Severity))
def test_levels_are_sarifs_own(severity: Severity) -> None:
    report = json.loads(sarif([Vulnerability(1, "CVE-2020-0001", "x", severity, LOG4J)]))
    level = {"type": "string", "enum": ["none", "note", "warning", "error"]}
    jsonschema.validate(report["runs"][0]["results"][0]["level"], level)
    assert report["runs"][0]["results"][0]["properties"]["vulnerableSoftware"] == [
        {"name": LOG4J.name, "installedVersion": "2.14.1"}
    ]
