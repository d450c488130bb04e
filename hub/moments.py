"""Moments as a person types them: `2h` ago, or ISO 8601 with a zone."""

import re
from datetime import datetime, timedelta

from spoke import timestamps
from spoke.errors import Misconfigured

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

EXAMPLES = "2h (ago; also s, m, d, w) or 2026-11-22T07:30:00Z"
_NO_MOMENT = f"is no moment; give one like {EXAMPLES}"


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
        fault = "has no zone; add Z (UTC) or one like +02:00" if _lacks_zone(text) else _NO_MOMENT
        raise Misconfigured(f"{text!r} {fault}") from None
    if moment > now:
        raise Misconfigured(f"{text} is in the future")
    return moment


def _lacks_zone(text: str) -> bool:
    try:
        timestamps.parse(f"{text}Z")
    except ValueError:
        return False
    return True
