"""What `--json` prints of a function's coverage; names in camelCase, times in ISO 8601 (UTC)."""

from typing import Any

from hub.coverage import Coverage
from hub.scans import ScanSummary

SCHEMA_VERSION = 1


def coverage_document(coverage: Coverage) -> dict[str, Any]:
    """The state of one function."""
    return {
        "function": str(coverage.function),
        "account": coverage.function.account,
        "region": coverage.function.region,
        "state": coverage.state.value,
        "reason": coverage.reason,
        "at": coverage.at.isoformat(),
        "fingerprint": coverage.fingerprint,
        "lastGood": summary_document(coverage.last_good) if coverage.last_good is not None else None,
    }


def summary_document(summary: ScanSummary) -> dict[str, Any]:
    """One result in short."""
    return {
        "scanId": summary.scan_id,
        "status": summary.status.value,
        "reasons": list(summary.reasons),
        "severities": {severity.value: count for severity, count in summary.severities.items()},
        "secrets": summary.secrets,
        "packages": summary.packages,
        "policyVerdict": summary.policy.value if summary.policy is not None else None,
        "qualysScanTag": summary.scan_tag,
        "manifestKey": summary.manifest_key,
        "completedAt": summary.completed_at.isoformat(),
        "freshUntil": summary.fresh_until.isoformat(),
    }
