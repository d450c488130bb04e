"""Reading JSON that a third party wrote: no type is taken for granted, nothing raises but `NotJson`."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

NAME_LIMIT = 512
TEXT_LIMIT = 1024
"""Characters that are kept of a name or version, and of a title or path. Real ones are far shorter."""

_INTEGER_DIGITS = 18
"""Longer numbers are no line, count or id, and Python refuses to read those of more than 4,300 digits at all."""


class NotJson(ValueError):
    """The bytes are not JSON, or nested too deeply to read."""


def load(data: bytes) -> object:
    """The JSON value; numbers that nothing can be done with (huge, infinite, not a number) come as None.

    Raises:
        NotJson: It is none.
    """
    try:
        return json.loads(data, parse_int=_integer, parse_float=_float, parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from None


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of an array; what is none is passed over."""
    return (one for one in items(value) if isinstance(one, dict))


def text(value: object, limit: int = TEXT_LIMIT) -> str | None:
    """The value as one line of printable text, cut to `limit`; None if it is no text or nothing is left.

    Control characters (terminal escapes, line feeds), bidirectional overrides and lone surrogates become spaces:
    what a package calls itself must not steer a reader's terminal or break a line of JSON Lines.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    # Cut before and after: a title of 100 MB need not be looked at as a whole.
    line = value[: 4 * limit]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    return " ".join(line.split())[:limit].rstrip() or None


def integer(value: object, *, least: int = 0) -> int | None:
    """The value as an integer of at least `least`, also from `"5"` and `5.0`; else None."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = _integer(value)
    elif isinstance(value, float) and value.is_integer():
        value = _integer(f"{value:.0f}")
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= least else None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _INTEGER_DIGITS else None


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _nothing(_: str) -> None:
    return None
