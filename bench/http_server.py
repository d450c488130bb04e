"""HTTP/1.1 on an asyncio transport, bare: the worker is what is measured, so the other side must cost little."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | asyncio.Future[bytes]
Handler = Callable[[Request], Answer]


def response(body: bytes = b"", *, status: int = 200, content_type: str = "", headers: str = "") -> bytes:
    """A whole answer. `headers` are lines that end in CRLF."""
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    length = "" if status == HTTPStatus.NO_CONTENT else f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{kind}{length}{headers}\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection, kept alive until the client closes it. Requests come one after the other."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._received = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._transport: asyncio.Transport | None = None
        self._pending: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        # A client that gives up a long poll closes its connection: nobody must hand it a message after that.
        self._transport = None
        if self._pending is not None:
            self._pending.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next()) is not None:
            answer = self._handle(request)
            if isinstance(answer, bytes):
                self._write(answer)
            else:
                self._pending = answer
                answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[bytes]") -> None:
        self._pending = None
        if not answer.cancelled():
            self._write(answer.result())

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _next(self) -> Request | None:
        """The next request, once all of it is there."""
        if self._head is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._head = _head(bytes(self._received[:end]))
            del self._received[: end + 4]
            if "expect" in self._head[2]:
                self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, path, headers = self._head
        if "transfer-encoding" in headers:
            raise ValueError(f"{method} {path}: a body of unknown length")
        length = int(headers.get("content-length", "0"))
        if len(self._received) < length:
            return None
        body = bytes(self._received[:length])
        del self._received[:length]
        self._head = None
        return Request(method, path, headers, body)


def _head(data: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return method, path, headers
