"""What is DynamoDB's alone in reading many functions: pages, keys put off, answers that are lost, what is asked for."""

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hub import ledger_queries
from hub.coverage import CoverageState
from hub.ledger import DynamoLedger
from hub.raw_answers import raw
from spoke.errors import Misconfigured, ScanhubError, Throttled
from tests.hub.dynamodb_answers import refusal, twice
from tests.ledger_rig import TABLE, DynamoRig
from tests.ledger_samples import CHECKOUT, HOUR, NOW, SUMMARY, coverage

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

PAYMENTS = CHECKOUT.account
FUNCTIONS = [replace(CHECKOUT, name=f"orders-{number}") for number in range(7)]


@pytest.fixture
async def ledger(client: "DynamoDBClient") -> DynamoLedger:
    """Seven functions of one account, each with a last good result."""
    made = DynamoLedger(client, TABLE)
    for number, function in enumerate(FUNCTIONS):
        one = coverage(CoverageState.STALE, function=function, at=NOW + number * HOUR, reason="profile")
        await made.record(replace(one, last_good=SUMMARY, runtime="python3.12"))
    return made


def asked(client: "DynamoDBClient", operation: str) -> list[dict[str, Any]]:
    """The bodies of the requests of this operation from now on."""
    requests: list[dict[str, Any]] = []

    def note(request: Any, **_: object) -> None:  # noqa: ANN401  # botocore's requests are untyped
        requests.append(json.loads(request.body))

    client.meta.events.register(f"before-send.dynamodb.{operation}", note)
    return requests


async def test_indexes_are_read_page_by_page(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, query = asked(client, "Query"), client.query

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        return await query(**request, Limit=3)

    monkeypatch.setattr(client, "query", small)
    by_account = [[row.function for row in page] async for page in ledger.rows(PAYMENTS)]
    assert by_account == [FUNCTIONS[:3], FUNCTIONS[3:6], FUNCTIONS[6:]]
    by_state = [[row.function for row in page] async for page in ledger.in_state(CoverageState.STALE)]
    assert by_state == by_account
    counts = await ledger.counts([PAYMENTS])
    assert counts.by_account == {PAYMENTS: {CoverageState.STALE: 7}}
    assert [request["IndexName"] for request in requests] == ["by-account"] * 3 + ["by-state"] * 3 + ["by-account"] * 3


async def test_only_what_is_needed_is_asked_for(ledger: DynamoLedger, client: "DynamoDBClient") -> None:
    queries, batches = asked(client, "Query"), asked(client, "BatchGetItem")
    await ledger.counts([PAYMENTS])
    assert [row.reason async for page in ledger.in_state(CoverageState.STALE, reason="prof") for row in page]
    await ledger.standings(FUNCTIONS)
    counted, listed = (
        {request["ExpressionAttributeNames"][name] for name in _projected(request)} for request in queries
    )
    assert counted == {"place", "state", "reason", "runtime", "resultAt"}
    assert listed == {"pk", "state", "at", "reason", "runtime", "resultAt"}
    (batch,) = (request["RequestItems"][TABLE] for request in batches)
    assert (len(batch["Keys"]), batch["ConsistentRead"]) == (7, True)
    assert {key["sk"]["S"] for key in batch["Keys"]} == {"state"}
    assert "lastGood" not in batch["ExpressionAttributeNames"].values()


def _projected(request: dict[str, Any]) -> list[str]:
    names: list[str] = request["ProjectionExpression"].split(", ")
    return names


async def test_a_hundred_functions_are_one_call(ledger: DynamoLedger, client: "DynamoDBClient") -> None:
    batches = asked(client, "BatchGetItem")
    many = [replace(CHECKOUT, name=f"orders-{number}") for number in range(205)]
    assert set(await ledger.standings([*many, *many[:50]])) == set(FUNCTIONS)
    assert [len(request["RequestItems"][TABLE]["Keys"]) for request in batches] == [100, 100, 5]


async def test_keys_that_were_put_off_are_asked_for_again_and_only_those(
    ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    async def three_at_a_time(call: Any, *, sent: bytes, **arguments: Any) -> Any:  # noqa: ANN401  # as `raw`
        request = json.loads(sent)
        keys = request["RequestItems"][TABLE]["Keys"]
        sizes.append(len(keys))
        request["RequestItems"][TABLE]["Keys"] = keys[:3]
        answer = await raw(call, sent=json.dumps(request).encode(), **arguments)
        return {**answer, "UnprocessedKeys": {TABLE: {"Keys": keys[3:]}} if keys[3:] else {}}

    monkeypatch.setattr(ledger_queries, "raw", three_at_a_time)
    pause = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _: pause(0))
    found = await ledger.standings(FUNCTIONS)
    assert set(found) == set(FUNCTIONS)
    assert sizes == [7, 4, 1]


async def test_a_replacement_that_botocore_repeats_after_a_lost_answer_was_set(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = (await ledger.standings(FUNCTIONS))[FUNCTIONS[0]]
    again = replace(coverage(CoverageState.PENDING, function=FUNCTIONS[0]), queued_at=NOW)
    monkeypatch.setattr(client, "update_item", twice(client.update_item))
    assert await ledger.replace(again, seen=seen)
    assert not await ledger.replace(replace(again, queued_at=NOW + HOUR), seen=seen)


async def test_what_fails_in_one_account_fails_the_count(
    ledger: DynamoLedger, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    query = client.query

    async def one_throttled(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        if request["ExpressionAttributeValues"][":account"]["S"] == "000000000007":
            raise refusal("ThrottlingException")
        return await query(**request)

    monkeypatch.setattr(client, "query", one_throttled)
    with pytest.raises(Throttled, match="reading the index by-account"):
        await ledger.counts([f"{number:012}" for number in range(40)])


async def test_an_index_that_is_not_there_is_named(ledger: DynamoLedger, client: "DynamoDBClient") -> None:
    await client.update_table(TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-account"}}])
    with pytest.raises(ScanhubError, match="by-account"):
        await ledger.counts([PAYMENTS])


async def test_a_newer_schema_among_many_is_named(ledger: DynamoLedger, client: "DynamoDBClient") -> None:
    rig = DynamoRig(client)
    item = next(one for key, one in (await rig.items()).items() if key.pk.endswith("orders-3"))
    await rig.put(item | {"schema": 2})
    with pytest.raises(Misconfigured, match=r"orders-3 state has schema 2"):
        await ledger.standings(FUNCTIONS)
