import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.findings import Draft, Drafts, FindingKind
from hub.sarif import NotSarif, read
from hub.scans import Severity
from tests.hub.broken import broken
from tests.hub.samples import REPORT, result, rule, sarif, software


def drafts_of(document: object) -> list[Draft]:
    drafts = Drafts(1000)
    read(document, drafts)
    return drafts.sorted()


def only(document: object) -> Draft:
    (draft,) = drafts_of(document)
    return draft


def test_one_result_gives_one_finding_a_package() -> None:
    found = drafts_of(REPORT)
    assert [(one.severity, one.qid, one.package, one.installed_version, one.fixed_version) for one in found] == [
        (Severity.CRITICAL, 995202, "PyYAML", "5.1", "5.4"),
        *sorted(
            [
                (Severity.HIGH, 995101, "requests", "2.19.0", "2.31.0"),
                (Severity.HIGH, 995101, "urllib3", "1.23", "1.26.5"),
            ],
            key=lambda row: next(one.id for one in found if one.package == row[2]),
        ),
    ]
    worst = found[0]
    assert worst.kind is FindingKind.VULNERABILITY
    assert worst.cves == {"CVE-2020-14343", "CVE-2020-1747"}
    assert worst.title == "Vulnerability 995202"
    assert worst.qds == 35
    assert worst.layer == "sha256:5f70bf18a086"
    assert worst.rule_id == "995202"


@pytest.mark.parametrize(
    ("of_result", "of_rule", "level", "expected"),
    [
        (2, 5, "error", Severity.LOW),
        (None, 3, "error", Severity.MEDIUM),
        ("4", 1, "note", Severity.HIGH),
        ("CRITICAL", 1, "note", Severity.CRITICAL),
        (["5"], "?", "error", Severity.CRITICAL),
        (None, None, "warning", Severity.MEDIUM),
        (None, None, "note", Severity.LOW),
        (None, None, "none", Severity.INFORMATIONAL),
        (None, None, None, Severity.INFORMATIONAL),
        (None, None, 7, Severity.INFORMATIONAL),
        (9, None, "note", Severity.CRITICAL),
        (True, None, "error", Severity.CRITICAL),
    ],
)
def test_severity_is_the_results_own_then_its_rules_then_from_the_level(
    of_result: object, of_rule: object, level: object, expected: Severity
) -> None:
    document = sarif(
        result(1, software("a", "1"), severity=of_result) | {"level": level}, rules=[rule(1, severity=of_rule)]
    )
    assert only(document).severity is expected


def test_a_missing_level_is_that_of_the_rule() -> None:
    document = sarif({"ruleId": "R1"}, rules=[{"id": "R1", "defaultConfiguration": {"level": "error"}}])
    assert only(document).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("qid", "rule_id", "expected"),
    [
        (38794, "x", 38794),
        ("38794", "x", 38794),
        ("QID-38794", "x", 38794),
        (None, "38794", 38794),
        (None, "QID-38794", 38794),
        (None, "qid 38794", 38794),
        (None, "CVE-2021-44228", None),
        (None, "log4j-2", None),
        (0, "0", None),
        ([1], "rule", None),
        (None, "9" * 400, None),
    ],
)
def test_the_qid_is_stated_or_the_number_that_the_rule_is_called(
    qid: object, rule_id: str, expected: int | None
) -> None:
    assert only(sarif({"ruleId": rule_id, "properties": {"QID": qid}})).qid == expected


def test_a_qid_alone_is_enough() -> None:
    found = only(sarif({"properties": {"QID": 38794}}))
    assert (found.rule_id, found.title) == ("38794", "38794")


def test_cves_come_from_rule_result_and_rule_id_and_nothing_else_is_taken_for_one() -> None:
    document = sarif(
        {"ruleId": "cve-2021-44228", "properties": {"cve-ids": "CVE-2021-45046, CVE-2021-45105"}},
        rules=[{"id": "cve-2021-44228", "properties": {"cve-ids": ["CVE-2021-44832", 7, None, "GHSA-jfh8-c2jp-5v3q"]}}],
    )
    assert only(document).cves == {"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"}


