"""The ledger's items and updates in DynamoDB's own terms."""

import re
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from hub.ledger_schema import Item, Key, Update

_TO_WIRE = TypeSerializer()
_FROM_WIRE = TypeDeserializer()
_NOT_IN_A_WORD = re.compile(r"\W", re.ASCII)


def plain(wire: Mapping[str, Any]) -> Item:
    """An item as DynamoDB gives it, as plain values (numbers are decimals)."""
    return {name: _FROM_WIRE.deserialize(value) for name, value in wire.items()}


def plain_texts(wire: Mapping[str, Mapping[str, str]]) -> Item:
    """An item of texts and numbers in DynamoDB's JSON, as texts: a tenth of the time that `plain` takes."""
    return {name: text for name, value in wire.items() for text in value.values()}


def wire_item(item: Item) -> dict[str, Any]:
    """An item as DynamoDB takes it."""
    return {name: _TO_WIRE.serialize(value) for name, value in item.items()}


def wire_key(key: Key) -> dict[str, Any]:
    """A primary key as DynamoDB takes it."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def update_arguments(table: str, key: Key, update: Update, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of UpdateItem, or of an `Update` in a transaction; a refusal brings the item that refused.

    Args:
        table: Its name.
        key: Which item.
        update: What changes.
        condition: A condition expression with `#name` for attributes and `:name` for values.
        values: The values in the condition, besides those of the update.
    """
    clauses = []
    assigned = [f"#{_word(name)} = :{_word(name)}" for name in update.values]
    assigned += [f"#{_word(name)} = if_not_exists(#{_word(name)}, :{_word(name)})" for name in update.initial]
    if assigned:
        clauses.append("SET " + ", ".join(assigned))
    if update.removed:
        clauses.append("REMOVE " + ", ".join(f"#{_word(name)}" for name in update.removed))
    if update.discarded:
        clauses.append("DELETE " + ", ".join(f"#{_word(name)} :{_word(name)}" for name in update.discarded))
    # Every name goes through a placeholder: `state`, `owner` and more are reserved words, and the list grows.
    names = {*re.findall(r"#(\w+)", condition), *update.values, *update.initial, *update.removed, *update.discarded}
    used = {**update.values, **update.initial, **update.discarded, **values}
    return {
        "TableName": table,
        "Key": wire_key(key),
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{_word(name)}": name for name in sorted(names)},
        "ExpressionAttributeValues": {f":{_word(name)}": _TO_WIRE.serialize(used[name]) for name in sorted(used)},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _word(name: str) -> str:
    """The name as DynamoDB admits it in a placeholder.

    That is letters, digits, underscores; the name of a failed try has others.
    """
    return _NOT_IN_A_WORD.sub("_", name)
