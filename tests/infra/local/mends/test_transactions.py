"""A transaction that is refused leaves nothing behind, and costs what it writes."""

from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import Item

from infra.calls import AwsClient
from infra.local.accounts import Accounts

TABLE = "ledger"
MANY = 60


@pytest.fixture(params=[True, False], ids=["with ranges", "without"])
def table(accounts: Accounts, request: pytest.FixtureRequest) -> AwsClient:
    """A client of a table that holds many items, of three in each partition where there are ranges."""
    client = accounts.client("dynamodb")
    names = ["pk", "sk"] if request.param else ["pk"]
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
        ],
    )
    for number in range(MANY):
        pk = number // 3 if request.param else number
        client.put_item(TableName=TABLE, Item={**key(pk, number), "n": {"N": "1"}, "tags": {"M": {"a": {"S": "b"}}}})
    return client


def key(pk: int, sk: int) -> dict[str, Any]:
    return {"pk": {"S": f"function#{pk}"}, "sk": {"S": f"scan#{sk}"}}


def items(client: AwsClient) -> list[Any]:
    return sorted(client.scan(TableName=TABLE)["Items"], key=str)


def writes(client: AwsClient, **last: str) -> list[dict[str, Any]]:
    """One of each kind, in partitions that are there and in one that is not; the check is of an item that is there."""

    names = [one["AttributeName"] for one in client.describe_table(TableName=TABLE)["Table"]["KeySchema"]]

    def of(number: int) -> dict[str, Any]:
        whole = key(number // 3 if len(names) == 2 else number, number)
        return {name: whole[name] for name in names}

    change = "SET n = n + :one, tags.a = :a"
    values = {":one": {"N": "1"}, ":a": {"S": "changed"}}
    return [
        {
            "Update": {
                "TableName": TABLE,
                "Key": of(1),
                "UpdateExpression": change,
                "ExpressionAttributeValues": values,
            }
        },
        {"Delete": {"TableName": TABLE, "Key": of(2)}},
        {"Put": {"TableName": TABLE, "Item": {**key(0, 0), "n": {"N": "7"}}}},
        {"Put": {"TableName": TABLE, "Item": {**key(999, 999), "n": {"N": "1"}}}},
        {"ConditionCheck": {"TableName": TABLE, "Key": of(5), **last}},
    ]


def test_what_is_refused_changes_nothing(table: AwsClient) -> None:
    before = items(table)
    with pytest.raises(table.exceptions.TransactionCanceledException) as refused:
        table.transact_write_items(TransactItems=writes(table, ConditionExpression="attribute_not_exists(pk)"))
    assert [one["Code"] for one in refused.value.response["CancellationReasons"]] == [
        *["None"] * 4,
        "ConditionalCheckFailed",
    ]
    assert items(table) == before


def test_what_is_accepted_is_written_and_only_that(table: AwsClient) -> None:
    before = items(table)
    table.transact_write_items(TransactItems=writes(table, ConditionExpression="attribute_exists(pk)"))
    after = items(table)
    assert len(after) == MANY
    assert len([one for one in after if one in before]) == MANY - 3


def test_only_what_is_written_is_copied(table: AwsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    original = Item.__deepcopy__

    def noted(item: Item, memo: dict[int, Any]) -> Item:
        copied.append(item)
        return original(item, memo)

    monkeypatch.setattr(Item, "__deepcopy__", noted)
    table.transact_write_items(TransactItems=writes(table, ConditionExpression="attribute_exists(pk)"))
    # moto asks for a copy of the table at each write; of the whole table that were hundreds.
    assert 0 < len(copied) < MANY / 2
