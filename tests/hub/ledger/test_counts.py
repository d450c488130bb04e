"""What is DynamoDB's alone in counting many accounts: parts of an index, their pages, and a role that may not scan."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from hub import ledger_counts
from hub.coverage import CoverageState
from hub.coverage_count import CoverageCounts
from hub.ledger import DynamoLedger
from hub.ledger_counts import ACCOUNTS_AT_ONCE, QUERIED_ACCOUNTS, SEGMENTS
from spoke.errors import Misconfigured, Throttled
from tests.hub.dynamodb_answers import refusal
from tests.hub.ledger.test_reading import asked
from tests.ledger_rig import TABLE
from tests.ledger_samples import CHECKOUT, HOUR, NOW, SUMMARY, coverage

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

MANY = [f"{number:012}" for number in range(QUERIED_ACCOUNTS + 1)]
KNOWN, UNASKED = MANY[::50], "999988887777"
STATES = [CoverageState.COVERED, CoverageState.NO_ACCESS, CoverageState.GONE]


@pytest.fixture
async def ledger(client: "DynamoDBClient") -> DynamoLedger:
    """Three functions in each of some accounts, one of which nobody asks for."""
    made = DynamoLedger(client, TABLE)
    for account in (*KNOWN, UNASKED):
        for number, state in enumerate(STATES):
            function = replace(CHECKOUT, account=account, name=f"orders-{number}")
            one = coverage(state, function=function, reason="" if state is CoverageState.COVERED else "a reason")
            good = replace(SUMMARY, completed_at=NOW - (number + 1) * HOUR) if number != 1 else None
            await made.record(replace(one, last_good=good, runtime="python3.12" if number != 1 else None))
    return made


def small_pages(client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch) -> None:
    scan = client.scan

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        return await scan(**request, Limit=2)

    monkeypatch.setattr(client, "scan", small)


def check(counts: CoverageCounts) -> None:
    assert list(counts.by_account) == MANY
    known = dict.fromkeys(STATES, 1)
    assert counts.by_account == {account: known if account in KNOWN else {} for account in MANY}
    assert counts.by_region == {"eu-central-1": dict.fromkeys(STATES, len(KNOWN))}
    gone, covered, refused = CoverageState.GONE, CoverageState.COVERED, CoverageState.NO_ACCESS
    assert counts.by_runtime == {
        "python3.12": {covered: len(KNOWN), gone: len(KNOWN)},
        "unknown": {refused: len(KNOWN)},
    }
    assert counts.by_reason == {
        (covered, ""): len(KNOWN),
        (refused, "a reason"): len(KNOWN),
        (gone, "a reason"): len(KNOWN),
    }
    assert counts.oldest == dict.fromkeys(KNOWN, NOW - HOUR)


async def test_many_accounts_are_a_scan_in_parts_page_by_page(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, scans = asked(client, "Query"), asked(client, "Scan")
    small_pages(client, monkeypatch)
    check(await ledger.counts(MANY))
    assert queries == []
    parts = Counter(request["Segment"] for request in scans)
    assert set(parts) == set(range(SEGMENTS))
    assert max(parts.values()) > 1, "some part has more than one page"
    assert all("ExclusiveStartKey" in request for request in scans[SEGMENTS:])
    assert {(one["TableName"], one["IndexName"], one["TotalSegments"]) for one in scans} == {
        (TABLE, "by-account", SEGMENTS)
    }
    for request in scans:
        names = {request["ExpressionAttributeNames"][name] for name in request["ProjectionExpression"].split(", ")}
        assert names == {"account", "place", "state", "reason", "runtime", "resultAt"}


@pytest.mark.parametrize(("accounts", "calls"), [(MANY[1:] * 2, QUERIED_ACCOUNTS), (MANY[:5], 5)])
async def test_few_accounts_are_a_query_each(
    ledger: DynamoLedger, client: "DynamoDBClient", accounts: list[str], calls: int
) -> None:
    queries, scans = asked(client, "Query"), asked(client, "Scan")
    await ledger.counts(accounts)
    assert (len(queries), scans) == (calls, [])


async def test_who_may_not_scan_the_index_counts_account_by_account(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part was read before another is refused: what was counted of it counts once."""
    small_pages(client, monkeypatch)
    queries, scan = asked(client, "Query"), client.scan
    read = asyncio.Event()

    async def refused_in_the_end(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        if request["Segment"] == SEGMENTS - 1:
            await read.wait()
            raise refusal("AccessDeniedException")
        answer = await scan(**request)
        if "ExclusiveStartKey" in request:
            read.set()
        return answer

    monkeypatch.setattr(client, "scan", refused_in_the_end)
    with capture_logs() as logs:
        check(await ledger.counts(MANY))
    assert len(queries) == len(MANY)
    (told,) = logs
    assert (told["event"], told["accounts"]) == ("counting account by account", len(MANY))
    assert told["reason"].startswith(f"scanning the index by-account in the ledger table {TABLE}: AccessDenied")


async def test_who_may_do_neither_is_told(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(**_: object) -> None:
        raise refusal("AccessDeniedException")

    monkeypatch.setattr(client, "scan", refused)
    monkeypatch.setattr(client, "query", refused)
    with pytest.raises(Misconfigured, match="reading the index by-account"):
        await ledger.counts(MANY)


async def test_what_fails_in_one_part_fails_the_count(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, scan = asked(client, "Query"), client.scan

    async def one_throttled(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        if request["Segment"] == 7:
            raise refusal("ThrottlingException")
        return await scan(**request)

    monkeypatch.setattr(client, "scan", one_throttled)
    with pytest.raises(Throttled, match="scanning the index by-account"):
        await ledger.counts(MANY)
    assert queries == []


@pytest.mark.parametrize(("operation", "at_once"), [("scan", SEGMENTS), ("query", ACCOUNTS_AT_ONCE)])
async def test_so_many_pages_are_waited_for_at_once(
    ledger: DynamoLedger,
    client: "DynamoDBClient",
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    at_once: int,
) -> None:
    """All the first ones come together, and never more."""
    monkeypatch.setattr(ledger_counts, "QUERIED_ACCOUNTS", QUERIED_ACCOUNTS if operation == "scan" else len(MANY))
    call, together, waiting, most = getattr(client, operation), asyncio.Barrier(at_once), 0, 0
    begun = 0

    async def counted(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        nonlocal waiting, most, begun
        waiting, begun = waiting + 1, begun + 1
        most = max(most, waiting)
        if begun <= at_once:
            await together.wait()
        try:
            return await call(**request)
        finally:
            waiting -= 1

    monkeypatch.setattr(client, operation, counted)
    check(await ledger.counts(MANY))
    assert most == at_once
