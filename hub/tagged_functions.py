"""The functions of many accounts that carry a tag."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spoke.arn import FunctionArn, partition_of
from spoke.errors import ScanhubError

AT_ONCE = 16
"""Accounts and regions asked at the same time."""


class Tags(Protocol):
    """What member accounts tell of tags; see `hub.sweep.ports.Estate`."""

    async def regions(self, account: str) -> Sequence[str]:
        """The regions that are enabled in this account."""
        ...

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        """The functions that carry a tag of this key, by name, with its value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Which tag.

    Attributes:
        key: Its name.
        value: None for whatever value.
    """

    key: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """`KEY` or `KEY=VALUE`; the value may be empty."""
        key, separator, value = text.partition("=")
        return cls(key=key, value=value if separator else None)

    def __str__(self) -> str:
        return self.key if self.value is None else f"{self.key}={self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found.

    Attributes:
        functions: Sorted, without versions.
        problems: One line for each account, or account and region, that could not be asked.
    """

    functions: tuple[FunctionArn, ...]
    problems: tuple[str, ...]


async def find(tags: Tags, tag: Tag, accounts: Collection[str], regions: Sequence[str] = ()) -> Found:
    """Ask every account and region; one that refuses is told of and does not hinder the others.

    Args:
        tags: The member accounts.
        tag: Which.
        accounts: Where to ask.
        regions: Where to ask in each; none means all that it has enabled.
    """
    turn = asyncio.Semaphore(AT_ONCE)
    functions: set[FunctionArn] = set()
    problems: list[str] = []

    async def ask(account: str, region: str) -> None:
        try:
            async with turn:
                found = await tags.tagged(account, region, tag.key)
        except ScanhubError as error:
            problems.append(f"{account} {region}: {error.text}")
            return
        functions.update(
            FunctionArn(partition_of(region), region, account, name)
            for name, value in found.items()
            if tag.value in {None, value}
        )

    async def enter(account: str) -> None:
        try:
            async with turn:
                where = regions or await tags.regions(account)
        except ScanhubError as error:
            problems.append(f"{account}: {error.text}")
            return
        await asyncio.gather(*(ask(account, region) for region in where))

    await asyncio.gather(*(enter(account) for account in accounts))
    return Found(functions=tuple(sorted(functions)), problems=tuple(sorted(problems)))
