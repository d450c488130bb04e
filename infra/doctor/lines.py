"""Checks as lines of a log: how the half inside tells the half outside what it saw.

One JSON object a line, since a log service neither keeps lines together nor promises their order; the last one says how
many there were, so that a line that was lost on the way shows.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.diagnosis import Check

MARK = "scanhubDoctor"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What was read.

    Attributes:
        checks: In the order of the lines.
        announced: How many there should be; None: the last line is missing.
        others: Lines that were no checks.
    """

    checks: tuple[Check, ...]
    announced: int | None
    others: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether none was lost."""
        return self.announced == len(self.checks)


def line(check: Check) -> str:
    """One check."""
    return json.dumps({MARK: VERSION, "check": check.document()}, separators=(",", ":"))


def last_line(count: int) -> str:
    """After so many checks."""
    return json.dumps({MARK: VERSION, "end": count}, separators=(",", ":"))


def read(lines: Iterable[str]) -> Told:
    """The checks among the lines of a log."""
    checks: list[Check] = []
    announced: int | None = None
    others: list[str] = []
    for one in lines:
        document = _document(one)
        try:
            if document is not None and "check" in document:
                checks.append(Check.read(document["check"]))
                continue
            if document is not None and "end" in document:
                announced = int(document["end"])
                continue
        except (KeyError, TypeError, ValueError):
            pass
        others.append(one)
    return Told(tuple(checks), announced, tuple(others))


def _document(text: str) -> dict[str, Any] | None:
    if MARK not in text:
        return None
    try:
        read_value = json.loads(text)
    except ValueError:
        return None
    return read_value if isinstance(read_value, dict) and read_value.get(MARK) == VERSION else None
