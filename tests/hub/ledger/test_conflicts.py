"""What is DynamoDB's alone: keys that it puts off, writes that collide, refusals that explain nothing."""

import re

import pytest

from hub.ledger_items import scan_item_key, state_item_key
from hub.ledger_wire import wire_item
from spoke.errors import LeaseLost, Throttled
from tests import virtual_time
from tests.hub.dynamodb_answers import cancelled, ledger_answered, refusal
from tests.ledger_rig import TABLE
from tests.ledger_samples import (
    A_LEASE,
    CHECKOUT,
    FAILURE,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NEW_CODE,
    NOW,
    SUMMARY,
    coverage,
)


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
