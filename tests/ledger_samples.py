"""Functions, keys, results, coverages and failures as a real ledger holds them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.coverage import Coverage, CoverageState
from hub.scans import CLOCK_SKEW, Effect, Lease, PolicyVerdict, ScanKey, ScanProfile, ScanStatus, ScanSummary, Severity
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.snapshot import fingerprint

NOW = datetime(2026, 11, 21, 9, 30, 15, 250_000, UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=180)
OVER = LEASE + CLOCK_SKEW
"""So long after its claim a lease that nobody renews can be taken over."""

CHECKOUT = FunctionArn.parse("arn:aws:lambda:eu-central-1:210987654321:function:checkout-api")
REFUNDS = FunctionArn.parse("arn:aws:lambda:us-east-1:310987654322:function:refunds_worker")
PROFILE = ScanProfile("qscanner", "4.8.0-2", "get-report", ("pkg", "secret"))

OLD_CODE = fingerprint("q8n1ZzKDTe3wKIOJ3vVbCe0kTyLNCn1Yd4gC6JUZDHY=", [])
NEW_CODE = fingerprint(
    "Y3vm4ikBvAbYyT9xYzNPMf5Ih6M9QXbMnQz6zhw7n0A=", ["arn:aws:lambda:eu-central-1:210987654321:layer:shared:7"]
)
KEY = ScanKey(CHECKOUT, NEW_CODE, PROFILE.id)

MESSAGE = "059f36b4-87a3-44ab-83d2-661975830a7d"
OTHER_MESSAGE = "d6790f8d-d575-4f01-bc51-40122704cafe"
A_LEASE = Lease(KEY, MESSAGE, "5f2a1c", NOW + LEASE)

SUMMARY = ScanSummary(
    scan_id="20261121T093110402Z-9f86d081",
    status=ScanStatus.SUCCESS,
    manifest_key="scans/210987654321/eu-central-1/checkout-api/20261121T093110402Z-9f86d081/manifest.json",
    completed_at=NOW + MINUTE,
    fresh_until=NOW + MINUTE + timedelta(days=30),
    severities={Severity.MEDIUM: 4, Severity.CRITICAL: 1},
    secrets=2,
    packages=83,
)
PARTIAL = replace(
    SUMMARY,
    scan_id="20261121T094500000Z-1b4f0e98",
    status=ScanStatus.PARTIAL,
    reasons=("report_pending", "scan_type_failed:secret"),
    policy=PolicyVerdict.AUDIT,
    scan_tag="1795252270",
)
FAILED = replace(
    SUMMARY,
    scan_id="20261121T095959999Z-60303ae2",
    status=ScanStatus.FAILED,
    reasons=("scanner_crashed",),
    fresh_until=SUMMARY.completed_at,
)
EVERY_EFFECT = frozenset(Effect)
CRASHED = Failure(2, "scanner_crashed", "the scanner died of signal 9", NOW)
FAILURE = Failure(3, "throttled", "GetFunction of checkout-api: Rate exceeded", NOW)
CIRCUIT = "qualys-circuit"
"""What a worker announces when Qualys takes no scans."""


def coverage(
    state: CoverageState = CoverageState.COVERED,
    *,
    at: datetime = NOW + MINUTE,
    as_of: datetime | None = NOW - timedelta(hours=2),
    code: str | None = NEW_CODE,
    reason: str = "",
    function: FunctionArn = CHECKOUT,
) -> Coverage:
    """One write of a coverage; without `as_of` there was no snapshot, so no fingerprint either."""
    return Coverage(
        function=function,
        state=state,
        at=at,
        as_of=as_of,
        fingerprint=code if as_of is not None else None,
        reason=reason,
    )
