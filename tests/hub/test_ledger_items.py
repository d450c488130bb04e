from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import ledger_items as items
from hub.coverage import Coverage, CoverageState
from hub.ledger_schema import Key, Update
from hub.ledger_wire import plain, wire_item
from hub.scans import Effect, PolicyVerdict, ScanRecord, ScanStatus, ScanSummary, Severity
from spoke.errors import Misconfigured
from tests.ledger_samples import CHECKOUT, KEY, LEASE, MESSAGE, NOW, PARTIAL, SUMMARY, coverage

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis wants the limits naive
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001  # same
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
COUNTS = st.integers(0, 10**9)

SUMMARIES = st.builds(
    ScanSummary,
    scan_id=TEXT,
    status=st.sampled_from(ScanStatus),
    manifest_key=TEXT,
    completed_at=MOMENTS,
    fresh_until=MOMENTS,
    reasons=st.lists(TEXT, max_size=3).map(tuple),
    severities=st.dictionaries(st.sampled_from(Severity), COUNTS),
    secrets=COUNTS,
    packages=COUNTS,
    policy=st.none() | st.sampled_from(PolicyVerdict),
    scan_tag=st.none() | TEXT,
)


def through_dynamodb(update: Update, key: Key) -> Any:  # noqa: ANN401  # an item
    """The item that a write makes where there was none, as it comes back."""
    return plain(wire_item(update.applied_to({"pk": key.pk, "sk": key.sk})))


@given(SUMMARIES, st.frozensets(st.sampled_from(Effect)))
def test_every_result_comes_back_as_it_was(summary: ScanSummary, owed: frozenset[Effect]) -> None:
    lease = items.new_lease(KEY, message_id=MESSAGE, owner="5f2a1c", expires_at=NOW + LEASE)
    item = through_dynamodb(items.committed(lease, summary, owed), items.scan_item_key(KEY))
    assert items.record_from(item, KEY) == ScanRecord(KEY, summary=summary, owed=owed, committed_by=MESSAGE)


@given(
    st.sampled_from(CoverageState),
    MOMENTS,
    st.none() | MOMENTS,
    TEXT,
    st.none() | SUMMARIES,
    st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_every_coverage_comes_back_as_it_was(
    state: CoverageState,
    at: datetime,
    as_of: datetime | None,
    reason: str,
    last_good: ScanSummary | None,
    fingerprint: str | None,
) -> None:
    one = Coverage(
        function=CHECKOUT,
        state=state,
        at=at,
        as_of=as_of,
        reason=reason,
        fingerprint=fingerprint if as_of is not None else None,
        last_good=last_good,
    )
    assert items.coverage_from(through_dynamodb(items.recorded(one), items.state_item_key(CHECKOUT))) == one


def test_a_lease_comes_back_as_it_was() -> None:
    lease = items.new_lease(KEY, message_id=MESSAGE, owner="5f2a1c", expires_at=NOW + LEASE)
    item = through_dynamodb(items.claimed(lease), items.scan_item_key(KEY))
    assert items.record_from(item, KEY) == ScanRecord(KEY, lease=lease)
    assert items.record_from(plain(wire_item(items.released().applied_to(item))), KEY) == ScanRecord(KEY)


def test_the_attributes_are_those_of_the_reference() -> None:
    lease = items.new_lease(KEY, message_id=MESSAGE, owner="5f2a1c", expires_at=NOW + LEASE)
    assert items.committed(lease, PARTIAL, {Effect.TAG}) == Update(
        {
            "schema": 1,
            "summary": {
                "scanId": "20261121T094500000Z-1b4f0e98",
                "status": "partial",
                "manifestKey": SUMMARY.manifest_key,
                "completedAt": 1795253475250,
                "freshUntil": 1797845475250,
                "reasons": ["report_pending", "scan_type_failed:secret"],
                "severities": {"medium": 4, "critical": 1},
                "secrets": 2,
                "packages": 83,
                "policy": "audit",
                "scanTag": "1795252270",
            },
            "committedBy": MESSAGE,
            "expiresAt": 1797845475 + 90 * 86_400,
            "owed": frozenset({"tag"}),
        },
        ("leaseOwner", "leaseMessageId", "leaseExpiresAt"),
    )


def test_an_update_takes_members_out_of_a_set_and_leaves_no_empty_one() -> None:
    item = {"owed": {"tag", "notify"}, "schema": 1}
    once = items.done({Effect.TAG}).applied_to(item)
    assert once == {"owed": {"notify"}, "schema": 1}
    assert items.done({Effect.TAG}).applied_to(once) == once
    assert items.done({Effect.NOTIFY}).applied_to(once) == {"schema": 1}


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "ASLEEP"},
        {"at": "yesterday"},
        {"asOf": 10**30},
        {"lastGood": {"scanId": "x"}},
        {"lastGood": "x"},
        {"pk": "function#checkout-api"},
        {"pk": "account#210987654321"},
    ],
    ids=str,
)
def test_a_broken_coverage_item_is_refused_by_name(broken: dict[str, Any]) -> None:
    item = through_dynamodb(items.recorded(coverage()), items.state_item_key(CHECKOUT))
    with pytest.raises(Misconfigured, match=r"the ledger item .* state cannot be read: \w+"):
        items.coverage_from(item | broken)


@pytest.mark.parametrize("broken", [{"summary": {}}, {"leaseOwner": "x"}, {"owed": {"sing"}}], ids=str)
def test_a_broken_scan_item_is_refused_by_name(broken: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="the ledger item function#x scan#y cannot be read"):
        items.record_from({"pk": "function#x", "sk": "scan#y", "schema": 1} | broken, KEY)


def test_an_item_of_before_schemas_is_read_as_the_first() -> None:
    item = dict(through_dynamodb(items.recorded(coverage()), items.state_item_key(CHECKOUT)))
    del item["schema"]
    assert items.coverage_from(item) == coverage()


@pytest.mark.parametrize("item", [{}, {"summary": "x"}, {"summary": {"scanId": "another"}}])
def test_an_item_without_that_scan_has_no_result_of_it(item: dict[str, Any]) -> None:
    assert not items.has_result(item, SUMMARY.scan_id)


def test_as_stored_is_what_comes_back() -> None:
    micro = timedelta(microseconds=7)
    exact = replace(coverage(as_of=NOW + micro), at=NOW + micro)
    assert items.as_stored(exact) == coverage(as_of=NOW, at=NOW)
    unseen = coverage(CoverageState.NO_ACCESS, as_of=None, at=NOW + micro)
    assert items.as_stored(unseen).as_of is None
