"""SQS's calls for many messages: what goes into one call, and which of its entries have failed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from tenacity import retry, retry_if_result, stop_after_attempt, wait_random_exponential

from spoke.aws_errors import translated

ENTRIES_A_BATCH = 10
"""SQS takes so many entries in one call, and gives so many messages (SQS quotas)."""

Call = Callable[[list[dict[str, Any]]], Awaitable[Mapping[str, Any]]]
One = TypeVar("One")


def tens(entries: Sequence[One]) -> Iterator[Sequence[One]]:
    """As many in a call as SQS takes."""
    for start in range(0, len(entries), ENTRIES_A_BATCH):
        yield entries[start : start + ENTRIES_A_BATCH]


def sized(entries: Sequence[One], size: Callable[[One], int], limit: int) -> Iterator[Sequence[One]]:
    """As `tens`, and no more in a call than `limit` of the `size`."""
    call: list[One] = []
    total = 0
    for one in entries:
        if call and (len(call) == ENTRIES_A_BATCH or total + size(one) > limit):
            yield call
            call, total = [], 0
        call.append(one)
        total += size(one)
    if call:
        yield call


async def in_batches(
    doing: str, batches: Iterator[Sequence[One]], entry: Callable[[One], dict[str, Any]], call: Call
) -> list[One]:
    """Make the `call` for all batches at once; returns what failed.

    Every batch runs, also when another one raises: a heartbeat must not lose the others for it.

    Args:
        doing: What the call does to what, for the text of an error.
        batches: What goes into each call.
        entry: Makes the entry of the call, but for its `Id`.
        call: Takes the entries; answers as SQS does, with what `Failed`.

    Raises:
        Misconfigured, Throttled, Unavailable: A whole call failed.
    """
    outcomes = await asyncio.gather(*(_one_batch(doing, one, entry, call) for one in batches), return_exceptions=True)
    failed: list[One] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        failed += outcome
    return failed


async def _one_batch(doing: str, batch: Sequence[One], entry: Callable[[One], dict[str, Any]], call: Call) -> list[One]:
    pending = dict(enumerate(batch))
    refused: list[One] = []

    @retry(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(3),
        wait=wait_random_exponential(multiplier=0.1, max=1),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    async def attempt() -> list[One]:
        """What failed by SQS's own fault and is worth another try."""
        entries = [{"Id": str(number), **entry(one)} for number, one in pending.items()]
        with translated(doing):
            answer = await call(entries)
        faults = {int(fault["Id"]): fault for fault in answer.get("Failed", [])}
        refused.extend(pending[number] for number, fault in faults.items() if fault["SenderFault"])
        for number in list(pending):
            if number not in faults or faults[number]["SenderFault"]:
                del pending[number]
        return list(pending.values())

    undecided = await attempt()
    return [*refused, *undecided]
