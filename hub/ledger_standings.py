"""What the ledger's items of functions say in short: to a sweep, and in the indexes to lists and counts."""

from typing import Any

from hub.coverage import Coverage, CoverageState
from hub.ledger_items import state_item_key
from hub.ledger_schema import Item, milliseconds, moment, reading
from hub.standing import CoverageRow, Standing
from spoke.arn import FunctionArn

STANDING = ("pk", "sk", "schema", "state", "at", "reason", "asOf", "fingerprint", "profileId", "freshUntil", "queuedAt")
"""What `standing_from` reads: some 300 of the 1,000 bytes of an item."""

ROW = ("pk", "state", "at", "reason", "runtime", "resultAt")
"""What `row_from` reads. All of it is in both indexes; the schema is not, and needs not be: a newer version that gives
one of these attributes another meaning gives it another name."""

_FUNCTION = "function#"


def standing_from(item: Item, function: FunctionArn) -> Standing:
    """What an item says of a function to a sweep.

    Args:
        item: With the attributes in `STANDING`.
        function: Whose it is.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        return Standing(
            function=function,
            state=CoverageState(item["state"]),
            at=moment(item["at"]),
            reason=item.get("reason", ""),
            as_of=moment(item["asOf"]) if "asOf" in item else None,
            fingerprint=item.get("fingerprint"),
            profile_id=item.get("profileId"),
            fresh_until=moment(item["freshUntil"]) if "freshUntil" in item else None,
            queued_at=moment(item["queuedAt"]) if "queuedAt" in item else None,
        )


def row_from(item: Item) -> CoverageRow:
    """What an item, or its entry in an index, says of a function to a list.

    Args:
        item: With the attributes in `ROW`.

    Raises:
        Misconfigured: It is broken.
    """
    with reading(item):
        return CoverageRow(
            function=FunctionArn.parse(item["pk"].removeprefix(_FUNCTION)),
            state=CoverageState(item["state"]),
            at=moment(item["at"]),
            reason=item.get("reason", ""),
            runtime=item.get("runtime"),
            result_at=moment(item["resultAt"]) if "resultAt" in item else None,
        )


def is_as_seen(item: Item, seen: Standing | None) -> bool:
    """Whether a function's item still is as a sweep saw it; None: there was none."""
    if seen is None or "state" not in item:
        return seen is None and "state" not in item
    return bool(item["state"] == seen.state.value and int(item["at"]) == milliseconds(seen.at))


def is_written(item: Item, coverage: Coverage) -> bool:
    """Whether the item holds this very coverage: the same write had succeeded before, and its answer was lost."""
    wanted: dict[str, Any] = {"state": coverage.state.value, "at": milliseconds(coverage.at)}
    if coverage.as_of is not None:
        wanted["asOf"] = milliseconds(coverage.as_of)
    if coverage.queued_at is not None:
        wanted["queuedAt"] = milliseconds(coverage.queued_at)
    return item.get("pk") == state_item_key(coverage.function).pk and all(
        item.get(name) == value for name, value in wanted.items()
    )
