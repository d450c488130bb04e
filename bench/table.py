"""The stand-in's DynamoDB table: stores what is written, judges no condition.

No two workers meet here, so that every condition would pass; what a condition is worth is for the contract tests.
"""

import re
from collections.abc import Iterable
from typing import Any

Item = dict[str, Any]

_CLAUSES = re.compile(r"\b(SET|REMOVE|DELETE|ADD) ")
_ASSIGNMENT = re.compile(r"(#\w+) = (:\w+)")
_INITIAL = re.compile(r"(#\w+) = if_not_exists\(\1 (:\w+)\)")


class NotUnderstood(Exception):
    """An expression that the stand-in cannot carry out: the figures would speak of something else."""


class Table:
    """One table with the keys `pk` and `sk`."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}

    def put(self, items: Iterable[Item]) -> None:
        """Store items in DynamoDB's own form."""
        for item in items:
            self._items[_key(item)] = item

    def get(self, key: Item, projection: dict[str, Any] | None = None) -> Item | None:
        """One item, with only the attributes that the request's projection names, where it has one."""
        item = self._items.get(_key(key))
        if item is None or projection is None or "ProjectionExpression" not in projection:
            return item
        names = projection.get("ExpressionAttributeNames", {})
        wanted = {names.get(name, name) for name in projection["ProjectionExpression"].split(", ")}
        return {name: value for name, value in item.items() if name in wanted}

    def update(self, request: dict[str, Any]) -> tuple[Item | None, Item]:
        """Carry out the update; returns the item before and after."""
        key = request["Key"]
        before = self.get(key)
        after = dict(before or key)
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        parts = _CLAUSES.split(request["UpdateExpression"])[1:]
        for clause, text in zip(parts[::2], parts[1::2], strict=True):
            # The comma within a function separates no terms.
            for term in re.sub(r"(\(#\w+), ", r"\1 ", text.strip()).split(", "):
                if clause == "SET" and (match := _ASSIGNMENT.fullmatch(term)):
                    after[names[match[1]]] = values[match[2]]
                elif clause == "SET" and (match := _INITIAL.fullmatch(term)):
                    after.setdefault(names[match[1]], values[match[2]])
                elif clause == "REMOVE":
                    after.pop(names[term], None)
                elif clause == "DELETE":
                    _discard(after, names[term.split()[0]], values[term.split()[1]]["SS"])
                else:
                    raise NotUnderstood(f"{clause} {term}")
        self._items[_key(key)] = after
        return before, after


def _discard(item: Item, name: str, members: list[str]) -> None:
    left = [member for member in item.pop(name, {"SS": []})["SS"] if member not in members]
    if left:
        item[name] = {"SS": left}


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
