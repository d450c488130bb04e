from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.findings import Draft, Drafts, FindingKind
from hub.scans import Severity
from hub.secret_findings import read
from tests.hub.broken import JSON, broken
from tests.hub.samples import KEY_IN_CODE, SCAN_RESULT


def drafts_of(document: object) -> list[Draft]:
    drafts = Drafts(1000)
    read(document, drafts)
    return drafts.sorted()


def with_secret(**fields: Any) -> dict[str, Any]:
    return {"SecretResults": [{"Target": "var/task/settings.py", "Secrets": [fields]}]}


def test_a_secret_is_where_it_was_found_without_its_value() -> None:
    (found,) = drafts_of(SCAN_RESULT)
    assert found == Draft(
        kind=FindingKind.SECRET,
        severity=Severity.CRITICAL,
        title="AWS Access Key ID",
        rule_id="aws-access-key-id",
        path="var/task/settings.py",
        start_line=12,
        category="AWS",
    )


@pytest.mark.parametrize(
    "document",
    [
        {"SecretResults": [{"Target": "a.py", "Details": [{"RuleID": "r", "Severity": "LOW", "StartLine": 3}]}]},
        {"secretResults": [{"target": "a.py", "secrets": [{"ruleId": "r", "severity": "low", "startLine": "3"}]}]},
        {"secret_results": [{"target": "a.py", "details": [{"rule_id": "r", "severity": "Low", "start_line": 3.0}]}]},
    ],
)
def test_every_spelling_of_the_keys_is_read(document: object) -> None:
    (found,) = drafts_of(document)
    assert (found.rule_id, found.severity, found.path, found.start_line) == ("r", Severity.LOW, "a.py", 3)


def test_a_severity_that_is_not_told_counts_as_high() -> None:
    assert [one.severity for one in drafts_of(with_secret(RuleID="r"))] == [Severity.HIGH]
    assert [one.severity for one in drafts_of(with_secret(RuleID="r", Severity={"a": 1}))] == [Severity.HIGH]


def test_a_secret_without_a_rule_is_a_finding_all_the_same() -> None:
    (found,) = drafts_of(with_secret(Match="x"))
    assert (found.rule_id, found.title) == ("unknown", "unknown")


def test_a_value_quoted_in_the_title_is_removed() -> None:
    (found,) = drafts_of(with_secret(RuleID="r", Title=f"key {KEY_IN_CODE} in code", Match=f'K="{KEY_IN_CODE}"'))
    assert found.title == "key [redacted] in code"
    (found,) = drafts_of(with_secret(RuleID="r", Category="hunter two", Code=[{"Lines": ["hunter two"]}]))
    assert found.category == "[redacted]"


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.text(min_size=1, max_size=12), st.just(KEY_IN_CODE), max_size=6))
def test_no_key_beside_the_known_ones_gets_through(extra: dict[str, str]) -> None:
    known = {"ruleid", "category", "severity", "title", "startline", "endline"}
    unknown = {k: v for k, v in extra.items() if k.casefold().replace("_", "").replace("-", "") not in known}
    found = drafts_of(with_secret(RuleID="r", Title=f"found {KEY_IN_CODE}", Value=KEY_IN_CODE, **unknown))
    assert KEY_IN_CODE not in repr(found)


def test_entries_that_cannot_be_read_are_counted() -> None:
    drafts = Drafts(10)
    document = {"SecretResults": [7, {"Secrets": [1, {"RuleID": "r"}]}, {"Details": "none"}, {"Target": "a.py"}]}
    assert read(document, drafts)
    assert drafts.skipped == 3
    assert len(drafts.sorted()) == 1


@pytest.mark.parametrize(("value", "readable"), [(None, True), ([], True), ({}, False), ("none", False)])
def test_a_list_of_secrets_that_is_none_is_told(value: object, readable: bool) -> None:
    assert read({"SecretResults": value}, Drafts(10)) is readable


@settings(deadline=None)  # the machine may be busy
@given(broken(SCAN_RESULT))
def test_no_wrong_type_at_any_level_raises(document: object) -> None:
    assert KEY_IN_CODE not in repr(drafts_of(document))


@settings(deadline=None)  # the machine may be busy
@given(JSON)
def test_nothing_raises_on_any_json(document: object) -> None:
    drafts_of(document)
