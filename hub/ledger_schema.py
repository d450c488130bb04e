"""What all items of the ledger have in common: keys, updates, moments, the schema version.

An item is a mapping of plain Python values: text, whole numbers, lists, maps, sets of text. Moments are milliseconds
since the epoch, except `expiresAt`, which DynamoDB's TTL wants in seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, SupportsInt

from spoke.errors import Misconfigured

SCHEMA = 1
"""The version that is written, and the highest that is read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The primary key of an item: `pk` and `sk`."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Update:
    """What one write changes in an item; everything else in it stays.

    Attributes:
        values: Attributes to set.
        removed: Attributes to remove.
        discarded: Members to take out of set attributes.
        initial: Attributes to set only where they are not there yet.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    discarded: Mapping[str, frozenset[str]] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)

    def applied_to(self, item: Item) -> dict[str, Any]:
        """The item after the write."""
        after = dict(self.initial) | {name: value for name, value in item.items() if name not in self.removed}
        after |= self.values
        for name, members in self.discarded.items():
            left = frozenset(after.pop(name, ())) - members
            if left:  # DynamoDB keeps no empty set
                after[name] = left
        return after


def milliseconds(when: datetime) -> int:
    """Since the epoch, rounded down."""
    return (when - _EPOCH) // timedelta(milliseconds=1)


def moment(value: SupportsInt | str) -> datetime:
    """Of milliseconds since the epoch, as a number or in decimal digits; aware, UTC."""
    return _EPOCH + timedelta(milliseconds=int(value))


def seconds(when: datetime) -> int:
    """Since the epoch, rounded down: what DynamoDB's TTL wants."""
    return (when - _EPOCH) // timedelta(seconds=1)


def check_schema(item: Item) -> None:
    """Refuse what a newer version wrote: its meaning is not known here.

    Raises:
        Misconfigured: It has a higher schema version.
    """
    version = int(item.get("schema", SCHEMA))
    if version > SCHEMA:
        raise Misconfigured(
            f"the ledger item {_named(item)} has schema {version}, this scanhub knows {SCHEMA}: run the newer version"
        )


def reading(item: Item) -> "_Reading":
    """Around what reads an item.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    check_schema(item)
    return _Reading(item)


class _Reading:
    # A generator would take a fifth of the time in which a sweep reads an item.
    __slots__ = ("_item",)

    def __init__(self, item: Item) -> None:
        self._item = item

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)):
            raise Misconfigured(
                f"the ledger item {_named(self._item)} cannot be read: {type(error).__name__}: {error}"
            ) from error


def _named(item: Item) -> str:
    return " ".join(item[name] for name in ("pk", "sk") if name in item)
