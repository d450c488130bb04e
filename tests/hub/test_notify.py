import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from hub import notify
from hub.notification import Notification, NotificationKind
from hub.scans import PolicyVerdict, ScanStatus, ScanSummary, Severity
from tests.hub.samples import FINISHED, FUNCTION, PREFIX, SCAN_ID

SUMMARY = ScanSummary(
    scan_id=SCAN_ID,
    status=ScanStatus.PARTIAL,
    manifest_key=f"{PREFIX}manifest.json",
    completed_at=FINISHED,
    fresh_until=FINISHED,
    reasons=("os_not_found",),
    severities={Severity.INFORMATIONAL: 4, Severity.HIGH: 2, Severity.CRITICAL: 1},
    secrets=1,
    packages=41,
    policy=PolicyVerdict.DENY,
    scan_tag="1763614101",
)
FOUND = Notification(
    kind=NotificationKind.FINDINGS, function=FUNCTION, reason="1 critical, 2 high, 1 secret", summary=SUMMARY
)
FAILED = Notification(kind=NotificationKind.FAILED, function=FUNCTION, reason="the scanner ran over time (3600 s)")
CIRCUIT = Notification(
    kind=NotificationKind.CIRCUIT,
    reason="qscanner: Qualys refuses the access token (exit 21)",
    since=datetime(2026, 11, 21, 23, 4, 5, tzinfo=timezone(timedelta(hours=1))),
)


@pytest.mark.parametrize(
    ("severities", "secrets", "threshold", "expected"),
    [
        ({Severity.HIGH: 1}, 0, Severity.HIGH, True),
        ({Severity.CRITICAL: 1}, 0, Severity.HIGH, True),
        ({Severity.MEDIUM: 9}, 0, Severity.HIGH, False),
        ({Severity.CRITICAL: 0}, 0, Severity.INFORMATIONAL, False),
        ({Severity.INFORMATIONAL: 1}, 0, Severity.INFORMATIONAL, True),
        ({}, 1, Severity.CRITICAL, True),
        ({}, 0, Severity.INFORMATIONAL, False),
    ],
)
def test_what_is_worth_telling(
    severities: dict[Severity, int], secrets: int, threshold: Severity, expected: bool
) -> None:
    assert notify.worth_telling(replace(SUMMARY, severities=severities, secrets=secrets), threshold) is expected


def test_findings_in_words() -> None:
    assert notify.found(SUMMARY) == "1 critical, 2 high, 4 informational, 1 secret"
    assert notify.found(replace(SUMMARY, severities={}, secrets=2)) == "2 secrets"
    assert notify.found(replace(SUMMARY, severities={}, secrets=0)) == "nothing"


def test_of_the_circuit_a_person_reads_what_happened_since_when_and_what_to_do() -> None:
    assert notify.subject(CIRCUIT) == "scanhub: Qualys does not take our scans"
    text = notify.body(CIRCUIT)
    assert text.startswith(
        "Qualys does not take our scans.\n"
        "\n"
        "Reason:   qscanner: Qualys refuses the access token (exit 21)\n"
        "Since:    2026-11-21 22:04:05 UTC\n"
        "\n"
        "From then on nothing is scanned. No message is lost: all wait in their queues"
    )
    assert '"qualys_access_token"' in text
    assert "nothing needs to be restarted" in text
    assert max(map(len, text.splitlines())) <= 120


def test_of_the_circuit_a_program_reads_the_same_fields_without_a_function() -> None:
    document = notify.document(CIRCUIT)
    assert document.keys() == notify.document(FOUND).keys()
    assert {name: value for name, value in document.items() if value is not None} == {
        "schemaVersion": 1,
        "kind": "circuit",
        "reason": "qscanner: Qualys refuses the access token (exit 21)",
        "since": "2026-11-21T22:04:05+00:00",
    }
    texts = json.loads(notify.messages(CIRCUIT))
    assert json.loads(texts["sqs"]) == document
    assert (texts["default"], texts["sms"]) == (notify.body(CIRCUIT), notify.subject(CIRCUIT))
    assert notify.attributes(CIRCUIT) == {"kind": "circuit"}


