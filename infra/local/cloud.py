"""The embedded cloud: moto's server in this process, with its faults on our path mended."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import TracebackType
from typing import Self

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from infra.local import mends
from infra.local.mends.code_location import PackageStore, WsgiApp
from spoke.errors import Misconfigured

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, never bound to on our own account
_LOOK = 0.02
"""Seconds after which the server sees that it is to end. The standard library's 0.5 were a wait at each exit."""
_running = threading.Lock()


class _QuietHandler(MotoRequestHandler):
    """Writes no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class EmbeddedCloud:
    """An AWS of this process: accounts, EventBridge, SQS, DynamoDB, S3, Lambda, CloudFormation, ... in memory.

    A context manager: the server runs, and the mends are in place, until it is left. It starts empty. moto keeps its
    state in the process, so only one may run in a process at a time; other servers of moto in the same process share
    its state.

    Args:
        host: The address to listen on: the loopback one, unless containers shall reach it.
        port: The port; 0 takes a free one.

    Raises:
        Misconfigured: On entering, if the port is taken or another embedded cloud runs in this process.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._exits = ExitStack()

    @property
    def endpoint(self) -> str:
        """The URL for `AWS_ENDPOINT_URL`, on this machine.

        Raises:
            Misconfigured: It is not running.
        """
        if self._server is None:
            raise Misconfigured("the embedded cloud is not running")
        host = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        return f"http://{host}:{self._server.port}"

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(_the_only_one())
            packages = PackageStore(_moto())
            exits.enter_context(mends.installed(packages))
            _forget_everything()
            exits.callback(_forget_everything)
            self._server = exits.enter_context(_served(self._host, self._port, packages))
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server = None
        self._exits.close()


@contextmanager
def _the_only_one() -> Iterator[None]:
    if not _running.acquire(blocking=False):
        raise Misconfigured("an embedded cloud is running in this process already")
    try:
        yield
    finally:
        _running.release()


@contextmanager
def _served(host: str, port: int, app: WsgiApp) -> Iterator[BaseWSGIServer]:
    try:
        # werkzeug would print and end the process if the port were taken
        listening = socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from error
    with listening:
        port = listening.getsockname()[1]
        server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK,), name="embedded-cloud", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def _moto() -> WsgiApp:
    # It keeps nothing but its routes, which take as long to set up as a hundred calls.
    app: WsgiApp = DomainDispatcherApplication(create_backend_app)
    return app


def _forget_everything() -> None:
    BackendDict.reset()
    reset_model_data()