def test_a_rule_is_found_by_index_too() -> None:
    rules = [rule(1), rule(2, severity=5)]
    assert only(sarif({"ruleIndex": 1}, rules=rules)).qid == 2
    assert only(sarif({"rule": {"index": 1}}, rules=rules)).severity is Severity.CRITICAL
    assert only(sarif({"rule": {"id": "2"}}, rules=rules)).severity is Severity.CRITICAL
    assert only(sarif({"ruleId": "x", "ruleIndex": 99}, rules=rules)).severity is Severity.INFORMATIONAL


def test_the_file_comes_from_the_first_location_that_names_one() -> None:
    location = {"physicalLocation": {"artifactLocation": {"uri": "var/task/lib/log4j-core-2.14.1.jar"}}}
    assert only(sarif(result(1) | {"locations": [3, {}, location]})).path == "var/task/lib/log4j-core-2.14.1.jar"


def test_what_was_checked_and_found_well_is_no_finding() -> None:
    assert drafts_of(sarif(result(1) | {"kind": "pass"}, result(2) | {"kind": "notApplicable"})) == []
    assert len(drafts_of(sarif(result(1) | {"kind": "fail"}, result(2) | {"kind": ["pass"]}))) == 2


def test_the_same_package_named_twice_is_one_finding_with_the_worst_of_both() -> None:
    first = result(1, software("a", "1", "2"), severity=2)
    second = result(1, software("a", "1"), severity=5)
    one, other = only(sarif(first, second)), only(sarif(second, first))
    assert one == other
    assert (one.severity, one.fixed_version) == (Severity.CRITICAL, "2")


def test_entries_that_cannot_be_read_are_counted() -> None:
    drafts = Drafts(10)
    read(sarif(7, None, [], {}, {"message": {"text": "no rule"}}, result(1)), drafts)
    assert drafts.skipped == 5
    assert len(drafts.sorted()) == 1


def test_packages_that_cannot_be_read_leave_the_finding_without_one() -> None:
    found = only(sarif(result(1, properties=None) | {"properties": {"vulnerableSoftware": [1, {"name": ["a"]}, {}]}}))
    assert found.package is None


@pytest.mark.parametrize("document", [None, [], "report", {}, {"runs": None}, {"runs": {}}, {"Runs": []}])
def test_what_is_no_report_is_refused(document: object) -> None:
    with pytest.raises(NotSarif):
        read(document, Drafts(10))


@pytest.mark.parametrize(
    ("run", "complete"),
    [
        ({"results": []}, True),
        ({"results": [], "invocations": [{"executionSuccessful": True}]}, True),
        ({"results": [], "invocations": [{"executionSuccessful": False}]}, False),
        ({}, False),
        ({"results": None}, False),
        (7, False),
    ],
)
def test_a_run_that_could_not_tell_leaves_the_report_incomplete(run: object, complete: bool) -> None:
    assert read({"runs": [{"results": []}, run]}, Drafts(10)) is complete


@settings(deadline=None)  # the machine may be busy
@given(broken(REPORT))
def test_no_wrong_type_at_any_level_raises(document: object) -> None:
    try:
        found = drafts_of(document)
    except NotSarif:
        return
    assert all(json.dumps([one.title, one.package, one.rule_id]).isascii() and len(one.id) == 32 for one in found)


@settings(deadline=None)  # the machine may be busy
@given(st.permutations(REPORT["runs"][0]["results"]))
def test_the_order_of_results_changes_nothing(results: list[dict[str, Any]]) -> None:
    assert drafts_of(sarif(*results, rules=REPORT["runs"][0]["tool"]["driver"]["rules"])) == drafts_of(REPORT)
