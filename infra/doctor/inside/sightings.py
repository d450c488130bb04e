"""Each account and region: when was its last event seen?"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from hub.diagnosis import Check, Kind
from infra.doctor.inside.accounts import Look

LAST_EVENT = Kind(
    name="last-event",
    group="accounts",
    asks="did an event come from each account and region lately, where there are functions?",
    wrong="Either nobody changed a function there, or its events do not arrive: they are found by the sweep alone.",
    fix="change a function there (a description will do) and ask again; if nothing comes, look at the rule "
    "scanhub-forward and the queue scanhub-forward-undelivered of that account and region, and at `organization-trail`",
)
KINDS = (LAST_EVENT,)


def judged(
    looks: Iterable[Look],
    regions: Iterable[str],
    seen: Mapping[tuple[str, str], datetime],
    *,
    now: datetime,
    quiet: timedelta,
) -> Iterator[Check]:
    """One check for each account and region.

    Args:
        looks: What is known of the accounts.
        regions: Those that matter.
        seen: By account and region, when the last event was seen (aware).
        now: Aware.
        quiet: From when on silence is worth a warning.
    """
    wanted = tuple(regions)
    for look in looks:
        for region in wanted:
            yield _judged(look, region, seen.get((look.account, region)), now=now, quiet=quiet)


def _judged(look: Look, region: str, last: datetime | None, *, now: datetime, quiet: timedelta) -> Check:
    subject = f"{look.account} {region}"
    told = f"the last event was seen at {last:%Y-%m-%d %H:%M} UTC" if last is not None else "no event was ever seen"
    if last is not None and now - last <= quiet:
        return LAST_EVENT.ok(subject, told)
    has_functions = look.functions.get(region)
    if has_functions is None:
        return LAST_EVENT.unknown(subject, f"{told}; whether there are functions could not be read")
    if not has_functions:
        return LAST_EVENT.ok(subject, f"{told}, and there are no functions")
    return LAST_EVENT.warning(subject, f"{told}, though there are functions")
