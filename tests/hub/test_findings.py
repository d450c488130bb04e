import json
from dataclasses import replace

import pytest

from hub.findings import Draft, Drafts, Finding, FindingKind, Scope, finding_document, severities
from hub.scans import Severity
from tests.hub.samples import FUNCTION, SCAN_ID, SNAPSHOT

VULNERABILITY = Draft(
    kind=FindingKind.VULNERABILITY,
    severity=Severity.HIGH,
    title="Vulnerability 995101",
    rule_id="995101",
    qid=995101,
    cves=frozenset({"CVE-2023-32681", "CVE-2018-18074"}),
    package="requests",
    installed_version="2.19.0",
)
SECRET = Draft(
    kind=FindingKind.SECRET, severity=Severity.LOW, title="Key", rule_id="key", path="var/task/a.py", start_line=3
)


@pytest.mark.parametrize(
    ("draft", "changes", "same"),
    [
        (VULNERABILITY, {"title": "x", "severity": Severity.LOW, "fixed_version": "3", "qds": 9, "layer": "l"}, True),
        (VULNERABILITY, {"rule_id": "QID-995101"}, True),
        (VULNERABILITY, {"path": "elsewhere"}, True),
        (VULNERABILITY, {"qid": 995102}, False),
        (VULNERABILITY, {"qid": None}, False),
        (VULNERABILITY, {"package": "urllib3"}, False),
        (VULNERABILITY, {"installed_version": "2.19.1"}, False),
        (VULNERABILITY, {"kind": FindingKind.SECRET}, False),
        (SECRET, {"title": "x", "severity": Severity.HIGH, "category": "c"}, True),
        (SECRET, {"rule_id": "other"}, False),
        (SECRET, {"path": "b.py"}, False),
        (SECRET, {"start_line": 4}, False),
    ],
)
def test_the_id_stays_while_the_finding_does(draft: Draft, changes: dict[str, object], same: bool) -> None:
    assert (replace(draft, **changes).id == draft.id) is same  # type: ignore[arg-type]  # parametrized


def test_the_id_is_that_of_earlier_releases() -> None:
    # Suppressions hold on to ids: a change of how they are made must be a decision, not an accident.
    assert VULNERABILITY.id == "c4d50af1243bcc176e8721be62d92b90"
    assert SECRET.id == "59e2af6e89ee31067c5a8fb57dea4475"


def test_the_worst_come_first() -> None:
    drafts = Drafts(10)
    for severity in (Severity.LOW, Severity.CRITICAL, Severity.INFORMATIONAL, Severity.HIGH, Severity.MEDIUM):
        drafts.add(replace(VULNERABILITY, severity=severity, package=severity.value))
    assert [one.severity for one in drafts.sorted()] == list(reversed(Severity))


def test_drafts_beyond_the_limit_are_told() -> None:
    drafts = Drafts(1)
    drafts.add(VULNERABILITY)
    drafts.add(VULNERABILITY)
    before = drafts.truncated
    drafts.add(SECRET)
    assert (before, drafts.truncated) == (False, True)
    assert drafts.sorted() == [VULNERABILITY]


def test_merging_takes_the_worst_and_keeps_what_either_knows() -> None:
    one = replace(VULNERABILITY, qds=35, layer="b", path=None)
    other = replace(
        VULNERABILITY, severity=Severity.CRITICAL, cves=frozenset({"CVE-2020-1"}), qds=90, layer="a", path="p"
    )
    merged = one.merged(other)
    assert merged == other.merged(one)
    assert (merged.severity, merged.qds, merged.layer, merged.path) == (Severity.CRITICAL, 90, "a", "p")
    assert merged.cves == {"CVE-2023-32681", "CVE-2018-18074", "CVE-2020-1"}


def test_severities_count_vulnerabilities_alone() -> None:
    counted = severities([VULNERABILITY, SECRET])
    assert list(counted) == list(Severity)
    assert counted == dict.fromkeys(Severity, 0) | {Severity.HIGH: 1}


def test_a_finding_is_stored_in_camel_case_and_read_back() -> None:
    scope = Scope(replace(FUNCTION, qualifier="live"), SNAPSHOT.fingerprint, SCAN_ID)
    finding = scope.finding(VULNERABILITY, "pkg:pypi/requests@2.19.0")
    document = json.loads(finding.line())
    assert document == finding_document(finding)
    assert document == {
        "schemaVersion": 1,
        "kind": "vulnerability",
        "id": VULNERABILITY.id,
        "functionArn": str(FUNCTION),
        "account": "111122223333",
        "region": "eu-west-1",
        "fingerprint": SNAPSHOT.fingerprint,
        "scanId": SCAN_ID,
        "severity": "high",
        "title": "Vulnerability 995101",
        "qid": 995101,
        "cves": ["CVE-2018-18074", "CVE-2023-32681"],
        "ruleId": "995101",
        "qds": None,
        "package": {
            "name": "requests",
            "installedVersion": "2.19.0",
            "fixedVersion": None,
            "purl": "pkg:pypi/requests@2.19.0",
            "layer": None,
        },
        "path": None,
        "startLine": None,
        "category": None,
    }
    assert Finding.model_validate_json(json.dumps(document | {"fieldOfALaterVersion": 1})) == finding
    assert scope.finding(SECRET, None).package is None
