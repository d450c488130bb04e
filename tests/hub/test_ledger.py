"""What is DynamoDB's alone: real parallel writes, answers that are lost, keys put off, conflicts, errors."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError

from hub.coverage import CoverageState
from hub.ledger import DynamoLedger
from hub.ledger_items import record_from, scan_item_key, state_item_key
from hub.ledger_schema import Key
from hub.ledger_wire import wire_item
from hub.scans import Claimed, Effect, Held, Lease
from hub.sightings import Sighting
from hub.tries import Failure
from infra.local.mends import dynamodb_atomicity
from spoke.errors import LeaseLost, Misconfigured, Throttled
from tests import virtual_time
from tests.conftest import REGION
from tests.ledger_rig import TABLE, DynamoRig, create_table
from tests.ledger_samples import (
    CHECKOUT,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    OTHER_MESSAGE,
    OVER,
    PARTIAL,
    SUMMARY,
    coverage,
)

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["DynamoDBClient"]:
    async with aws.create_client("dynamodb", region_name=REGION) as one:
        await create_table(one)
        yield one


@pytest.fixture
def rig(client: "DynamoDBClient") -> DynamoRig:
    return DynamoRig(client)


@pytest.fixture
def atomic() -> Iterator[None]:
    with dynamodb_atomicity.mended():
        yield


@pytest.mark.usefixtures("atomic")
class TestParallel:
    async def test_of_many_claims_at_once_exactly_one_gets_the_lease(self, rig: DynamoRig) -> None:
        for round_ in range(10):
            key = replace(KEY, fingerprint=f"{round_:064x}")
            claims = await asyncio.gather(
                *(rig.ledger.claim(key, message_id=f"message-{n}", now=NOW, duration=LEASE) for n in range(10))
            )
            (winner,) = [claim for claim in claims if isinstance(claim, Claimed)]
            losers = [claim for claim in claims if isinstance(claim, Held)]
            assert losers == [Held(winner.lease.message_id, NOW + OVER)] * 9

    async def test_of_many_snapshots_at_once_the_newest_stays(self, rig: DynamoRig) -> None:
        moments = [NOW + timedelta(seconds=(7 * n) % 20) for n in range(20)]
        await asyncio.gather(*(rig.ledger.record(coverage(as_of=moment)) for moment in moments))
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert stored.as_of == max(moments)

    async def test_a_commit_and_the_claim_that_takes_over_cannot_both_win(self, rig: DynamoRig) -> None:
        for round_ in range(5):
            key = replace(KEY, fingerprint=f"{round_:064x}")
            first = await rig.ledger.claim(key, message_id=MESSAGE, now=NOW, duration=LEASE)
            assert isinstance(first, Claimed)
            committed, taken = await asyncio.gather(
                rig.ledger.commit(first.lease, SUMMARY, coverage(), owed=()),
                rig.ledger.claim(key, message_id=OTHER_MESSAGE, now=NOW + OVER, duration=LEASE),
                return_exceptions=True,
            )
            # Either the result was there first and is fresh, or the lease was taken and the result is refused.
            assert isinstance(taken, Claimed) is isinstance(committed, LeaseLost)


FAILURE = Failure(3, "throttled", "GetFunction of checkout-api: Rate exceeded", NOW)


def twice(send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What botocore does when the first answer is lost."""

    async def send_twice(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        with suppress(ClientError):
            await send(**request)
        return await send(**request)

    return send_twice


class TestLostAnswers:
    async def test_a_claim_that_botocore_repeats_after_a_lost_answer_succeeds(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "update_item", twice(client.update_item))
        claim = await DynamoLedger(client, TABLE).claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        assert claim.abandoned_by is None

    async def test_a_failure_that_botocore_notes_again_after_a_lost_answer_counts_once(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "update_item", twice(client.update_item))
        assert list(await DynamoLedger(client, TABLE).note_failure(MESSAGE, FAILURE)) == [FAILURE]

    async def test_an_announcement_that_botocore_repeats_after_a_lost_answer_is_still_ours(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger = DynamoLedger(client, TABLE)
        with monkeypatch.context() as lost:
            lost.setattr(client, "update_item", twice(client.update_item))
            assert await ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
            assert not await ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
        assert not await ledger.announce("qualys-circuit", now=NOW + MINUTE, quiet=MINUTE)

    async def test_a_commit_whose_second_half_was_lost_is_completed_by_its_repetition(self, rig: DynamoRig) -> None:
        """The scan item was written alone, since the coverage spoke of a newer snapshot; the answer was lost."""
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        await rig.ledger.record(coverage(CoverageState.SCANNING, as_of=NOW, at=NOW))
        assert await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed={Effect.TAG}) is False
        before = await rig.items()
        assert await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed={Effect.TAG}) is False
        assert await rig.items() == before


