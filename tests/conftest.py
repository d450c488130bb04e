"""What every test may use: a moto server on a free loopback port, and a clean slate in it."""

import logging
import os
import signal
import socketserver
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import hypothesis
import pytest
import structlog
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore.loaders import create_loader
from coverage import Coverage

from hub import logs

# A slow machine is no fault of the code, and a test's own time-out ends what hangs.
hypothesis.settings.register_profile("scanhub", deadline=None)
hypothesis.settings.load_profile("scanhub")

REGION = "eu-central-1"
HUB_ACCOUNT = "123456789012"
"""moto's account for any credentials that it did not issue."""
MODELS = create_loader()
"""botocore's models, read once: a session that reads them anew costs more than most tests."""


_MEASURED = frozenset({"contracts", "hub", "spoke", "worker"})
"""The folders whose tests count for coverage: those of the packages that it is measured of. On Python 3.11 measuring
makes all code half as slow again, moto's and botocore's too."""


def pytest_configure() -> None:
    """Take Ctrl-C as usual, also where a shell has started this in the background, and ignores it for us."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A handler is not handed on to the commands that tests start; to ignore is.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests may take long: at the end one process would be left alone with them."""
    longest: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest[item.path], mark.args[0] if mark is not None else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test unmeasured unless it is one of a measured package."""
    measuring = Coverage.current()
    if measuring is None or item.path.relative_to(Path(__file__).parent).parts[0] in _MEASURED:
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()


@pytest.fixture(autouse=True, scope="session")
def _servers_unmeasured() -> Iterator[None]:
    """The threads of the servers in this process run moto's code alone."""
    original = socketserver.ThreadingMixIn.process_request_thread

    def unmeasured(*arguments: Any) -> None:  # as the standard library hands them over
        sys.settrace(None)
        original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socketserver.ThreadingMixIn, "process_request_thread", unmeasured)
        yield


@pytest.fixture(autouse=True, scope="session")
def _models_read_once() -> Iterator[None]:
    """A session of botocore's own making reads the endpoints of all regions first, a tenth of a second a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda *_: MODELS)
        yield


@contextmanager
def logs_left_alone() -> Iterator[None]:
    """Whatever sets up logging meanwhile, afterwards it is as it was."""
    root, quiet = logging.getLogger(), [logging.getLogger(name) for name in logs.QUIET]
    handlers, levels = list(root.handlers), [one.level for one in (root, *quiet)]
    was_configured, configuration = structlog.is_configured(), structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for one, level in zip((root, *quiet), levels, strict=True):
            one.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
        if was_configured:
            structlog.configure(**configuration)


@pytest.fixture(autouse=True, scope="module")
def _logs_left_alone_by_fixtures() -> Iterator[None]:
    """A module's own fixtures may run commands; their module's tests find that, and no others."""
    with logs_left_alone():
        yield


@pytest.fixture(autouse=True)
def _logs_left_alone() -> Iterator[None]:
    """A command that runs in this process sets up logging for its own; no other test shall find that."""
    with logs_left_alone():
        yield


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach an account by accident, whatever the machine's environment holds."""
    forget_aws(monkeypatch)


def forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take AWS's and our own variables out of the environment, and put credentials in that no account knows."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "SCANHUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The endpoint of a moto server that lives as long as the test session."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  # slow to import; most tests need no server

    from infra.local.mends import slowness  # noqa: PLC0415  # same

    with slowness.mended():
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def moto(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint of an empty moto server; AWS clients made in the test go there."""
    with urlopen(Request(f"{moto_server}/moto-api/reset", method="POST")) as answer:  # noqa: S310  # loopback
        assert answer.status == 200
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    return moto_server


@pytest.fixture
def aws(moto: str) -> AioSession:  # noqa: ARG001  # the server must be empty and known first
    """A session whose clients go to the empty moto server, without retries or pauses."""
    session = get_session()
    session.register_component("data_loader", MODELS)
    session.set_default_client_config(AioConfig(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=30))
    return session
