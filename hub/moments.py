"""Moments as a person types them: `2h` ago, or ISO 8601 with a zone."""

import re
from datetime import datetime, timedelta

from spoke import timestamps
from spoke.errors import Misconfigured

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

EXAMPLES = "2h (ago; also s, m, d, w) or 2026-11-22T07:30:00Z"


def parse(text: str, *, now: datetime) -> datetime:
    """The moment (aware, UTC).

    Args:
        text: A number and one of `s`, `m`, `h`, `d`, `w`: so long before `now`; or a date and time with a zone.
        now: Aware, UTC.

    Raises:
        Misconfigured: It is neither, or lies in the future.
    """
    ago = _AGO.fullmatch(text)
    try:
        moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago is not None else timestamps.parse(text)
    except (ValueError, OverflowError):
        fault = "has no zone; add Z or +02:00, or" if _lacks_zone(text) else "is no moment;"
        raise Misconfigured(f"{text!r} {fault} give one like {EXAMPLES}") from None
    if moment > now:
        raise Misconfigured(f"{text} is in the future")
    return moment
