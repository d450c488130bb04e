"""Checks as lines of a log: how the half inside tells the half outside what it saw.

One JSON object a line, since a log service neither keeps lines together nor promises their order. Each has its number,
and the last one says how many there were: a line that was lost on the way shows, and one that came twice is read once.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from hub.diagnosis import Check

MARK = "scanhubDoctor"
VERSION = 1
MOST_LINE = 15_000
"""Bytes: Docker's log drivers tear a line at 16 KiB."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was read.

    Attributes:
        checks: In the order of their numbers.
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


def line(check: Check, number: int) -> str:
    """One check.

    Args:
        check: What is told; of one too long for a line only the beginning is.
        number: The first is 0.
    """
    while len(written := _written(check, number)) > MOST_LINE:
        if check.evidence:
            check = replace(check, evidence=check.evidence[:-1])
        else:
            check = replace(check, reason=check.reason[: len(check.reason) // 2], fix=check.fix[: len(check.fix) // 2])
    return written


def _written(check: Check, number: int) -> str:
    # Not one byte but ASCII: a character is told as up to twelve.
    return json.dumps({MARK: VERSION, "number": number, "check": check.document()}, separators=(",", ":"))


def last_line(count: int) -> str:
    """After so many checks."""
    return json.dumps({MARK: VERSION, "end": count}, separators=(",", ":"))


def read(lines: Iterable[str]) -> Told:
    """The checks among the lines of a log."""
    checks: dict[int, Check] = {}
    announced: int | None = None
    others: list[str] = []
    for one in lines:
        document = _document(one)
        try:
            if document is not None and "check" in document:
                checks.setdefault(int(document["number"]), Check.read(document["check"]))
                continue
            if document is not None and "end" in document:
                announced = int(document["end"])
                continue
        except (KeyError, TypeError, ValueError):
            pass
        others.append(one)
    return Told(tuple(checks[number] for number in sorted(checks)), announced, tuple(others))


def _document(text: str) -> dict[str, Any] | None:
    if MARK not in text:
        return None
    try:
        read_value = json.loads(text)
    except ValueError:
        return None
    return read_value if isinstance(read_value, dict) and read_value.get(MARK) == VERSION else None
