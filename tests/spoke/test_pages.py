import asyncio

import pytest

from spoke.errors import Unavailable
from spoke.pages import pages


class Book:
    """Gives the marker that follows each; notes what it was asked."""

    def __init__(self, after: dict[str | None, str | None]) -> None:
        self._after = after
        self.asked: list[str | None] = []

    async def __call__(self, marker: str | None) -> tuple[str, str | None]:
        self.asked.append(marker)
        return f"page {marker}", self._after[marker]


async def read(book: Book, *, limit: int = 100) -> list[str]:
    return [page async for page in pages("listing", book, limit=limit)]


async def test_every_page_in_order_to_the_end() -> None:
    book = Book({None: "a", "a": "b", "b": None})
    assert await read(book) == ["page None", "page a", "page b"]
    assert book.asked == [None, "a", "b"]


async def test_an_empty_marker_is_the_end() -> None:
    assert await read(Book({None: ""})) == ["page None"]


@pytest.mark.parametrize("after", [{None: "a", "a": "a"}, {None: "a", "a": "b", "b": "a"}])
async def test_a_marker_that_comes_again_is_not_followed(after: dict[str | None, str | None]) -> None:
    book = Book(after)
    with pytest.raises(Unavailable, match="listing: a page leads back"):
        await read(book)
    assert len(book.asked) == len(after)


async def test_a_list_without_an_end_has_one() -> None:
    asked: list[str | None] = []

    async def endless(marker: str | None) -> tuple[int, str | None]:
        asked.append(marker)
        await asyncio.sleep(0)
        return len(asked), f"m{len(asked)}"

    with pytest.raises(Unavailable, match="no end after 7 pages"):
        async for _ in pages("listing", endless, limit=7):
            pass
    assert len(asked) == 7


async def test_as_many_pages_as_there_may_be() -> None:
    assert len(await read(Book({None: "a", "a": None}), limit=2)) == 2
