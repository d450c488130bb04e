"""The ledger's conditional writes: which write stands under which condition, in DynamoDB's words."""

from typing import Any

from hub import ledger_items as items
from hub.coverage import PASSING, RESULTS, WAITING, Coverage, CoverageState
from hub.ledger_schema import SCHEMA, Update, milliseconds
from hub.ledger_table import Write
from hub.scans import Lease
from hub.standing import Standing

KNOWN_SCHEMA = "(attribute_not_exists(#schema) OR #schema <= :known)"
KNOWN = {"known": SCHEMA}

_OURS = "#leaseOwner = :owner"
# Of `Coverage.replaces`: with `as_of`, and without.
_NEWER = "attribute_not_exists(#state) OR attribute_not_exists(#asOf) OR #asOf < :asOf"
_PASSING: dict[str, str] = {f"passing{number}": state.value for number, state in enumerate(sorted(PASSING))}
_PASSES = f"#state IN (:{', :'.join(_PASSING)})"
_RESULTS: dict[str, str] = {f"result{number}": state.value for number, state in enumerate(sorted(RESULTS))}
_IS_RESULT = f"#state IN (:{', :'.join(_RESULTS)})"
_LATER = "(attribute_not_exists(#state) OR (#state <> :gone AND #at <= :at))"


def by_owner(lease: Lease, update: Update) -> Write:
    """If the lease is still that of its owner."""
    return Write(items.scan_item_key(lease.key), update, _OURS, {"owner": lease.owner})


def if_it_replaces(coverage: Coverage) -> Write:
    """If the coverage replaces what is stored; see `Coverage.replaces`."""
    key, update = items.state_item_key(coverage.function), items.recorded(coverage)
    values: dict[str, Any] = {"known": SCHEMA, "at": milliseconds(coverage.at)}
    if coverage.as_of is None:
        values["gone"] = CoverageState.GONE.value
        return Write(key, update, f"{KNOWN_SCHEMA} AND {_LATER}", values)
    values["asOf"] = milliseconds(coverage.as_of)
    of_the_same = "#asOf = :asOf"
    if coverage.state is not CoverageState.GONE:
        values["gone"] = CoverageState.GONE.value
        later = "#at <= :at"
        if coverage.state in WAITING:
            values |= _RESULTS
            later = f"({later} AND NOT {_IS_RESULT})"
        if coverage.state in RESULTS:
            values |= _PASSING
            later = f"({later} OR {_PASSES})"
        of_the_same = f"({of_the_same} AND #state <> :gone AND {later})"
    return Write(key, update, f"{KNOWN_SCHEMA} AND ({_NEWER} OR {of_the_same})", values)


def if_as_seen(coverage: Coverage, seen: Standing | None) -> Write:
    """If the coverage that is stored still is the one that was seen; None: there was none."""
    key, update = items.state_item_key(coverage.function), items.recorded(coverage)
    if seen is None:
        return Write(key, update, f"{KNOWN_SCHEMA} AND attribute_not_exists(#state)", KNOWN)
    values = {"seenState": seen.state.value, "seenAt": milliseconds(seen.at)}
    return Write(key, update, f"{KNOWN_SCHEMA} AND #state = :seenState AND #at = :seenAt", KNOWN | values)