def test_the_subject_says_what_and_where() -> None:
    assert notify.subject(FOUND).startswith("scanhub: 1 critical, 2 high, 4 informational, 1 secret in checkout (1111")
    assert notify.subject(FAILED) == "scanhub: scan failed in checkout (111122223333, eu-west-1)"
    assert "findings" in notify.subject(replace(FOUND, summary=None))


@pytest.mark.parametrize("name", ["f" * 140, "naïve\nfunction\x07"])
def test_the_subject_keeps_to_the_rules_of_sns(name: str) -> None:
    subject = notify.subject(replace(FOUND, function=replace(FUNCTION, name=name)))
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()


def test_the_body_is_read_by_a_person() -> None:
    assert notify.body(FOUND) == (
        "Findings in a Lambda function.\n"
        "\n"
        f"Function: {FUNCTION}\n"
        "Account:  111122223333\n"
        "Region:   eu-west-1\n"
        "Found:    1 critical, 2 high, 1 secret\n"
        "Status:   partial (os_not_found)\n"
        "Packages: 41\n"
        "Scanned:  2026-11-21 10:03:30 UTC\n"
        f"Result:   {PREFIX}manifest.json in the results bucket\n"
        f"More:     scanhub show {FUNCTION}\n"
    )
    assert notify.body(FAILED) == (
        "The scan of a Lambda function failed.\n"
        "\n"
        f"Function: {FUNCTION}\n"
        "Account:  111122223333\n"
        "Region:   eu-west-1\n"
        "Reason:   the scanner ran over time (3600 s)\n"
        f"More:     scanhub show {FUNCTION}\n"
    )


def test_the_document_is_read_by_a_program() -> None:
    assert notify.document(FOUND) == {
        "schemaVersion": 1,
        "kind": "findings",
        "functionArn": str(FUNCTION),
        "account": "111122223333",
        "region": "eu-west-1",
        "functionName": "checkout",
        "reason": "1 critical, 2 high, 1 secret",
        "since": None,
        "severity": "critical",
        "scan": {
            "scanId": SCAN_ID,
            "status": "partial",
            "reasons": ["os_not_found"],
            "severities": {"informational": 4, "low": 0, "medium": 0, "high": 2, "critical": 1},
            "secretCount": 1,
            "packageCount": 41,
            "policyVerdict": "deny",
            "qualysScanTag": "1763614101",
            "manifestKey": f"{PREFIX}manifest.json",
            "completedAt": "2026-11-21T10:03:30+00:00",
        },
    }
    failed = notify.document(FAILED)
    assert (failed["kind"], failed["severity"], failed["scan"]) == ("failed", None, None)


def test_each_protocol_gets_the_text_that_it_can_use() -> None:
    texts = json.loads(notify.messages(FOUND))
    assert texts["default"] == notify.body(FOUND)
    assert texts["sms"] == notify.subject(FOUND)
    for protocol in ("sqs", "lambda", "http", "https", "firehose"):
        assert json.loads(texts[protocol]) == notify.document(FOUND)


def test_a_message_stays_far_below_the_limit_of_sns() -> None:
    long = replace(FOUND, reason="ü" * 300_000, summary=replace(SUMMARY, reasons=("scan_type_failed:secret",) * 5000))
    assert len(notify.messages(long).encode()) < 128 * 1024


def test_a_subscription_can_filter() -> None:
    assert notify.attributes(FOUND) == {
        "kind": "findings",
        "severity": "critical",
        "account": "111122223333",
        "region": "eu-west-1",
        "status": "partial",
    }
    assert notify.attributes(FAILED) == {
        "kind": "failed",
        "account": "111122223333",
        "region": "eu-west-1",
        "status": "failed",
    }
