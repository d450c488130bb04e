"""A list that comes in pages, followed by its markers to its end, which it must have."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from spoke.errors import Unavailable

Part = TypeVar("Part")

MAX_PAGES = 10_000
"""Of one list; of ListFunctions that is half a million functions in one account and region."""


async def pages(
    doing: str, ask: Callable[[str | None], Awaitable[tuple[Part, str | None]]], *, limit: int = MAX_PAGES
) -> AsyncIterator[Part]:
    """Every page, in order.

    Args:
        doing: As with `spoke.aws_errors.translated`.
        ask: For the page of this marker, the first one with None; gives the page and the next one's marker, if any.
        limit: Pages.

    Raises:
        Unavailable: A marker came a second time, or the list has no end: what came so far is not the whole.
    """
    marker: str | None = None
    seen: set[int] = set()
    for _ in range(limit):
        part, marker = await ask(marker)
        yield part
        if not marker:
            return
        if hash(marker) in seen:
            raise Unavailable(f"{doing}: a page leads back to one before it")
        seen.add(hash(marker))
    raise Unavailable(f"{doing}: no end after {limit} pages")
