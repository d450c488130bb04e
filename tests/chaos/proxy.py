"""The way to the endpoint, which can be cut in the ways in which networks are cut."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

_PIECE = 256 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)
"""`SO_LINGER` with a time of zero: closing then sends RST instead of FIN (socket(7))."""


@dataclass(slots=True)
class Fuse:
    """Something that happens at one request.

    Attributes:
        request: At which, counted from 1 over all connections: pieces that come from the client.
        answered: Whether the request reaches the server. Its answer reaches nobody in any case.
        burn: What happens.
    """

    request: int
    answered: bool
    burn: Callable[[], None]


class Proxy:
    """A TCP proxy on a port of its own, in a thread of its own. It passes everything on until told otherwise.

    Args:
        port: Of the server, on the loopback address.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        # Bound and never listening: it keeps the port ours while nobody listens on it.
        self._place = _bound(0)
        self.port = int(self._place.getsockname()[1])
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._resetting = False
        self._fuse: Fuse | None = None
        self._requests = 0
        self.resets = 0

    @property
    def endpoint(self) -> str:
        """The URL for `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def lay(self, fuse: Fuse) -> None:
        """Let this happen; the requests are counted from now."""
        self._do(self._lay(fuse))

    def refuse(self) -> None:
        """Nobody listens any more, and what is open is reset: the server's host is up, the server is gone."""
        self._do(self._refuse())

    def reset(self) -> None:
        """What is open is reset, and what is opened is reset too: a load balancer without a server behind it."""
        self._do(self._reset())

    def swallow(self) -> None:
        """Nothing passes, nothing is refused: packets vanish."""
        self._do(self._swallow())

    def restore(self) -> None:
        """Everything passes; what was held back comes late."""
        self._do(self._restore())

    def __enter__(self) -> Self:
        self._thread.start()
        self.restore()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=10)

    async def _lay(self, fuse: Fuse) -> None:
        self._fuse, self._requests = fuse, 0

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._cut()

    async def _reset(self) -> None:
        self._resetting = True
        self._cut()

    async def _swallow(self) -> None:
        self._flowing.clear()

    async def _restore(self) -> None:
        self._resetting = False
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, sock=_bound(self.port))

    async def _end(self) -> None:
        await self._refuse()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in list(self._open):
            self._abort(writer)

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        self.resets += 1
        self._open.discard(writer)
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        if self._resetting:
            self._abort(writer)
            return
        with suppress(OSError, asyncio.CancelledError):
            await self._flowing.wait()
            back, forth = await asyncio.open_connection("127.0.0.1", self._upstream)
            connection = _Connection(self, writer)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(connection.pump(reader, forth, from_client=True))
                    group.create_task(connection.pump(back, writer, from_client=False))
            except* OSError:
                pass
            finally:
                forth.transport.abort()
        self._open.discard(writer)
        writer.transport.abort()


class _Connection:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._burning: Fuse | None = None

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, from_client: bool) -> None:
        """Pass on what comes, until an end or a cut."""
        while piece := await source.read(_PIECE):
            await self._proxy._flowing.wait()
            if from_client:
                self._count()
            if self._burning is not None and not (from_client and self._burning.answered):
                self._burning.burn()
                raise ConnectionResetError
            target.write(piece)
            await target.drain()
        # Either side has said all: HTTP without a half that goes on.
        raise ConnectionResetError

    def _count(self) -> None:
        proxy = self._proxy
        proxy._requests += 1
        if proxy._fuse is not None and proxy._requests >= proxy._fuse.request:
            self._burning, proxy._fuse = proxy._fuse, None


def _bound(port: int) -> socket.socket:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place
