"""What the scanner prints: all of it drained, little of it kept, none of it with a secret."""

import asyncio
import os
import re

from worker.scanner.redaction import ScanRedaction

HEAD = 256 * 1024
TAIL = 768 * 1024
"""Bytes kept of the beginning and of the end of each stream: what was tried, and what went wrong."""
LAST = 64 * 1024
"""Bytes of the end that go into an error."""
PIECE = 64 * 1024
"""A pipe holds no more at once (pipe(7)), and redacting that much keeps the event loop busy for a millisecond."""

_NOT_TEXT = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
"""Terminal sequences, and characters that an SQS attribute refuses (SQS: SendMessage, XML 1.0's characters)."""


class Capture:
    """The beginning and the end of one stream, in bounded memory.

    Args:
        redaction: What must not be in it.
        head: Bytes to keep of the beginning.
        tail: Bytes to keep of the end.
    """

    def __init__(self, redaction: ScanRedaction, *, head: int = HEAD, tail: int = TAIL) -> None:
        self._redaction = redaction
        self._most_head, self._most_tail = head, tail
        self._head, self._tail = bytearray(), bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """The next piece."""
        self.total += len(data)
        free = self._most_head - len(self._head)
        self._head += data[:free]
        self._tail += data[free:] if free > 0 else data
        # Cut in large steps: each cut moves what is left.
        if len(self._tail) > 2 * self._most_tail:
            del self._tail[: -self._most_tail]

    def content(self) -> bytes:
        """What was kept, redacted; a line in its midst tells how much is missing there."""
        tail = self._tail[-self._most_tail :]
        missing = self.total - len(self._head) - len(tail)
        if missing == 0:
            return self._redaction.data(bytes(self._head + tail))
        # A secret may lie across a cut, and what is left of it is not recognised. It is shorter than the longest form;
        # doubled, since other secrets replaced within that stretch may have made it longer.
        torn = 2 * self._redaction.longest
        before = self._redaction.data(bytes(self._head))
        after = self._redaction.data(bytes(tail))
        return before[: max(0, len(before) - torn)] + b"\n[%d bytes left out]\n" % (missing + 2 * torn) + after[torn:]


class Pipe:
    """Feeds a capture from a pipe as it fills, so that the writer never waits."""

    def __init__(self, descriptor: int, capture: Capture) -> None:
        self._descriptor = descriptor
        self._capture = capture
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._read)

    def finish(self) -> None:
        """Take what is in the pipe still, and no more: somebody may hold its other end open for ever."""
        self._loop.remove_reader(self._descriptor)
        for _ in range(64):
            if not self._read():
                break

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._descriptor)
            return False
        self._capture.feed(data)
        return True


def as_text(content: bytes, *, last: int = LAST) -> str:
    """The end of it for people: UTF-8, without control characters save line feeds and tabs."""
    return _NOT_TEXT.sub("", content[-last:].decode("utf-8", "replace"))


def last_line(text: str, *, most: int = 300) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:most] if lines else ""
