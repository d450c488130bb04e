"""The functions that somebody names to `scanhub scan`: one by one, or as a list on stdin."""

import sys
from collections.abc import Iterator, Sequence

from scanhub import functions, regions
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured

STDIN = "-"
EXAMPLE = "arn:aws:lambda:eu-central-1:123456789012:function:name"
WRONG_SHOWN = 3
LONGEST = 200
"""Characters that are shown of a word that is no ARN."""


def parse(words: Sequence[str]) -> tuple[FunctionArn, ...]:
    """The functions, each once, in the order in which they were named.

    Args:
        words: ARNs; `-` stands for those on stdin, which are parted by spaces or ends of lines.

    Raises:
        Misconfigured: Some are no function ARNs, with the lines of stdin that they stand in: a list of hundreds is
            mended in one go. Or AWS has no such region.
    """
    found: dict[FunctionArn, None] = {}
    wrong: list[str] = []
    for word, where in _words(words):
        try:
            found[functions.parse(word)] = None
        except Misconfigured:
            wrong.append(f"{word[:LONGEST]!r}{where}")
    if wrong:
        raise Misconfigured(_not_arns(wrong))
    regions.parse(dict.fromkeys(one.region for one in found))
    return tuple(found)


def _words(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word, and where it stands."""
    for word in words:
        if word != STDIN:
            yield word, ""
            continue
        # Bytes that are no text are a mistake of the list like any other, and an editor's byte order mark is none.
        text = sys.stdin.buffer.read().decode("utf-8-sig", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            yield from ((one, f" (stdin, line {number})") for one in line.split())


def _not_arns(wrong: Sequence[str]) -> str:
    if len(wrong) == 1:
        return f"not a function ARN: {wrong[0]}; give it in full: {EXAMPLE}"
    more = len(wrong) - WRONG_SHOWN
    shown = ", ".join(wrong[:WRONG_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    return f"not function ARNs: {shown}; give each in full: {EXAMPLE}"
