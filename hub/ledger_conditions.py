"""The ledger's conditional writes: which write stands under which condition, in DynamoDB's words."""

from collections.abc import Collection
from typing import Any

from hub import ledger_items as items
from hub.coverage import PASSING, RESULTS, SETTLED, UNDER_WAY, WAITING, Coverage, CoverageState
from hub.ledger_schema import SCHEMA, Update, milliseconds
from hub.ledger_table import Write
from hub.scans import CLOCK_SKEW, Lease
from hub.standing import Standing

KNOWN_SCHEMA = "(attribute_not_exists(#schema) OR #schema <= :known)"
KNOWN = {"known": SCHEMA}

_OURS = "#leaseOwner = :owner"
# Of `Coverage.replaces`: with `as_of`.
_NEWER = "attribute_not_exists(#state) OR attribute_not_exists(#asOf) OR #asOf < :asOf"


def by_owner(lease: Lease, update: Update) -> Write:
    """If the lease is still that of its owner."""
    return Write(items.scan_item_key(lease.key), update, _OURS, {"owner": lease.owner})


def if_it_replaces(coverage: Coverage) -> Write:
    """If the coverage replaces what is stored; see `Coverage.replaces`."""
    key, update = items.state_item_key(coverage.function), items.recorded(coverage)
    values: dict[str, Any] = {"known": SCHEMA}
    if coverage.as_of is None:
        later = f"attribute_not_exists(#state) OR (#state <> :gone AND {_later(coverage, values)})"
        return Write(key, update, f"{KNOWN_SCHEMA} AND ({later})", values | {"gone": CoverageState.GONE.value})
    values["asOf"] = milliseconds(coverage.as_of)
    of_the_same = "#asOf = :asOf"
    if coverage.state is not CoverageState.GONE:
        values["gone"] = CoverageState.GONE.value
        later = _later(coverage, values)
        if coverage.state in WAITING:
            later = f"({later} AND NOT {_one_of(RESULTS, 'result', values)})"
        if coverage.state in RESULTS:
            later = f"({later} OR {_one_of(PASSING, 'passing', values)})"
        of_the_same = f"({of_the_same} AND #state <> :gone AND {later})"
    return Write(key, update, f"{KNOWN_SCHEMA} AND ({_NEWER} OR {of_the_same})", values)


def _later(coverage: Coverage, values: dict[str, Any]) -> str:
    """That it is later than what is stored, by the clocks of those who wrote them; see `Coverage.replaces`."""
    values["at"] = milliseconds(coverage.at)
    if coverage.state in SETTLED:
        values["skewed"] = milliseconds(coverage.at + CLOCK_SKEW)
        return f"(#at <= :at OR (#at <= :skewed AND {_one_of(UNDER_WAY, 'underWay', values)}))"
    if coverage.state in UNDER_WAY:
        values["skewed"] = milliseconds(coverage.at - CLOCK_SKEW)
        return f"(#at < :skewed OR (#at <= :at AND NOT {_one_of(SETTLED, 'settled', values)}))"
    return "#at <= :at"


def _one_of(states: Collection[CoverageState], word: str, values: dict[str, Any]) -> str:
    """That the state which is stored is one of these; puts them among the values."""
    named = {f"{word}{number}": state.value for number, state in enumerate(sorted(states))}
    values |= named
    return f"#state IN (:{', :'.join(named)})"


def if_as_seen(coverage: Coverage, seen: Standing | None) -> Write:
    """If the coverage that is stored still is the one that was seen; None: there was none."""
    key, update = items.state_item_key(coverage.function), items.recorded(coverage)
    if seen is None:
        return Write(key, update, f"{KNOWN_SCHEMA} AND attribute_not_exists(#state)", KNOWN)
    values = {"seenState": seen.state.value, "seenAt": milliseconds(seen.at)}
    return Write(key, update, f"{KNOWN_SCHEMA} AND #state = :seenState AND #at = :seenAt", KNOWN | values)
