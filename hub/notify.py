"""How a notification is worded: for a person in mail or chat, and as JSON for a program."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hub.document import SCHEMA_VERSION
from hub.notification import Notification, NotificationKind
from hub.scans import ScanSummary, Severity

MAX_SUBJECT = 100
"""Characters; ASCII without line breaks or control characters (`Subject` of Publish in the SNS API reference)."""

_MAX_REASON = 2000
_MAX_REASONS = 50

_CIRCUIT_ADVICE = """\
From then on nothing is scanned. No message is lost: all wait in their queues, which keep a message for 14 days.
A probe asks again and again, every 15 minutes at the latest, and scanning goes on by itself once Qualys takes a scan.

If the token was refused: put a valid one into the secret, as "qualys_access_token". The secret is read anew before each
probe; nothing needs to be restarted. Otherwise see whether Qualys reports a disturbance, and whether the workers can
reach its gateway.
"""


def worth_telling(summary: ScanSummary, threshold: Severity) -> bool:
    """Whether a scan found something that a person should hear of.

    That is a vulnerability of at least the severity `threshold`, or any secret: the summary does not say how bad it
    is, and a key in a function's code is for a person to judge.
    """
    grave = any(count > 0 for severity, count in summary.severities.items() if severity.rank >= threshold.rank)
    return grave or summary.secrets > 0


def worst(summary: ScanSummary | None) -> Severity | None:
    """The highest severity among the vulnerabilities; None if there are none."""
    if summary is None:
        return None
    found = [severity for severity, count in summary.severities.items() if count > 0]
    return max(found, key=lambda severity: severity.rank, default=None)


def found(summary: ScanSummary) -> str:
    """The findings in words, the worst first: `1 critical, 2 high, 1 secret`; or `nothing`."""
    counts = [f"{summary.severities[one]} {one.value}" for one in reversed(Severity) if summary.severities.get(one)]
    if summary.secrets:
        counts.append(f"{summary.secrets} secret{'s' if summary.secrets > 1 else ''}")
    return ", ".join(counts) or "nothing"


def subject(notification: Notification) -> str:
    """One line of at most `MAX_SUBJECT` ASCII characters."""
    function = notification.function
    if function is None:
        return "scanhub: Qualys does not take our scans"
    what = "scan failed"
    if notification.kind is NotificationKind.FINDINGS:
        what = found(notification.summary) if notification.summary is not None else "findings"
    line = f"scanhub: {what} in {function.name} ({function.account}, {function.region})"
    return _ascii(line)[:MAX_SUBJECT].rstrip()


def body(notification: Notification) -> str:
    """What a person reads: plain text, a few aligned lines."""
    function, summary = notification.function, notification.summary
    reason = _one_line(notification.reason)
    if function is None:
        since = _moment(notification.since) if notification.since is not None else "unknown"
        return f"Qualys does not take our scans.\n\n{_rows([('Reason', reason), ('Since', since)])}\n{_CIRCUIT_ADVICE}"
    failed = notification.kind is NotificationKind.FAILED
    rows = [
        ("Function", str(function)),
        ("Account", function.account),
        ("Region", function.region),
        ("Reason" if failed else "Found", reason),
    ]
    if summary is not None:
        reasons = f" ({', '.join(summary.reasons[:_MAX_REASONS])})" if summary.reasons else ""
        rows += [
            ("Status", f"{summary.status.value}{reasons}"),
            ("Packages", str(summary.packages)),
            ("Scanned", _moment(summary.completed_at)),
            ("Result", f"{summary.manifest_key} in the results bucket"),
        ]
    rows.append(("More", f"scanhub show {function}"))
    headline = "The scan of a Lambda function failed." if failed else "Findings in a Lambda function."
    return f"{headline}\n\n{_rows(rows)}"


def document(notification: Notification) -> dict[str, Any]:
    """What a program reads; `docs/storage.md` describes it. What a kind does not have is None."""
    function, summary, since = notification.function, notification.summary, notification.since
    severity = worst(summary)
    return {
        "schemaVersion": SCHEMA_VERSION,
        "kind": notification.kind.value,
        "functionArn": str(function) if function is not None else None,
        "account": function.account if function is not None else None,
        "region": function.region if function is not None else None,
        "functionName": function.name if function is not None else None,
        "reason": _one_line(notification.reason),
        "since": since.astimezone(UTC).isoformat() if since is not None else None,
        "severity": severity.value if severity is not None else None,
        "scan": _scan(summary) if summary is not None else None,
    }


def messages(notification: Notification) -> str:
    """The whole message in SNS's form with one text a protocol (`MessageStructure=json`).

    Programs (Lambda, SQS, HTTP, Firehose) get the JSON document, people (mail, chat) the text, telephones the subject.
    """
    text, data = body(notification), json.dumps(document(notification))
    by_protocol = {"default": text, "sms": subject(notification)}
    return json.dumps(by_protocol | dict.fromkeys(("http", "https", "sqs", "lambda", "firehose"), data))


def attributes(notification: Notification) -> dict[str, str]:
    """What a subscription can filter by: `kind`; of a scan also `account`, `region`, `status` and the worst `severity`.

    `severity` is missing where there is no vulnerability.
    """
    function, summary = notification.function, notification.summary
    if function is None:
        return {"kind": notification.kind.value}
    severity = worst(summary)
    named = {
        "kind": notification.kind.value,
        "severity": severity.value if severity is not None else "",
        "account": function.account,
        "region": function.region,
        "status": summary.status.value if summary is not None else "failed",
    }
    return {name: value for name, value in named.items() if value}


def _scan(summary: ScanSummary) -> dict[str, Any]:
    return {
        "scanId": summary.scan_id,
        "status": summary.status.value,
        "reasons": list(summary.reasons[:_MAX_REASONS]),
        "severities": {severity.value: summary.severities.get(severity, 0) for severity in Severity},
        "secretCount": summary.secrets,
        "packageCount": summary.packages,
        "policyVerdict": summary.policy.value if summary.policy is not None else None,
        "qualysScanTag": summary.scan_tag,
        "manifestKey": summary.manifest_key,
        "completedAt": summary.completed_at.isoformat(),
    }


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    return "".join(f"{name + ':':<10}{text}\n" for name, text in rows)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_REASON]


def _ascii(text: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in _one_line(text))
