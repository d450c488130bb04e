"""Parked messages sent back to the queues that they came from: what is sent, in which order, and how fast."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from aiolimiter import AsyncLimiter

from hub.dead_letters.advice import Remedy, advice
from hub.dead_letters.holding import Holding
from hub.dead_letters.message import ParkedMessage
from hub.message import Source
from spoke.errors import ScanhubError
from spoke.own_requests import RequestReason, scan_request

IN_A_ROW = 5
"""So many failures, one after another, end a redrive: what they met, the others would meet too."""

NOBODYS = "unknown"
"""The message group of what names no account."""


class Step(StrEnum):
    """What is to be done with a message."""

    SEND = "send"
    """Its body, as it is."""
    FORCE = "force"
    """A request for a forced scan of its function in its place."""
    SKIP = "skip"
    """Nothing: it stays."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with one message.

    Attributes:
        parked: The message.
        step: See `Step`.
        why: With `SKIP`: why, in one line.
    """

    parked: ParkedMessage
    step: Step
    why: str = ""


class Fate(StrEnum):
    """What became of a message."""

    REDRIVEN = "redriven"
    """Sent, and deleted where it was parked."""
    TWICE = "twice"
    """Sent, and still parked as well."""
    FAILED = "failed"
    """Not sent; it stays parked."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, and why it is not redriven."""

    parked: ParkedMessage
    fate: Fate
    why: str = ""


class Sender(Protocol):
    """A queue that takes bodies."""

    async def send(self, body: str, *, group: str) -> None:
        """Put a body into the queue, in the group of its account."""
        ...


def plan(
    messages: Iterable[ParkedMessage],
    *,
    all_the_same: bool = False,
    named_ids: Collection[str] = (),
    named_reasons: Collection[str] = (),
) -> list[Plan]:
    """What is to be done with each, the oldest first.

    What would only be parked again is skipped, unless it is named by its id or all is wanted all the same. What needs a
    forced scan costs one: it is done only where it is named by its id or its reason, or all is wanted all the same.

    Args:
        messages: Those that are wanted.
        all_the_same: Whether to skip none.
        named_ids: Whole ids of messages that somebody has named one by one.
        named_reasons: Reasons that somebody has named.
    """
    return [
        _planned(one, insisted=all_the_same or one.id in named_ids, is_named=one.reason in named_reasons)
        for one in sorted(messages, key=lambda one: one.order)
    ]


def _planned(one: ParkedMessage, *, insisted: bool, is_named: bool) -> Plan:
    remedy = advice(one.reason).remedy
    if remedy is Remedy.FORCE:
        if one.function is None:
            return Plan(one, Step.SKIP, "it names no function that could be scanned")
        if insisted or is_named:
            return Plan(one, Step.FORCE)
        return Plan(one, Step.SKIP, f"its result is stored; it would cost a scan: --reason {one.reason} or its id asks")
    if remedy is Remedy.NONE and not insisted:
        return Plan(one, Step.SKIP, "it would be parked again; its id or --all-the-same sends it")
    return Plan(one, Step.SEND)


async def redrive(
    plans: Sequence[Plan],
    holding: Holding,
    queues: Mapping[Source, Sender],
    *,
    rate: float,
    told: Callable[[Outcome], object],
) -> None:
    """Send each back, in this order; what was skipped stays. Killed in between, a message is there twice, never lost.

    Args:
        plans: See `plan`.
        holding: In which the messages are.
        queues: By the source that a message was parked from.
        rate: Messages a second, at the most.
        told: Is called with each outcome when it is known. After `IN_A_ROW` failures the rest has failed untried.
    """
    # One at a time: a limiter of `rate` in a second would begin with a burst.
    limiter = AsyncLimiter(1, 1 / rate)
    failures = 0
    for one in plans:
        if one.step is Step.SKIP:
            continue
        if failures >= IN_A_ROW:
            told(Outcome(one.parked, Fate.FAILED, f"not tried: {IN_A_ROW} before it failed"))
            continue
        await limiter.acquire()
        sending = asyncio.ensure_future(_sent_back(one, holding, queues))
        try:
            outcome = await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Sent and not deleted it would be there twice.
            told(await sending)
            raise
        failures = 0 if outcome.fate is Fate.REDRIVEN else failures + 1
        told(outcome)


async def _sent_back(one: Plan, holding: Holding, queues: Mapping[Source, Sender]) -> Outcome:
    parked = one.parked
    if not holding.has(parked):
        return Outcome(parked, Fate.FAILED, "it could not be held for so long; somebody else may have it")
    queue = queues.get(parked.source)
    if queue is None:
        return Outcome(parked, Fate.FAILED, f"there is no queue {parked.source} to send it to")
    try:
        await queue.send(_body(one), group=parked.account or NOBODYS)
    except ScanhubError as error:
        return Outcome(parked, Fate.FAILED, error.text)
    try:
        undeleted = await holding.delete([parked])
    except ScanhubError as error:
        return Outcome(parked, Fate.TWICE, error.text)
    return Outcome(parked, Fate.TWICE, "it could not be deleted") if undeleted else Outcome(parked, Fate.REDRIVEN)


def _body(one: Plan) -> str:
    function = one.parked.function
    if one.step is Step.FORCE and function is not None:
        return scan_request(function, reason=RequestReason.MANUAL, force=True)
    return one.parked.message.body
