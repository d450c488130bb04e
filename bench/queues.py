"""The stand-in's queues: just enough of SQS to receive, wait, give back and delete."""

import asyncio
import hashlib
import json
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_RECEIPTS = count(1)


@dataclass(slots=True)
class Sent:
    """One message and what became of it; moments are seconds since the epoch."""

    id: str
    label: str
    body: str
    sent_at: float
    md5: str
    receives: int = 0
    deleted_at: float | None = None


@dataclass(slots=True)
class _Poll:
    limit: int
    visibility: float
    answer: "asyncio.Future[list[dict[str, Any]]]"


@dataclass(slots=True)
class Queue:
    """One standard queue.

    Attributes:
        sent: Every message since the last `clear`.
        deleted: How many of them were deleted.
    """

    sent: list[Sent] = field(default_factory=list)
    deleted: int = 0
    _visible: deque[Sent] = field(default_factory=deque)
    _held: dict[str, tuple[Sent, asyncio.TimerHandle]] = field(default_factory=dict)
    _polls: deque[_Poll] = field(default_factory=deque)

    def send(self, messages: list[tuple[str, str]]) -> None:
        """Labels and bodies, all there before the first of them is handed out."""
        now = time.time()
        for label, body in messages:
            # MD5 is what SQS sends along.
            md5 = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
            one = Sent(f"{len(self.sent):08x}-5a1b-4c2d-8e3f-{time.time_ns() % 16**12:012x}", label, body, now, md5)
            self.sent.append(one)
            self._visible.append(one)
        self._serve()

    def receive(self, limit: int, visibility: float, wait: float) -> "asyncio.Future[list[dict[str, Any]]]":
        """What is visible, at once or within `wait` seconds."""
        loop = asyncio.get_running_loop()
        poll = _Poll(limit, visibility, loop.create_future())
        self._polls.append(poll)
        self._serve()
        if not poll.answer.done():
            loop.call_later(wait, self._empty, poll)
        return poll.answer

    def delete(self, receipt: str) -> bool:
        """Whether the receipt was good."""
        held = self._held.pop(receipt, None)
        if held is None:
            return False
        held[1].cancel()
        held[0].deleted_at = time.time()
        self.deleted += 1
        return True

    def change(self, receipt: str, visibility: float) -> bool:
        """Whether the receipt was good."""
        held = self._held.get(receipt)
        if held is None:
            return False
        held[1].cancel()
        self._hide(receipt, held[0], visibility)
        return True

    def clear(self) -> None:
        """Forget the messages; who waits goes on waiting."""
        for _, timer in self._held.values():
            timer.cancel()
        self._held.clear()
        self._visible.clear()
        self.sent.clear()
        self.deleted = 0

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for a message."""
        return any(not poll.answer.done() for poll in self._polls)

    @property
    def depth(self) -> tuple[int, int]:
        """Visible and in flight."""
        return len(self._visible), len(self._held)

    def _empty(self, poll: _Poll) -> None:
        if not poll.answer.done():
            self._polls.remove(poll)
            poll.answer.set_result([])

    def _serve(self) -> None:
        while self._visible and self._polls:
            poll = self._polls.popleft()
            if poll.answer.done():  # its client went away
                continue
            taken = [self._visible.popleft() for _ in range(min(poll.limit, len(self._visible)))]
            poll.answer.set_result([self._delivery(one, poll.visibility) for one in taken])

    def _delivery(self, one: Sent, visibility: float) -> dict[str, Any]:
        one.receives += 1
        # As long as SQS's own.
        receipt = f"AQEB{next(_RECEIPTS):012d}".ljust(412, "x")
        self._hide(receipt, one, visibility)
        return {
            "MessageId": one.id,
            "ReceiptHandle": receipt,
            "MD5OfBody": one.md5,
            "Body": one.body,
            "Attributes": {
                "ApproximateReceiveCount": str(one.receives),
                "SentTimestamp": str(int(one.sent_at * 1000)),
            },
        }

    def _hide(self, receipt: str, one: Sent, visibility: float) -> None:
        timer = asyncio.get_running_loop().call_later(visibility, self._show, receipt)
        self._held[receipt] = (one, timer)

    def _show(self, receipt: str) -> None:
        self._visible.append(self._held.pop(receipt)[0])
        self._serve()

    def journal(self) -> list[dict[str, Any]]:
        """What became of each message."""
        return [
            {"label": one.label, "sent_at": one.sent_at, "deleted_at": one.deleted_at, "receives": one.receives}
            for one in self.sent
        ]


def encoded(messages: list[dict[str, Any]]) -> bytes:
    """The body of ReceiveMessage's answer; SQS leaves the list out where it is empty."""
    return json.dumps({"Messages": messages} if messages else {}).encode()
