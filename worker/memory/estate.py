"""What the member accounts have, in memory: a handful of functions that were put in, or a million made on the way."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from typing import Literal, Protocol

from spoke.arn import FunctionArn
from spoke.errors import NoAccess
from spoke.snapshot import FunctionSnapshot
from spoke.tags import is_excluded

Call = Literal["regions", "functions", "tagged", "versions"]

PAGE = 50
"""Functions of one page, as with ListFunctions."""


class OnPlace(Protocol):
    """Awaited around each call that the AWS adapter would make: of `functions`, around each page."""

    async def __call__(self, operation: str, account: str, region: str, *, after: bool) -> None:
        """Raise, or wait.

        Args:
            operation: The name of the port's method.
            account: In which account.
            region: In which region; empty for `regions`.
            after: False before the effect; True when it has taken place: what is raised then is a lost answer.
        """
        ...


class MemoryEstate:
    """The port `Estate` over functions that were put in, and over places that make theirs as they are listed.

    Attributes:
        calls: How often each call was made, by the port's method; of `functions`, pages.
        on_call: See `OnPlace`; may be set at any time.

    Args:
        role_name: For the text of errors.
        page_size: Functions of one page.
        on_call: See `OnPlace`.
    """

    def __init__(
        self, *, role_name: str = "scanhub-spoke", page_size: int = PAGE, on_call: OnPlace | None = None
    ) -> None:
        self._role_name = role_name
        self._page_size = page_size
        self.on_call = on_call
        self.calls: Counter[Call] = Counter()
        self._functions: defaultdict[tuple[str, str], dict[str, FunctionSnapshot]] = defaultdict(dict)
        self._versions: defaultdict[FunctionArn, dict[FunctionArn, FunctionSnapshot]] = defaultdict(dict)
        self._sources: dict[tuple[str, str], Callable[[], Iterable[FunctionSnapshot]]] = {}
        self._enabled: dict[str, frozenset[str]] = {}
        self._denied: set[tuple[str, str | None, Call | None]] = set()
        self._faults: list[tuple[Call, str | None, str | None, Exception]] = []

    def put(self, snapshot: FunctionSnapshot) -> None:
        """Create or replace a function; with a number as its qualifier, a version to which an alias points."""
        arn = snapshot.arn.content
        if arn.is_version:
            self._versions[arn.unqualified][arn] = snapshot
        else:
            self._functions[arn.account, arn.region][arn.name] = snapshot

    def remove(self, function: FunctionArn) -> None:
        """Delete a function with its versions, or one version; what is not there is no error."""
        if function.is_version:
            self._versions[function.unqualified].pop(function, None)
            return
        self._functions[function.account, function.region].pop(function.name, None)
        self._versions.pop(function.unqualified, None)

    def generate(self, account: str, region: str, source: Callable[[], Iterable[FunctionSnapshot]]) -> None:
        """Let the place have, besides what is put in, what `source` makes anew each time it is listed."""
        self._sources[account, region] = source

    def enable(self, account: str, *regions: str) -> None:
        """From now on the account has these regions and no others; else it has those in which something was put."""
        self._enabled[account] = frozenset(regions)

    def deny(self, account: str, region: str | None = None, *, call: Call | None = None) -> None:
        """From now on the role may do nothing in the account, in this region of it, or only not make this call."""
        self._denied.add((account, region, call))

    def allow(self, account: str) -> None:
        """Undo every `deny` of this account."""
        self._denied = {one for one in self._denied if one[0] != account}

    def fail(self, call: Call, error: Exception, *, account: str | None = None, region: str | None = None) -> None:
        """Let the next call of this method (of this account, region) raise `error`; several are raised one by one."""
        self._faults.append((call, account, region, error))

    async def regions(self, account: str) -> Sequence[str]:
        """See `hub.sweep.ports.Estate`."""
        async with self._call("regions", account, ""):
            places = [*self._sources, *(place for place, functions in self._functions.items() if functions)]
            found = self._enabled.get(account) or {region for owner, region in places if owner == account}
        return sorted(found)

    async def functions(self, account: str, region: str) -> AsyncIterator[Sequence[FunctionSnapshot]]:
        """See `hub.sweep.ports.Estate`."""
        left = self._listed(account, region)
        ahead: list[FunctionSnapshot] | None = None
        while ahead is None or ahead:
            async with self._call("functions", account, region):
                page = ahead or list(islice(left, self._page_size))
                ahead = list(islice(left, self._page_size))
            yield [_untagged(snapshot) for snapshot in page]

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        """See `hub.sweep.ports.Estate`."""
        async with self._call("tagged", account, region):
            listed = self._listed(account, region)
            found = {one.arn.name: one.tags[key] for one in listed if one.tags is not None and key in one.tags}
        return found  # noqa: RET504  # returned inside, mypy would think that the context may swallow it

    async def excluded(self, account: str, region: str, tag: str) -> frozenset[str]:
        """See `hub.sweep.ports.Estate`."""
        found = await self.tagged(account, region, tag)
        return frozenset(name for name, value in found.items() if is_excluded({tag: value}, tag))

    async def versions(self, functions: Sequence[FunctionArn]) -> Sequence[FunctionSnapshot]:
        """See `hub.sweep.ports.Estate`."""
        if not functions:
            return []
        place = functions[0]
        async with self._call("versions", place.account, place.region):
            published = [self._versions.get(one.unqualified, {}) for one in functions]
            found = [
                _untagged(versions[arn])
                for versions in published
                for arn in sorted(versions, key=lambda arn: int(arn.qualifier or 0))
            ]
        return found  # noqa: RET504  # as above

    def _listed(self, account: str, region: str) -> Iterator[FunctionSnapshot]:
        yield from list(self._functions.get((account, region), {}).values())
        source = self._sources.get((account, region))
        if source is not None:
            yield from source()

    @asynccontextmanager
    async def _call(self, call: Call, account: str, region: str) -> AsyncIterator[None]:
        self.calls[call] += 1
        await asyncio.sleep(0)
        if self.on_call is not None:
            await self.on_call(call, account, region, after=False)
        self._refuse(call, account, region)
        yield
        if self.on_call is not None:
            await self.on_call(call, account, region, after=True)

    def _refuse(self, call: Call, account: str, region: str) -> None:
        for index, (planned, owner, place, error) in enumerate(self._faults):
            if planned == call and owner in {None, account} and place in {None, region}:
                del self._faults[index]
                raise error
        refused = {(account, one, other) for one in (None, region) for other in (None, call)}
        if refused & self._denied:
            raise NoAccess(f"assuming the role {self._role_name} in account {account}: AccessDenied")
        if region and region not in self._enabled.get(account, {region}):
            raise NoAccess(f"listing the functions of account {account} in {region}: UnrecognizedClientException")


def _untagged(snapshot: FunctionSnapshot) -> FunctionSnapshot:
    """As a list tells of it. One that was made without tags is handed on as it is, for the sake of a million."""
    return snapshot if snapshot.tags is None else replace(snapshot, tags=None)
