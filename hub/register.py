"""The register in DynamoDB: what the service writes down of itself, beside the functions in the ledger's table."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from hub import register_items as items
from hub.ledger_conditions import KNOWN, KNOWN_SCHEMA
from hub.ledger_schema import Key, Update, check_schema
from hub.ledger_table import Write
from hub.service_notes import ObjectiveDay, Pause, WorkerNote
from hub.sweep_register import DynamoSweepRegister
from spoke.clock import Clock, SystemClock

if TYPE_CHECKING:
    from datetime import date

    from types_aiobotocore_dynamodb import DynamoDBClient


class DynamoRegister(DynamoSweepRegister):
    """The register in the ledger's table; see `docs/ledger.md`.

    Args:
        client: Of the hub's account.
        table: Its name.
        clock: What tells whether a note is too old to be told of.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock | None = None) -> None:
        super().__init__(client, table, clock if clock is not None else SystemClock())
        self._teller = secrets.token_hex(8)
        self._told: dict[date, ObjectiveDay] = {}
        self._counting = asyncio.Lock()

    async def check_in(self, note: WorkerNote) -> None:
        """This worker is there, and how it is."""
        await self._write("checking in", items.worker_key(note.id), items.checked_in(note))

    async def check_out(self, worker_id: str) -> None:
        """This worker has ended. One that is not known is no error."""
        key, update = items.worker_key(worker_id), items.checked_out(self._clock.now())
        await self._write("checking out", key, update, condition="attribute_exists(#seenAt)")

    async def workers(self) -> AsyncIterator[WorkerNote]:
        """The workers that have checked in within the last day, and not out, by id. May miss the last second."""
        async for item in self._queries.partition(items.WORKERS):
            if (note := items.worker_from(item, self._clock.now())) is not None:
                yield note

    async def pause(self, pause: Pause) -> None:
        """The service takes no work until `resume`. A pause before it is replaced."""
        await self._write("pausing", items.PAUSE, items.paused(pause))

    async def resume(self) -> bool:
        """The service takes work again; returns whether it was paused.

        A request that botocore repeats after a lost answer finds its own resumption, and says that it was.
        """
        update = items.resumed(secrets.token_hex(16))
        is_paused = "(attribute_exists(#at) OR #resumption = :resumption)"
        return await self._write("resuming", items.PAUSE, update, condition=is_paused)

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused; read consistently."""
        return items.pause_from(await self._table.get(items.PAUSE))

    async def count_changes(self, day: ObjectiveDay) -> None:
        """Add these counts to those of the day; the target and the slowest become the larger of both.

        This process has an item of its own for the day, which holds all that it has counted: a write that is repeated,
        or that fails and is counted again with the next, counts once.
        """
        async with self._counting:
            told = items.with_more(self._told[day.day], day) if day.day in self._told else day
            await self._write("counting changes", items.day_key(day.day, self._teller), items.told(told))
            self._told[day.day] = told

    async def objective(self) -> AsyncIterator[ObjectiveDay]:
        """The days that are kept (400), the newest first; those without a change are left out."""
        told = [items.day_from(item) async for item in self._queries.partition(items.OBJECTIVE)]
        for day in items.by_day(told, self._clock.now()):
            yield day

    async def _write(self, doing: str, key: Key, update: Update, *, condition: str = "") -> bool:
        also = f" AND {condition}" if condition else ""
        standing = await self._table.write(doing, Write(key, update, f"{KNOWN_SCHEMA}{also}", KNOWN))
        if standing is None:
            return True
        check_schema(standing)
        return False
