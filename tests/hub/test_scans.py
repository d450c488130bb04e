from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from hub.scans import (
    Fresh,
    Held,
    Lease,
    ScanProfile,
    ScanRecord,
    ScanStatus,
    Severity,
    freshness,
    new_scan_id,
    results_prefix,
)
from tests.ledger_samples import CHECKOUT, FAILED, KEY, MESSAGE, NOW, PROFILE, SECOND, SUMMARY

DAYS = timedelta(days=30)


class TestSeverity:
    def test_ranks_are_qualys_numbers(self) -> None:
        assert [severity.rank for severity in Severity] == [1, 2, 3, 4, 5]
        assert Severity.CRITICAL.rank == 5

    @pytest.mark.parametrize(
        ("rank", "name"), [(-3, "informational"), (1, "informational"), (3, "medium"), (9, "critical")]
    )
    def test_a_rank_outside_is_taken_as_the_nearest(self, rank: int, name: str) -> None:
        assert Severity.from_rank(rank) == name


class TestProfile:
    def test_the_order_of_scan_types_makes_no_other_profile(self) -> None:
        assert replace(PROFILE, scan_types=("secret", "pkg")).id == PROFILE.id

    @pytest.mark.parametrize(
        "change",
        [{"engine": "trivy"}, {"version": "4.9.0-1"}, {"mode": "scan-only"}, {"scan_types": ("pkg",)}],
        ids=str,
    )
    def test_everything_else_does(self, change: dict[str, str]) -> None:
        assert replace(PROFILE, **change).id != PROFILE.id  # type: ignore[arg-type]  # one field at a time

    def test_the_id_is_the_same_in_every_process_and_release(self) -> None:
        """It is part of the ledger's keys: another id would make every result stale."""
        assert ScanProfile("qscanner", "4.8.0-2", "get-report", ("pkg", "secret")).id == "35a321688970"


def test_findings_are_vulnerabilities_of_every_severity_and_secrets() -> None:
    assert SUMMARY.findings == 4 + 1 + 2
    assert replace(SUMMARY, severities={}, secrets=0).findings == 0


class TestRefusal:
    RECORD = ScanRecord(KEY)
    LEASE = Lease(KEY, MESSAGE, "5f2a1c", NOW + SECOND)

    def test_nothing_known_is_free(self) -> None:
        assert self.RECORD.refusal(NOW, force=False) is None

    FREE_AT = NOW + 11 * SECOND

    def test_a_lease_holds_until_it_has_ended_by_every_clock(self) -> None:
        held = replace(self.RECORD, lease=self.LEASE)
        for now in (NOW, NOW + SECOND, self.FREE_AT - timedelta(microseconds=1)):
            assert held.refusal(now, force=False) == held.refusal(now, force=True) == Held(MESSAGE, self.FREE_AT)
        assert held.refusal(self.FREE_AT, force=False) is None

    def test_a_result_is_fresh_until_its_end(self) -> None:
        scanned = replace(self.RECORD, summary=SUMMARY)
        last = SUMMARY.fresh_until - timedelta(microseconds=1)
        assert scanned.refusal(last, force=False) == Fresh(scanned)
        assert scanned.refusal(last, force=True) is None
        assert scanned.refusal(SUMMARY.fresh_until, force=False) is None

    def test_a_failed_result_never_is(self) -> None:
        assert replace(self.RECORD, summary=FAILED).refusal(FAILED.completed_at, force=False) is None

    def test_a_fresh_result_is_named_before_a_live_lease(self) -> None:
        both = replace(self.RECORD, lease=self.LEASE, summary=SUMMARY)
        assert both.refusal(NOW, force=False) == Fresh(both)
        assert both.refusal(NOW, force=True) == Held(MESSAGE, self.FREE_AT)


class TestScanId:
    def test_it_sorts_by_time_whatever_the_zone(self) -> None:
        moments = [NOW + timedelta(milliseconds=step) for step in (0, 1, 999, 1000, 86_400_000)]
        zone = timezone(timedelta(hours=9, minutes=30))
        ids = [new_scan_id(moment.astimezone(zone if n % 2 else UTC)) for n, moment in enumerate(moments)]
        assert ids == sorted(ids)
        assert ids[0].startswith("20261121T093015250Z-")

    def test_two_of_the_same_moment_differ(self) -> None:
        assert len({new_scan_id(NOW) for _ in range(100)}) == 100

    def test_its_files_lie_under_account_region_and_function(self) -> None:
        moment = datetime(2026, 1, 2, 3, 4, 5, 6_789, UTC)
        scan_id = new_scan_id(moment)
        live = replace(CHECKOUT, qualifier="live")
        assert results_prefix(live, scan_id) == f"scans/210987654321/eu-central-1/checkout-api/{scan_id}/"
        assert scan_id.startswith("20260102T030405006Z-")


@pytest.mark.parametrize(
    ("status", "report_owed", "ttl", "fresh"),
    [
        (ScanStatus.SUCCESS, False, DAYS, DAYS),
        (ScanStatus.PARTIAL, False, DAYS, DAYS),
        (ScanStatus.PARTIAL, True, DAYS, timedelta(hours=6)),
        (ScanStatus.PARTIAL, True, timedelta(hours=1), timedelta(hours=1)),
        (ScanStatus.FAILED, False, DAYS, timedelta(0)),
        (ScanStatus.FAILED, True, DAYS, timedelta(0)),
    ],
)
def test_freshness(status: ScanStatus, report_owed: bool, ttl: timedelta, fresh: timedelta) -> None:
    assert freshness(ttl, status, report_owed=report_owed) == fresh
