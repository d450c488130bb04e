"""A sweep's ports, each over its line to what all processes share."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial

from hub.coverage import Coverage
from hub.message import Depth
from hub.standing import CoverageRow, Standing
from spoke.arn import FunctionArn
from spoke.changes import Change
from spoke.errors import NoAccess
from spoke.events import read
from tests.simulation.grounds import Grounds
from tests.simulation.line import Line
from tests.simulation.plan import ACCOUNTS, REGIONS, Sending
from tests.simulation.scene import Letter
from worker.memory.estate import MemoryEstate

PAGE = 3
"""Functions of a page: few enough that most places have more than one."""


HELD_UP = 30.0
"""Seconds for which a sweep stands still at the most."""


class LinkedSweepLedger:
    """The port `SweepLedger`."""

    def __init__(self, line: Line, grounds: Grounds) -> None:
        self._line = line
        self._ledger = grounds.ledger
        self._sweeps = grounds.oracle.sweeps
        self._held_up = grounds.plan.rates.held_up

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        standings = await self._line.call("ledger", "standings", lambda: self._ledger.standings(functions))
        if self._line.happens(self._held_up):
            # Between its look and its word a process may stand still for as long as it likes.
            await asyncio.sleep(self._line.uniform(0, HELD_UP))
        return standings

    async def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]:
        await self._line.request("ledger", "rows")
        async for page in self._ledger.rows(account, region=region, without=without):
            yield page

    async def replace(self, coverage: Coverage, *, seen: Standing | None) -> bool:
        await self._line.request("ledger", "replace")
        self._sweeps.replaces(coverage, seen)
        is_set = await self._ledger.replace(coverage, seen=seen)
        await self._line.answer("ledger", "replace")
        return is_set

    async def record(self, coverage: Coverage) -> bool:
        return await self._line.call("ledger", "record", lambda: self._ledger.record(coverage))


class LinkedSweepQueue:
    """The port `SweepQueue`: the sender of what it sends is a sweep.

    Args:
        line: Of the sweep's process.
        grounds: The world.
        since: The second at which the process began.
    """

    def __init__(self, line: Line, grounds: Grounds, *, since: float) -> None:
        self._line = line
        self._grounds = grounds
        self._since = since

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        await self._line.request("queue", "send all")
        refused = []
        for body, group in requests:
            if self._line.happens(self._grounds.plan.rates.partial_batch):
                self._line.fault("send all", "partial batch")
                refused.append((body, group))
            else:
                await self._send(body, group)
        await self._line.answer("queue", "send all")
        return refused

    async def depth(self) -> Depth:
        return await self._line.call("queue", "depth", self._grounds.swept.depth)

    async def _send(self, body: str, group: str) -> None:
        grounds, change = self._grounds, read(body)
        assert isinstance(change, Change)
        function = grounds.organization.functions[change.function]
        index = next(number for number, one in enumerate(grounds.plan.functions) if one.arn == change.function)
        queue, now = grounds.swept, grounds.loop.time()
        await queue.send(body, group=group)
        # In one step with the effect: a process that is killed here has sent it all the same.
        sending = Sending(kind="request", function=index, about=now, queue="sweep")
        message_id = queue.messages[-1].id
        grounds.scene.letters[message_id] = Letter(message_id, sending, function, grounds.loop.time())
        grounds.oracle.swept(self._line.name, function, message_id, since=self._since)


def linked_estate(line: Line, grounds: Grounds) -> MemoryEstate:
    """The port `Estate`: what the accounts have at the very moment in which a page is made."""
    organization = grounds.organization

    async def on_call(operation: str, account: str, region: str, *, after: bool) -> None:
        if after:
            await line.answer("spoke", operation)
        else:
            await line.request("spoke", operation)
            organization.enter(account, f"{operation} of {region or 'all regions'}")
            if operation == "functions" and (account, region) in organization.unlisted:
                raise NoAccess(f"listing {region} of account {account}: AccessDeniedException: an explicit deny")

    estate = MemoryEstate(page_size=PAGE, on_call=on_call)
    for account in ACCOUNTS:
        estate.enable(account, *REGIONS)
        for region in REGIONS:
            estate.generate(account, region, partial(organization.listed, account, region, grounds.loop.time))
    return estate
