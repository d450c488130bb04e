import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from hub.logs import configure
from hub.redaction import Redactor

TOKEN = "canary-5f1d/token+value"
PASSWORD = "not-known-to-the-redactor"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    quiet = {name: logging.getLogger(name).level for name in ("botocore", "aiobotocore", "asyncio", "urllib3")}
    yield
    logging.root.handlers, logging.root.level = handlers, level
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_bound_fields() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    with structlog.contextvars.bound_contextvars(account="111122223333", message_id="m-1"):
        structlog.get_logger().info("scan started", scan_id="s-1")
    structlog.get_logger().debug("not logged")
    (line,) = lines(stream)
    written = datetime.fromisoformat(line.pop("timestamp"))
    assert written.utcoffset() is not None
    assert not written.utcoffset()
    assert line == {
        "event": "scan started",
        "level": "info",
        "account": "111122223333",
        "message_id": "m-1",
        "scan_id": "s-1",
    }


def test_the_standard_library_goes_the_same_way() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    with structlog.contextvars.bound_contextvars(account="111122223333"):
        logging.getLogger("some.library").warning("took %d s", 5)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"], line["account"]) == (
        "took 5 s",
        "warning",
        "some.library",
        "111122223333",
    )


def test_python_warnings_are_logged() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("unclosed client session", ResourceWarning, stacklevel=1)
    (line,) = lines(stream)
    assert "unclosed client session" in line["event"]


def refuse(text: str, *, password: str = "") -> None:
    raise RuntimeError(text, len(password))


@pytest.mark.parametrize("terminal", [False, True])
def test_a_secret_shows_nowhere_in_no_form(terminal: bool) -> None:
    stream, redactor = io.StringIO(), Redactor()
    configure("DEBUG", stream=stream, terminal=terminal, redactor=redactor)
    redactor.add(TOKEN)
    log = structlog.get_logger()
    line = f"token {TOKEN}"
    log.info(line, field=TOKEN, nested={"a": [TOKEN]}, secret=SecretStr(TOKEN), raw=TOKEN.encode())
    logging.getLogger("library").error("said %s", TOKEN)
    try:
        refuse(TOKEN)
    except RuntimeError:
        log.exception("failed")
    shown = stream.getvalue()
    assert "canary" not in shown
    assert shown.count("[redacted]") >= 6
    assert "RuntimeError" in shown


def test_a_traceback_on_a_terminal_shows_no_local_variables() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream, terminal=True)
    try:
        refuse("refused", password=PASSWORD)
    except RuntimeError:
        structlog.get_logger().exception("failed")
    assert "refused" in stream.getvalue()
    assert PASSWORD not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_readable_form() -> None:
    stream = Terminal()
    configure("INFO", stream=stream)
    structlog.get_logger().info("scan started", function="checkout")
    assert not stream.getvalue().startswith("{")
    assert "scan started" in stream.getvalue()


def test_libraries_that_log_requests_stay_quiet_at_debug() -> None:
    stream = io.StringIO()
    configure("DEBUG", stream=stream)
    logging.getLogger("botocore.parsers").debug('Response body: b\'{"SecretString": "..."}\'')
    logging.getLogger("botocore.credentials").info("Found credentials in environment variables.")
    structlog.get_logger().debug("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]


def test_objects_are_written_as_text() -> None:
    stream = io.StringIO()
    configure("INFO", stream=stream)
    structlog.get_logger().info("odd", value=sys.version_info.__class__, none=None, surrogate="\ud800")
    (line,) = lines(stream)
    assert line["none"] is None
    assert "version_info" in line["value"]


def test_configuring_again_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("INFO", stream=first)
    configure("ERROR", stream=second)
    structlog.get_logger().warning("left out")
    structlog.get_logger().error("told")
    assert first.getvalue() == ""
    assert [line["event"] for line in lines(second)] == ["told"]