class Answers:
    """A client that answers from a list: what moto never says. The last answer stands for all that follow."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def _answer(self, **request: Any) -> Any:  # noqa: ANN401  # as the client's own methods
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    update_item = transact_write_items = batch_get_item = describe_table = _answer


def ledger_answered(*answers: Any) -> tuple[DynamoLedger, Answers]:
    client: Any = Answers(*answers)
    return DynamoLedger(client, TABLE), client


def refusal(code: str, **more: Any) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "as DynamoDB words it"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer | more, "AnyOperation")


def cancelled(*codes: str, items: dict[int, Any] | None = None) -> ClientError:
    """The shape of TransactionCanceledException: one reason a write, `None` as text where that write would pass."""
    reasons = [
        {"Code": code} | ({"Item": (items or {})[n]} if n in (items or {}) else {}) for n, code in enumerate(codes)
    ]
    return refusal("TransactionCanceledException", CancellationReasons=reasons)


A_LEASE = Lease(KEY, MESSAGE, "5f2a1c", NOW + LEASE)


class TestPutOff:
    def test_keys_that_were_put_off_are_asked_for_again_and_only_those(self) -> None:
        state = wire_item(
            {"pk": state_item_key(CHECKOUT).pk, "sk": "state", "state": "COVERED", "at": 1, "fingerprint": NEW_CODE}
        )
        scan = wire_item(
            {"pk": scan_item_key(KEY).pk, "sk": scan_item_key(KEY).sk, "schema": 1, "committedBy": MESSAGE}
        )
        left = {"pk": scan["pk"], "sk": scan["sk"]}
        ledger, client = ledger_answered(
            {"Responses": {TABLE: [state]}, "UnprocessedKeys": {TABLE: {"Keys": [left], "ConsistentRead": True}}},
            {"Responses": {}, "UnprocessedKeys": {TABLE: {"Keys": [left], "ConsistentRead": True}}},
            {"Responses": {TABLE: [scan]}, "UnprocessedKeys": {}},
        )
        record = virtual_time.run(ledger.look_up([KEY]))[KEY]
        assert (record.committed_by, record.coverage_fingerprint) == (MESSAGE, NEW_CODE)
        asked = [request["RequestItems"][TABLE] for request in client.requests]
        assert [len(one["Keys"]) for one in asked] == [2, 1, 1]
        assert all(one["ConsistentRead"] for one in asked)

    def test_keys_that_are_put_off_for_ever_end_as_throttled(self) -> None:
        left = {"pk": {"S": "function#x"}, "sk": {"S": "state"}}
        ledger, client = ledger_answered({"Responses": {}, "UnprocessedKeys": {TABLE: {"Keys": [left]}}})
        with pytest.raises(Throttled, match="1 keys were put off"):
            virtual_time.run(ledger.look_up([KEY]))
        assert len(client.requests) == 8


class TestLookUp:
    async def test_what_is_not_read_changes_nothing_in_the_answer(
        self, rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        settled = coverage(CoverageState.PARTIAL, reason="report_pending")
        assert await rig.ledger.commit(claim.lease, PARTIAL, settled, owed=[Effect.TAG, Effect.NOTIFY])
        await rig.ledger.claim(KEY, message_id=OTHER_MESSAGE, now=NOW + MINUTE, duration=LEASE, force=True)
        answers: list[Any] = []
        ask = client.batch_get_item

        async def noted(**request: Any) -> object:
            answers.append(await ask(**request))
            return answers[-1]

        monkeypatch.setattr(client, "batch_get_item", noted)
        found = await rig.ledger.look_up([KEY])
        whole = await rig.items()
        assert found == {KEY: record_from(whole[scan_item_key(KEY)], KEY, whole[state_item_key(CHECKOUT)])}
        record = found[KEY]
        assert record.lease is not None
        assert (record.summary, record.owed) == (PARTIAL, frozenset({Effect.TAG, Effect.NOTIFY}))
        assert (record.committed_by, record.coverage_fingerprint) == (MESSAGE, NEW_CODE)
        assert "lastGood" in whole[state_item_key(CHECKOUT)]
        assert "lastGood" not in str(answers)

    @pytest.mark.parametrize("key", [scan_item_key(KEY), state_item_key(CHECKOUT)])
    async def test_an_item_of_a_newer_version_is_left_out_by_what_is_read_of_it(self, rig: DynamoRig, key: Key) -> None:
        await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        await rig.ledger.record(coverage())
        await rig.put((await rig.get(key)) | {"schema": 2})
        assert await rig.ledger.look_up([KEY]) == {}


class TestConflicts:
    def test_a_write_waits_until_a_transaction_lets_the_item_go(self) -> None:
        conflict = refusal("TransactionConflictException")
        ledger, client = ledger_answered(conflict, conflict, {})
        assert virtual_time.run(ledger.record(coverage()))
        assert len(client.requests) == 3

    def test_a_write_that_always_collides_ends_as_throttled(self) -> None:
        ledger, _ = ledger_answered(refusal("TransactionConflictException"))
        with pytest.raises(Throttled, match=f"recording a coverage in the ledger table {TABLE}"):
            virtual_time.run(ledger.record(coverage()))

    @pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_a_transaction_that_was_cancelled_in_passing_is_repeated(self, code: str) -> None:
        ledger, client = ledger_answered(cancelled("None", code), {})
        assert virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))
        first, second = client.requests
        assert first["ClientRequestToken"] == second["ClientRequestToken"]

    def test_a_refusal_beside_a_conflict_is_asked_again_until_both_are_known(self) -> None:
        ledger, client = ledger_answered(
            cancelled("ConditionalCheckFailed", "TransactionConflict"), cancelled("ConditionalCheckFailed", "None")
        )
        with pytest.raises(LeaseLost):
            virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))
        assert len(client.requests) == 2

    def test_a_transaction_that_always_collides_ends_as_throttled(self) -> None:
        ledger, _ = ledger_answered(cancelled("TransactionConflict", "None"))
        with pytest.raises(Throttled, match="TransactionConflict"):
            virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))

    def test_a_transaction_refused_for_another_reason_says_which(self) -> None:
        ledger, _ = ledger_answered(cancelled("ValidationError", "None"))
        with pytest.raises(Exception, match="TransactionCanceledException"):
            virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))

    def test_a_throttled_transaction_is_left_to_botocores_own_retries(self) -> None:
        ledger, client = ledger_answered(refusal("ThrottlingException"))
        with pytest.raises(Throttled):
            virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))
        assert len(client.requests) == 1

    def test_the_lease_that_is_lost_between_the_transaction_and_the_lone_write_is_lost(self) -> None:
        newer = wire_item({"pk": "function#x", "sk": "state", "schema": 1})
        ledger, client = ledger_answered(
            cancelled("None", "ConditionalCheckFailed", items={1: newer}), refusal("ConditionalCheckFailedException")
        )
        with pytest.raises(LeaseLost):
            virtual_time.run(ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()))
        assert len(client.requests) == 2

    def test_a_changed_commit_has_a_token_of_its_own_within_36_characters(self) -> None:
        ledger, client = ledger_answered({})

        async def both() -> None:
            await ledger.commit(A_LEASE, SUMMARY, coverage(), owed=())
            await ledger.commit(A_LEASE, SUMMARY, coverage(at=NOW + 2 * MINUTE), owed=())

        virtual_time.run(both())
        tokens = [request["ClientRequestToken"] for request in client.requests]
        assert len(set(tokens)) == 2
        assert {len(token) for token in tokens} == {36}

    def test_a_claim_refused_by_an_item_that_explains_nothing_is_tried_again_later(self) -> None:
        ledger, _ = ledger_answered(refusal("ConditionalCheckFailedException"))
        with pytest.raises(Throttled, match="without a reason"):
            virtual_time.run(ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE))

    def test_a_failure_refused_by_an_item_that_explains_nothing_is_not_taken_as_noted(self) -> None:
        ledger, _ = ledger_answered(refusal("ConditionalCheckFailedException"))
        with pytest.raises(Throttled, match="without a reason"):
            virtual_time.run(ledger.note_failure(MESSAGE, FAILURE))

    def test_a_failure_waits_until_the_item_is_free_and_is_asked_back_with_the_same_call(self) -> None:
        item = {"pk": f"message#{MESSAGE}", "sk": "tries", "schema": 1, "try#0003#throttled": {"at": 1, "text": "slow"}}
        ledger, client = ledger_answered(refusal("TransactionConflictException"), {"Attributes": wire_item(item)})
        (noted,) = virtual_time.run(ledger.note_failure(MESSAGE, FAILURE))
        assert (noted.attempt, noted.reason, noted.text) == (3, "throttled", "slow")
        assert [request["ReturnValues"] for request in client.requests] == ["ALL_NEW"] * 2
        # DynamoDB's placeholders: a sign, then letters, digits and underscores only (its developer guide).
        names = client.requests[0]["ExpressionAttributeNames"]
        assert names["#try_0003_throttled"] == "try#0003#throttled"
        assert all(re.fullmatch(r"#\w+", name) for name in names)


class TestExpiry:
    async def test_a_claim_lets_its_item_outlive_any_result(self, rig: DynamoRig) -> None:
        await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        item = await rig.get(scan_item_key(KEY))
        assert item["expiresAt"] == int((NOW + LEASE + timedelta(days=455)).timestamp())

    async def test_a_result_is_kept_three_months_after_it_was_fresh(self, rig: DynamoRig) -> None:
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed=())
        items = await rig.items()
        kept = int((SUMMARY.fresh_until + timedelta(days=90)).timestamp())
        assert items[scan_item_key(KEY)]["expiresAt"] == kept
        assert "expiresAt" not in items[state_item_key(CHECKOUT)]

    async def test_gone_is_kept_400_days(self, rig: DynamoRig) -> None:
        await rig.ledger.record(coverage(CoverageState.GONE, at=NOW, as_of=NOW, code=None))
        item = await rig.get(state_item_key(CHECKOUT))
        assert item["expiresAt"] == int((NOW + timedelta(days=400)).timestamp())


async def test_states_can_be_listed_by_the_index(rig: DynamoRig, client: "DynamoDBClient") -> None:
    await rig.ledger.note_failure(MESSAGE, FAILURE)
    await rig.ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
    await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
    await rig.ledger.record(coverage(CoverageState.FAILED))
    answer = await client.query(
        TableName=TABLE,
        IndexName="by-state",
        KeyConditionExpression="#state = :failed",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":failed": {"S": "FAILED"}},
    )
    assert [item["pk"]["S"] for item in answer["Items"]] == [state_item_key(CHECKOUT).pk]
    everything = await client.scan(TableName=TABLE, IndexName="by-state")
    assert [item["sk"]["S"] for item in everything["Items"]] == ["state"]


async def test_coverages_are_read_page_by_page(
    rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = {replace(CHECKOUT, name=f"orders-{number}") for number in range(7)}
    for function in functions:
        await rig.ledger.record(coverage(function=function))
    pages = 0
    scan = client.scan

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        nonlocal pages
        pages += 1
        return await scan(**request, Limit=3)

    monkeypatch.setattr(client, "scan", small)
    assert {one.function async for one in rig.ledger.coverages()} == functions
    assert pages == 3


async def test_sightings_are_read_page_by_page_from_one_partition(
    rig: DynamoRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [
        Sighting(account=f"{number:012}", region="eu-central-1", event_at=NOW, received_at=NOW) for number in range(7)
    ]
    for one in reversed(many):
        await rig.ledger.sight(one)
    await rig.ledger.record(coverage())
    pages = []
    query = client.query

    async def small(**request: Any) -> Any:  # noqa: ANN401  # as the client's own method
        pages.append(await query(**request, Limit=3))
        return pages[-1]

    monkeypatch.setattr(client, "query", small)
    assert [one async for one in rig.ledger.sightings()] == many
    assert [page["ScannedCount"] for page in pages] == [3, 3, 1]


class TestCheck:
    async def test_the_table_of_the_template_is_a_ledger(self, client: "DynamoDBClient") -> None:
        await DynamoLedger(client, TABLE).check()

    async def test_a_table_that_is_not_there_is_named(self, client: "DynamoDBClient") -> None:
        with pytest.raises(Misconfigured, match="describing the ledger table no-such-table"):
            await DynamoLedger(client, "no-such-table").check()

    async def test_another_table_is_refused_before_anything_is_written(self, client: "DynamoDBClient") -> None:
        await client.create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        with pytest.raises(Misconfigured, match="the table orders is not a ledger"):
            await DynamoLedger(client, "orders").check()

    def test_an_index_whose_key_has_another_type_is_refused(self) -> None:
        definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "state", "at")]
        schema = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        ledger, _ = ledger_answered({"Table": {"AttributeDefinitions": definitions, "KeySchema": schema}})
        with pytest.raises(Misconfigured, match="is not a ledger"):
            virtual_time.run(ledger.check())

    async def test_a_table_without_the_index_by_account_is_told_to_be_updated(self, client: "DynamoDBClient") -> None:
        await client.update_table(
            TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-account"}}]
        )
        with pytest.raises(Misconfigured) as refused:
            await DynamoLedger(client, TABLE).check()
        assert refused.value.text == (f"the ledger table {TABLE} lacks the index by-account: update the hub's stack")

    async def test_a_table_that_vanished_is_named_by_every_operation(self, client: "DynamoDBClient") -> None:
        ledger = DynamoLedger(client, "vanished")
        attempts = [
            ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE),
            ledger.look_up([KEY]),
            ledger.commit(A_LEASE, SUMMARY, coverage(), owed=()),
            ledger.coverage(CHECKOUT),
            anext(ledger.coverages()),
            ledger.sight(Sighting(account="210987654321", region="eu-central-1", event_at=NOW, received_at=NOW)),
            anext(ledger.sightings()),
            ledger.standings([CHECKOUT]),
            anext(ledger.rows("210987654321")),
            anext(ledger.in_state(CoverageState.NO_ACCESS)),
            ledger.counts(["210987654321", "310987654322"]),
            ledger.replace(coverage(), seen=None),
        ]
        for attempt in attempts:
            with pytest.raises(Misconfigured, match="vanished"):
                await attempt
