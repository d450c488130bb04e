"""What the stand-in writes, held to the public schemas of each form."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.json.json_parser import parse_from_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from infra.local.qscanner import NOTICE
from infra.local.qscanner.advisories import advisories, match
from infra.local.qscanner.documents.cyclonedx import cyclonedx
from infra.local.qscanner.documents.report import gitlab, report, table
from infra.local.qscanner.documents.sarif import sarif
from infra.local.qscanner.documents.scan_result import scan_result
from infra.local.qscanner.documents.spdx import spdx, tag_value
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.limits import Budget, Limits
from infra.local.qscanner.scan import Scan, Target
from infra.local.qscanner.secret_rules import Secret

SCHEMA = Path(__file__).parents[4] / "schemas" / "sarif-2.1.0.json"
ARN = "arn:aws:lambda:eu-central-1:210987654321:function:orders-api"
LAYER = "sha256:" + "ab" * 32
STARTED = datetime(2026, 11, 21, 22, 5, 1, 250_000, tzinfo=UTC)
SERIAL = UUID("3e671687-395b-41f5-a30f-a58921a69b79")
PACKAGES = (
    Package(Ecosystem.MAVEN, "log4j-core", "2.17.0", "lib/log4j core-2.17.0.jar", LAYER),
    Package(Ecosystem.MAVEN, "org.apache.logging.log4j:log4j-core", "2.14.1", "lib/app.jar!/BOOT-INF/lib/x.jar", LAYER),
    Package(Ecosystem.NPM, "@aws-sdk/client-s3", "3.1.0", "node_modules/@aws-sdk/client-s3/package.json", LAYER),
    Package(Ecosystem.NPM, "lodash", "4.17.4", "node_modules/lodash/package.json", LAYER),
    Package(Ecosystem.NPM, "lodash", "4.17.4", "node_modules/a/node_modules/lodash/package.json", LAYER),
    Package(Ecosystem.PYPI, "Größe", "1!2.0+local", "größe-1.dist-info/METADATA", LAYER),
)
SECRETS = (
    Secret("config.ini", 3, 3, "aws-access-key-id", "AWS", "HIGH", "AWS access key id", "AKIA****"),
    Secret("config.ini", 4, 4, "aws-secret-access-key", "AWS", "CRITICAL", "AWS secret access key", "abcd****"),
    Secret("key.pem", 1, 9, "private-key", "Asymmetric private key", "CRITICAL", "Private key in PEM form", "MIIE****"),
)


def a_scan(
    packages: tuple[Package, ...] = PACKAGES, secrets: tuple[Secret, ...] | None = SECRETS, *, directory: bool = False
) -> Scan:
    return Scan(
        target=Target(
            kind="rootfs" if directory else "lambda",
            name="/srv/app" if directory else ARN,
            prefix="orders-api-0123456789ab",
            sha256=None if directory else "ab" * 32,
            details={} if directory else {"Runtime": "java17", "CodeSha256": "q6urq6s="},
        ),
        started_at=STARTED,
        finished_at=STARTED.replace(second=4),
        packages=packages,
        secrets=secrets,
        findings=tuple(match(packages, advisories(), Budget(Limits()))),
        warnings=("lib/broken.jar: not a zip archive",),
    )


SCANS = pytest.mark.parametrize(
    "scan",
    [a_scan(), a_scan((), None), a_scan(directory=True)],
    ids=["function", "empty", "directory"],
)


@SCANS
def test_sarif_is_accepted_by_its_schema(scan: Scan) -> None:
    schema = json.loads(SCHEMA.read_text())
    document = json.loads(json.dumps(sarif(scan)))
    jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({**document, "version": "2.0.0"})


@SCANS
def test_cyclonedx_is_accepted_by_its_schema(scan: Scan) -> None:
    document = cyclonedx(scan)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert len(document["components"]) == len(scan.packages)
    document["components"] = [{"type": "library"}]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is not None


@SCANS
def test_spdx_is_accepted_by_its_validator(scan: Scan, tmp_path: Path) -> None:
    file = tmp_path / "x.spdx.json"
    file.write_text(json.dumps(spdx(scan)))
    document = parse_from_file(str(file))
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []
    assert document.creation_info.spdx_version == "SPDX-2.3"
    # No file is listed, so none may be claimed to be analysed.
    assert not any(package.files_analyzed for package in document.packages)
    assert len(document.packages) == len(scan.packages) + 1
    assert len(document.relationships) == len(scan.packages) + 1


def test_the_documents_tell_the_same_packages() -> None:
    scan = a_scan()
    purls = [package.purl for package in PACKAGES]
    assert [component["purl"] for component in cyclonedx(scan)["components"]] == purls
    assert [package["PURL"] for package in scan_result(scan)["Packages"]] == purls
    document = spdx(scan, serial=SERIAL)
    assert [one["externalRefs"][0]["referenceLocator"] for one in document["packages"][1:]] == purls
    text = tag_value(document)
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("ExternalRef: ")] == purls
    assert f"DocumentNamespace: urn:uuid:{SERIAL}" in text
    assert f"PackageChecksum: SHA256: {'ab' * 32}" in text


def test_places_stand_where_other_tools_look_for_them() -> None:
    occurrences = [component["evidence"]["occurrences"] for component in cyclonedx(a_scan())["components"]]
    assert occurrences == [[{"location": package.location}] for package in PACKAGES]


def test_groups_of_components() -> None:
    components = cyclonedx(a_scan(), serial=SERIAL)["components"]
    assert [(one.get("group"), one["name"]) for one in components[:4]] == [
        (None, "log4j-core"),
        ("org.apache.logging.log4j", "log4j-core"),
        ("@aws-sdk", "client-s3"),
        (None, "lodash"),
    ]


def test_sarif_holds_what_the_contract_says() -> None:
    run = sarif(a_scan())["runs"][0]
    rules = {rule["name"]: rule for rule in run["tool"]["driver"]["rules"]}
    rule = rules["CVE-2021-44228"]
    assert rule["properties"]["severity"] == 5
    assert rule["properties"]["cve-ids"] == ["CVE-2021-44228"]
    assert rule["properties"]["qds"] == 100
    assert rule["shortDescription"]["text"]
    assert rule["help"]["text"]
    results = {result["ruleId"]: result for result in run["results"]}
    assert set(results) == {rule["id"] for rule in rules.values()}
    assert results[rule["id"]]["level"] == "error"
    assert results[rule["id"]]["properties"] == {
        "QID": int(rule["id"]),
        "severity": 5,
        "vulnerableSoftware": [
            {
                "name": "org.apache.logging.log4j:log4j-core",
                "installedVersion": "2.14.1",
                "fixedVersion": "2.15.0",
                "layerSHA": LAYER,
            }
        ],
    }
    both = results[rules["CVE-2021-44832"]["id"]]
    assert [one["name"] for one in both["properties"]["vulnerableSoftware"]] == [
        "log4j-core",
        "org.apache.logging.log4j:log4j-core",
    ]
    assert both["level"] == "warning"
    assert results[rules["CVE-2018-3721"]["id"]]["level"] == "note"
    for index, result in enumerate(run["results"]):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["ruleIndex"] == index


def test_the_scan_result_holds_no_vulnerability_and_the_tag_of_a_function_scan() -> None:
    document = scan_result(a_scan())
    assert "CVE" not in json.dumps(document)
    assert document["Metadata"]["TargetMetadata"]["ImageMetadata"]["RepoTags"] == [
        f"lambdascan:{int(STARTED.timestamp())}"
    ]
    assert document["Warnings"] == ["lib/broken.jar: not a zip archive"]
    assert [(one["Target"], len(one["Secrets"])) for one in document["SecretResults"]] == [
        ("config.ini", 2),
        ("key.pem", 1),
    ]
    assert document["SecretResults"][0]["Secrets"][0] == {
        "RuleID": "aws-access-key-id",
        "Category": "AWS",
        "Severity": "HIGH",
        "Title": "AWS access key id",
        "StartLine": 3,
        "EndLine": 3,
        "Match": "AKIA****",
    }


def test_secrets_nobody_asked_for_have_no_place_in_the_scan_result() -> None:
    assert "SecretResults" not in scan_result(a_scan(secrets=None))
    assert scan_result(a_scan(secrets=()))["SecretResults"] == []


def test_the_other_reports_name_every_place() -> None:
    scan = a_scan()
    places = sum(len(finding.affected) for finding in scan.findings)
    assert sum(len(one["packages"]) for one in report(scan)["vulnerabilities"]) == places
    entries = gitlab(scan)["vulnerabilities"]
    assert len(entries) == places == len({entry["id"] for entry in entries})
    assert entries[0]["severity"] == "Critical"
    assert sum(len(one["dependencies"]) for one in gitlab(scan)["dependency_files"]) == len(PACKAGES)
    rows = table(scan).splitlines()[2:]
    assert rows[0].split() == ["SEVERITY", "QID", "ID", "PACKAGE", "INSTALLED", "FIXED"]
    assert len(rows) == places + 1


@pytest.mark.parametrize("build", [scan_result, sarif, report, gitlab, spdx, cyclonedx])
def test_every_document_says_that_it_is_a_stand_ins(build: Callable[[Scan], dict[str, Any]]) -> None:
    assert NOTICE in json.dumps(build(a_scan()))


def test_so_do_the_texts() -> None:
    assert NOTICE in table(a_scan())
    assert NOTICE in tag_value(spdx(a_scan()))
